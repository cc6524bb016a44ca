"""`limner admin`: the service as a whole, its hosts, its config, its database, and who did what."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, TextIO

import typer

from console.admin.asked import Asked, changing, group, path_of, reading, reading_group
from console.admin.completion import node_names
from console.admin.words import ago, seconds, size
from console.show import RED, YELLOW, Column, as_pairs, as_table, cell, styled

Limit = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many  [100]")]
BeforeId = Annotated[str | None, typer.Option("--before", help="Older than this: `next` of the page before.")]
Name = Annotated[str, typer.Argument(help="As `limner admin nodes` shows it.", autocompletion=node_names)]

config, node = group("The config in force.", invoke_without_command=True), group("Hosts of the service.")


def register(app: typer.Typer) -> None:
    """Adds these commands."""
    reading(app, "status")(status)
    reading(app, "nodes")(nodes)
    reading(app, "audit")(audit)
    changing(app, "backup")(backup)
    app.add_typer(node, name="node")
    app.add_typer(config, name="config")


def status(asked: Asked) -> None:
    """How the service does, at one glance; alarms first."""
    asked.show(lambda: asked.get("status"), _status)


def _status(told: dict[str, Any], out: TextIO) -> None:
    for alarm in told.get("alarms") or ():
        style = RED if alarm["level"] == "red" else YELLOW
        print(styled(f"{alarm['level'].upper()}  {cell(alarm['words'])}", style, out), file=out)
        print(f"     since {ago(alarm['since'])}, {cell(alarm['did'])}", file=out)
    shown = dict(_measured(name, value) for name, value in told.items() if name != "alarms")
    if isinstance(told.get("wait"), dict):
        shown["wait"] = dict(_measured(name, value) for name, value in told["wait"].items())
    as_pairs(shown, out)


def _measured(name: str, value: Any) -> tuple[str, Any]:
    """What has its unit in its name, in that unit as people say it."""
    if name.endswith("_s") and name != "per_s":
        return name.removesuffix("_s"), seconds(value)
    return (name.removesuffix("_bytes"), size(value)) if name.endswith("_bytes") else (name, value)


def nodes(asked: Asked) -> None:
    """The hosts of the service; a daemon alone is one."""
    asked.show(lambda: asked.get("nodes"), _nodes)


def _nodes(told: dict[str, Any], out: TextIO) -> None:
    titles = (
        "node",
        "roles",
        "state",
        Column("since", right=True),
        Column("actors", 2),
        Column("sockets", 2),
        "accounts",
        "version",
    )
    rows = [
        (
            *(each["node"], each["roles"], each["state"], ago(each["since"])),
            *(each[name] for name in ("actors", "sockets", "accounts", "version")),
        )
        for each in told["nodes"]
    ]
    as_table(titles, rows, out)


@changing(node, "drain")
def drain(asked: Asked, name: Name) -> None:
    """Let a host take nothing new, so that it can be stopped."""
    asked.change(f"Drain the node {name}?", f"nodes/{path_of(name)}/drain")


@changing(node, "resume")
def resume(asked: Asked, name: Name) -> None:
    """Let a drained host take new drawings again."""
    asked.change(f"Let the node {name} take new drawings again?", f"nodes/{path_of(name)}/resume")


def audit(asked: Asked, limit: Limit = None, before: BeforeId = None) -> None:
    """Who gave which instruction, and what came of it.

    The newest first; refusals too.
    """
    asked.show(lambda: asked.list("audit", "audit", limit, before), _audit)


def _audit(told: dict[str, Any], out: TextIO) -> None:
    titles = (Column("at", cut=False), "by", Column("role", 3), "what", "of", "outcome", Column("detail", 1, least=24))
    rows = [
        (
            *(each["at"][:19].replace("T", " "), each["by"], each["role"], _instruction(each)),
            *(each["of"], each["outcome"], each["detail"] or ""),
        )
        for each in told["audit"]
    ]
    as_table(titles, rows, out)
    more(told, out)


def _instruction(row: dict[str, Any]) -> str:
    return "backup" if row["noun"] == "backup" else f"{row['noun']} {row['verb']}"


def more(told: dict[str, Any], out: TextIO) -> None:
    """Whether there is another page, and how it is got."""
    if told.get("next") is not None:
        print(f"more: --before {told['next']}", file=out)


@reading_group(config)
def config_shown(asked: Asked) -> None:
    """The config as it is in force; secrets are not shown."""
    show_config(asked)


@reading(config, "show")
def show_config(asked: Asked) -> None:
    """The config as it is in force; secrets are not shown."""
    asked.show(lambda: asked.get("config"), _config)


def _config(told: dict[str, Any], out: TextIO) -> None:
    for name, value in told.items():
        tables = value if isinstance(value, list) and value and isinstance(value[0], dict) else [value]
        for table in tables:
            print(f"[{name}]" if table else f"[{name}] none", file=out)
            as_pairs({key: str(each) if type(each) is int else each for key, each in (table or {}).items()}, out)


@changing(config, "reload")
def reload(asked: Asked) -> None:
    """Read the config file again, and apply what can be applied without a restart."""
    asked.change("Read the config file again?", "config/reload")


def backup(
    asked: Asked, file: Annotated[Path, typer.Argument(help="Where to, on the daemon's host; absolute.")]
) -> None:
    """Copy the database, consistent, while the service runs."""
    asked.change(f"Copy the database to {file}?", "backup", file=str(file))
