"""The overview: what is wrong, in words and first; then how the service does, with sparklines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult

from console.tui.columns import Column, Row
from console.tui.deeds import Deed, of_queue
from console.tui.facts import Fact, Facts
from console.tui.header import History
from console.tui.link import Answer, route
from console.tui.place import Place
from console.tui.troubles import Trouble, troubles_of
from console.tui.view import View, rows_of
from console.tui.words import (
    SIGNS,
    age,
    bar,
    joined,
    number,
    size,
    span,
    spark,
)

#: Of the actors restarted most, and of those with the fullest mailboxes, so many are looked at for trouble.
LOOKED_AT = 20
CHART_CHARS = 24
BAR_CHARS = 12


class Overview(View):
    """See the module's docstring. `history` is the app's, which fills it."""

    COLUMNS = (
        Column("what is wrong", 30, grows=True, worth=9),
        Column("since", 7, right=True, worth=5),
    )
    EMPTY = "nothing is wrong"
    CAN_FILTER = False

    history = History()
    status: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        self.troubles: dict[str, Trouble] = {}
        self.facts = Facts()
        yield self.grid
        yield self.below
        yield self.facts

    @property
    def heading(self) -> str:
        status = self.status
        running = joined(
            (f"up {span(status.get('up_s'))}", str(status.get("version") or ""), str(status.get("node") or ""))
        )
        return f"Overview  {running}" if status else "Overview"

    def asks(self) -> dict[str, str]:
        return {
            "accounts": "accounts",
            "restarted": route("tree", sort="restarts", limit=LOOKED_AT),
            "behind": route("tree", sort="depth", limit=LOOKED_AT),
        }

    def show(self, answers: Mapping[str, Answer]) -> None:
        actors = {
            str(each.get("name")): each for name in ("restarted", "behind") for each in rows_of(answers, name, "actors")
        }
        found = troubles_of(self.status, rows_of(answers, "accounts"), actors.values(), self.now())
        self.troubles = {each.key: each for each in found}
        rows = []
        for trouble in self.troubles.values():
            cells = (f"{SIGNS[trouble.tone]} {trouble.words}", age(trouble.since, self.now()))
            rows.append(Row(trouble.key, cells, trouble.tone))
        self.grid.fill(rows)
        self.facts.tell(self._figures())

    def _figures(self) -> list[Fact]:
        status, history = self.status, self.history
        jobs, wait, tokens, accounts = (status.get(name) or {} for name in ("jobs", "wait", "tokens", "accounts"))
        per_s, waited = number(jobs.get("per_s")), f"p50 {span(wait.get('p50_s'))}  p99 {span(wait.get('p99_s'))}"
        places = f"{number(tokens.get('busy'))} of {number(tokens.get('slots'))}"
        down = {name: accounts.get(name) for name in ("degraded", "paused", "exhausted", "suspended")}
        standing = joined(
            (f"{number(accounts.get('up'))} up", *(f"{many} {name}" for name, many in down.items() if many))
        )
        failed = jobs.get("failed_today")
        return [
            Fact("jobs/s", f"{per_s:<8}{spark(history.per_s, CHART_CHARS)}"),
            Fact("tokens", f"{places:<12} {bar(tokens.get('busy'), tokens.get('slots'), BAR_CHARS)}"),
            Fact("queue", f"{number(jobs.get('queued')):<8}{spark(history.queued, CHART_CHARS)}"),
            Fact("drawing", number(jobs.get("drawing"))),
            Fact("loop lag", f"{_ms(status.get('loop_lag_s')):<8}{spark(history.lag, CHART_CHARS)}"),
            Fact("wait", waited),
            Fact("accounts", standing),
            Fact("today", f"{number(jobs.get('done_today'))} done · {number(failed)} failed"),
            Fact("people", f"{number(status.get('users'))} users · {number(status.get('sockets'))} sockets"),
            Fact("actors", f"{number(status.get('actors'))} · {number(status.get('restarts'))} restarts"),
            Fact("memory", size(status.get("memory_bytes"))),
            Fact("disk free", size(status.get("disk_free_bytes"))),
            Fact("commit", _ms(status.get("commit_s"))),
            Fact("intake", str(status.get("intake") or "-")),
        ]

    def words_of(self, key: str) -> str:
        trouble = self.troubles.get(key)
        where = f"Enter leads to {trouble.place.kind} {trouble.place.of}".rstrip() if trouble else ""
        return joined((trouble.words, trouble.did, where), " → ") if trouble is not None else ""

    def deeds(self) -> tuple[Deed, ...]:
        return of_queue(self.status)

    def leads_to(self, key: str) -> Place | None:
        trouble = self.troubles.get(key)
        return trouble.place if trouble is not None else None


def _ms(seconds: Any) -> str:
    return f"{number(seconds * 1000)} ms" if isinstance(seconds, int | float) else "-"
