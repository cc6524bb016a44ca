"""Instructions: what `limner admin` asks of a running daemon over HTTP (CONTRACT §6), and how answers are shown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from console.endings import FAILED, Quit
from console.progress import duration
from console.reach import Daemon, call
from console.show import as_json, as_pairs, as_table

BASE = "/admin/v1"
INDENT = "  "


def status(daemon: Daemon, to_json: bool) -> None:
    """How the service does. Raises Quit."""
    answer = call(daemon, "GET", f"{BASE}/status")
    as_json(answer) if to_json else as_pairs(answer)


def tree(daemon: Daemon, to_json: bool) -> None:
    """The actors, children below their supervisors. Raises Quit."""
    answer = call(daemon, "GET", f"{BASE}/tree")
    if to_json:
        as_json(answer)
        return
    rows = []
    for depth, actor in _below(None, answer["actors"], 0):
        uptime_s = actor["uptime_s"]
        rate = actor["handled"] / uptime_s if uptime_s else 0.0
        name = INDENT * depth + (actor["name"] or actor["address"])
        work = (actor["depth"], round(rate, 1), actor.get("restarts", 0), duration(uptime_s))
        rows.append((name, *work, actor.get("last_error") or ""))
    as_table(("actor", "mailbox", "msg/s", "restarts", "uptime", "last error"), rows)


def accounts(daemon: Daemon, to_json: bool) -> None:
    """The accounts; of one that is not up why, since when, and what ends it. Raises Quit."""
    answer = call(daemon, "GET", f"{BASE}/accounts")
    if to_json:
        as_json(answer)
        return
    rows = [
        (
            *(each["name"], each["state"], f"{each['busy']} of {each['slots']}"),
            *(each[about] or "" for about in ("since", "reason", "ends")),
        )
        for each in answer["accounts"]
    ]
    as_table(("account", "state", "busy", "since", "reason", "ends"), rows)


def _below(parent: str | None, actors: list[dict[str, Any]], depth: int) -> Iterator[tuple[int, dict[str, Any]]]:
    for actor in actors:
        if actor["parent"] == parent:
            yield depth, actor
            if actor["name"] is not None:
                yield from _below(actor["name"], actors, depth + 1)


def add_user(daemon: Daemon, name: str, plan: str | None, to_json: bool) -> None:
    """Prints the new user with the one key that is ever shown. Raises Quit."""
    _show(call(daemon, "POST", f"{BASE}/users", {"name": name, **({"plan": plan} if plan else {})}), to_json)


def new_key(daemon: Daemon, user: str, role: str, to_json: bool) -> None:
    """Prints the new key, once. Raises Quit."""
    _show(call(daemon, "POST", f"{BASE}/keys/{quote(user, safe='')}/new", {"role": role}), to_json)


def restart_actor(daemon: Daemon, name: str, to_json: bool) -> None:
    """The actor dies as if by a fault; its supervisor starts it again. Raises Quit."""
    _changed(call(daemon, "POST", f"{BASE}/actors/{quote(name)}/restart", {}), to_json)


def suspend_account(daemon: Daemon, name: str, reason: str | None, to_json: bool) -> None:
    """The account gets no new work, also after a restart, until it is resumed. Raises Quit."""
    arguments = {"reason": reason} if reason else {}
    _changed(call(daemon, "POST", f"{BASE}/accounts/{quote(name, safe='')}/suspend", arguments), to_json)


def resume_account(daemon: Daemon, name: str, to_json: bool) -> None:
    """The account gets work again, whatever it was suspended for. Raises Quit."""
    _changed(call(daemon, "POST", f"{BASE}/accounts/{quote(name, safe='')}/resume", {}), to_json)


def _show(answer: Mapping[str, Any], to_json: bool) -> None:
    as_json(answer) if to_json else as_pairs(answer)


def _changed(answer: Mapping[str, Any], to_json: bool) -> None:
    _show(answer, to_json)
    if not answer.get("ok"):
        raise Quit(FAILED, "it did not happen")
