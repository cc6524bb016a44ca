"""Options that several commands take."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

DATA = Path("limner-data")

ConfigFile = Annotated[Path | None, typer.Option("--config", help="A TOML file (docs/CONFIG.md); without: --demo.")]
DataFolder = Annotated[Path, typer.Option("--data", help="Where everything is kept.")]
Url = Annotated[str | None, typer.Option("--url", envvar="LIMNER_URL", help="The daemon; else the demo's.")]
Key = Annotated[str | None, typer.Option("--key", envvar="LIMNER_KEY", help="Your key; else the demo's.")]
