"""discord.js and the npm package `midjourney`, unmodified, take `limner sim` for Discord; see `make strangers`."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.strangers.stage import limner_sim

pytestmark = pytest.mark.live

DRIVERS = Path(__file__).parent / "node"
#: Where `make strangers` installs: beside the other things that are made, never in the project.
PACKAGES = Path(sys.prefix) / "strangers" / "node_modules"
PLAY_S_MAX = 100.0


def played(driver: str, package: str, folder: Path) -> list[str]:
    """What the driver saw, a line each; it fails when the driver does."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is missing: apt-get install nodejs npm, then `make strangers`")
    if not (PACKAGES / package).is_dir():
        pytest.skip(f"the npm package {package} is not installed: `make strangers` installs it")
    for script in DRIVERS.glob("*.mjs"):
        shutil.copy(script, folder)
    (folder / "node_modules").symlink_to(PACKAGES)  # an ES module finds packages beside itself only
    with limner_sim("--bots", "1") as where:
        done = subprocess.run(
            [node, driver], cwd=folder, input=json.dumps(where), capture_output=True, text=True, timeout=PLAY_S_MAX
        )
    assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    return done.stdout.splitlines()


def test_discord_js_is_ready_talks_answers_commands_and_resumes(tmp_path: Path) -> None:
    saw = played("discordjs.mjs", "discord.js", tmp_path)
    assert sum(line.startswith("RESUME") for line in saw) == 3
    assert saw[-1] == "429 waited out"


def test_the_npm_client_midjourney_has_all_its_commands_done(tmp_path: Path) -> None:
    saw = played("midjourney.mjs", "midjourney", tmp_path)
    drawn = [line for line in saw if line.endswith("done)")]
    assert len(drawn) == 16
    assert saw[-1] == "an invalid parameter is an error"
