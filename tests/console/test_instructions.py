"""What `limner admin` prints of the daemon's answers."""

from __future__ import annotations

from typing import Any

import pytest

from console import instructions
from console.reach import Daemon

DAEMON = Daemon("http://127.0.0.1:1", "key")


def an_actor(name: str, parent: str | None, **stats: Any) -> dict[str, Any]:
    row = {"name": name, "address": "/0", "parent": parent, "depth": 0, "handled": 20, "uptime_s": 10.0}
    return row | {"restarts": 0, "last_error": None} | stats


def test_the_tree_shows_how_often_each_actor_was_started_again(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fox = an_actor("account/fox", "root", restarts=7, last_error="Killed: restarted by ada", depth=3)
    actors = [an_actor("root", None), fox]
    monkeypatch.setattr(instructions, "call", lambda *request: {"actors": actors})
    instructions.tree(DAEMON, to_json=False)
    head, *rows = (line for line in capsys.readouterr().out.splitlines() if line.strip(" ─━-"))
    columns = ["actor", "mailbox", "msg/s", "restarts", "uptime", "last error"]
    assert [head.find(column) for column in columns] == sorted(head.find(column) for column in columns)
    assert all(column in head for column in columns)
    shown = next(row for row in rows if "account/fox" in row)
    assert shown.split()[:4] == ["account/fox", "3", "2", "7"]
    assert "Killed" in shown
