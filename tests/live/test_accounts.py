"""The operator sees the accounts of a running daemon, takes one out of work and gives it work again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.daemon import Daemon, ask, eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    """A demo of the test's own."""
    running = Daemon(tmp_path, sim_seconds=1.0)
    yield running.start()
    running.stop()


def accounts(daemon: Daemon) -> dict[str, tuple[str, str | None]]:
    """State and reason, by name."""
    shown = daemon.limner("admin", "accounts", "-o", "json")
    assert shown.returncode == 0, shown.stderr
    return {each["name"]: (each["state"], each["reason"]) for each in json.loads(shown.stdout)["accounts"]}


def change(daemon: Daemon, *words: str) -> Any:
    changed = daemon.limner("admin", "account", *words, "-o", "json", "--yes")
    assert changed.returncode == 0, changed.stderr
    return json.loads(changed.stdout)


def test_an_account_that_the_operator_suspends_draws_nothing_after_kill_9_until_it_is_resumed(daemon: Daemon) -> None:
    eventually(lambda: {state for state, _ in accounts(daemon).values()} == {"up"}, "all are up")
    idle, *others = accounts(daemon)
    assert others
    assert change(daemon, "suspend", idle, "--reason", "holiday") == {"ok": True, "changed": True}
    assert change(daemon, "suspend", idle) == {"ok": True, "changed": False}
    daemon.kill()
    daemon.start()
    state, reason = accounts(daemon)[idle]
    assert state == "suspended"
    assert reason is not None
    assert reason.endswith("holiday")
    status, shown = ask(f"{daemon.url}/admin/v1/accounts/{idle}", daemon.admin_key)
    assert (status, shown["name"], shown["state"], shown["cause"]) == (200, idle, "suspended", "operator")
    assert (shown["reason"], shown["ends"], shown["holding"]) == (reason, "`account resume`", [])
    assert shown["since"].endswith("Z")
    for number in range(3):
        daemon.await_status(daemon.submit(f"a beach, number {number}"), "done")
    assert {row["account"] for row in daemon.ledger()} <= set(others)
    assert change(daemon, "resume", idle) == {"ok": True, "changed": True}
    assert change(daemon, "resume", idle) == {"ok": True, "changed": False}
    eventually(lambda: accounts(daemon)[idle] == ("up", None), "it is up again")


def test_what_cannot_be_done_to_an_account_is_not_done(daemon: Daemon) -> None:
    before = accounts(daemon)
    unknown = daemon.limner("admin", "account", "resume", "nobody", "--yes")
    assert unknown.returncode == 3
    assert "not_found" in unknown.stderr
    asked = daemon.limner("admin", "account", "suspend", next(iter(before)))
    assert asked.returncode == 2
    assert "--yes" in asked.stderr
    status, refused = ask(f"{daemon.url}/admin/v1/accounts/{next(iter(before))}/suspend", daemon.key, {})
    assert (status, refused["code"]) == (403, "forbidden")
    assert ask(f"{daemon.url}/admin/v1/accounts/nobody", daemon.admin_key)[0] == 404
    assert "suspended" not in {state for state, _ in accounts(daemon).values()}
