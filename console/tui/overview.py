"""The overview: what is wrong, in words and first; then how the service does, with charts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult

from console.tui.charts import Charts, Figure
from console.tui.columns import Column, Row
from console.tui.deeds import Deed, of_queue
from console.tui.facts import Fact, Facts
from console.tui.history import History
from console.tui.link import Answer, route
from console.tui.place import Place
from console.tui.troubles import Trouble, troubles_of
from console.tui.view import View, rows_of
from console.tui.words import SIGNS, age, bar, joined, number, plural, size, span, spark

#: Of accounts that are not up, the gravest first.
DOWN = ("paused", "exhausted", "suspended", "degraded")
#: What is let in, where the daemon's word for it needs one more.
INTAKE = {"paused": "open; the queue is paused"}
#: Of the actors restarted most, and of those with the fullest mailboxes, so many are looked at for trouble.
LOOKED_AT = 20
SPARK_CHARS = 16
BAR_CHARS = 12
#: Of a screen of so many lines, and of those more than that, charts take this many at most.
CHARTS_FROM_LINES, CHART_LINES_MAX = 18, 12
#: Room for so many troubles stays beside the charts; more of them take it.
TROUBLES_BESIDE = 4


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
        self.answers: Mapping[str, Answer] | None = None
        self.facts, self.charts = Facts(), Charts()
        yield self.grid
        yield self.below
        yield self.charts
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
        self.answers = answers
        self._write()

    def tell(self, status: Mapping[str, Any]) -> None:
        """Another status, which comes by itself."""
        self.status = status
        self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        if self.answers is not None:
            self._write_troubles(self.answers)
        if self.status:
            self._lay_out()
            self.facts.tell(self._figures())
            self.charts.tell(self._courses())

    def _write_troubles(self, answers: Mapping[str, Answer]) -> None:
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
        self.write_below()

    def _lay_out(self) -> None:
        """Charts take the room that troubles leave; what is wrong comes first."""
        height = self.size.height
        room = height - CHARTS_FROM_LINES + 6
        lines = min(CHART_LINES_MAX, room) if height >= CHARTS_FROM_LINES else 0
        if len(self.troubles) > TROUBLES_BESIDE + max(0, room - lines):
            lines = 0
        self.charts.styles.height = lines
        self.charts.display = lines > 0

    def _courses(self) -> list[Figure]:
        """What the charts show."""
        jobs, wait = (self.status.get(name) or {} for name in ("jobs", "wait"))
        return [
            Figure("jobs/s", number(jobs.get("per_s")), number, self.history.per_s),
            Figure("queue", number(jobs.get("queued")), _whole, self.history.queued),
            Figure("wait p50", span(wait.get("p50_s")), span, self.history.wait),
        ]

    def _figures(self) -> list[Fact]:
        status = self.status
        jobs, wait, tokens, accounts = (status.get(name) or {} for name in ("jobs", "wait", "tokens", "accounts"))
        waited = f"p50 {span(wait.get('p50_s'))}  p99 {span(wait.get('p99_s'))}"
        places = f"{number(tokens.get('busy'))} of {number(tokens.get('slots'))}"
        down = [f"{many} {name}" for name in DOWN if (many := accounts.get(name))]
        standing = joined((f"{number(accounts.get('up'))} of {sum(many or 0 for many in accounts.values())} up", *down))
        failed = jobs.get("failed_today")
        lag = spark(self.history.lag.last(SPARK_CHARS), SPARK_CHARS)
        return [
            *([] if self.charts.display else self._sparks(jobs)),
            Fact("tokens", f"{places:<12} {bar(tokens.get('busy'), tokens.get('slots'), BAR_CHARS)}"),
            Fact("drawing", number(jobs.get("drawing"))),
            Fact("loop lag", f"{_ms(status.get('loop_lag_s')):<8}{lag}"),
            Fact("wait", waited),
            Fact("accounts", standing),
            Fact("today", f"{number(jobs.get('done_today'))} done · {number(failed)} failed"),
            Fact("users", f"{number(status.get('users'))} · {plural(status.get('sockets'), 'socket')}"),
            Fact("actors", f"{number(status.get('actors'))} · {plural(status.get('restarts'), 'restart')}"),
            Fact("memory", size(status.get("memory_bytes"))),
            Fact("disk free", size(status.get("disk_free_bytes"))),
            Fact("commit", _ms(status.get("commit_s"))),
            Fact("intake", INTAKE.get(str(status.get("intake")), str(status.get("intake") or "-"))),
        ]

    def _sparks(self, jobs: Mapping[str, Any]) -> list[Fact]:
        """In place of charts that have no room."""
        per_s, queued = self.history.per_s.last(SPARK_CHARS), self.history.queued.last(SPARK_CHARS)
        return [
            Fact("jobs/s", f"{number(jobs.get('per_s')):<8}{spark(per_s, SPARK_CHARS)}"),
            Fact("queue", f"{number(jobs.get('queued')):<8}{spark(queued, SPARK_CHARS)}"),
        ]

    def words_of(self, key: str) -> str:
        trouble = self.troubles.get(key)
        leads = trouble is not None and trouble.place != self.place
        where = f"Enter leads to {trouble.place.kind} {trouble.place.of}".rstrip() if trouble and leads else ""
        return joined((trouble.words, trouble.did, where), " → ") if trouble is not None else ""

    def deeds(self) -> tuple[Deed, ...]:
        return of_queue(self.status)

    def leads_to(self, key: str) -> Place | None:
        trouble = self.troubles.get(key)
        return trouble.place if trouble is not None else None


def _ms(seconds: Any) -> str:
    return f"{number(seconds * 1000)} ms" if isinstance(seconds, int | float) else "-"


def _whole(value: float) -> str:
    return number(round(value))
