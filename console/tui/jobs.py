"""Jobs: the newest first, by state, user or account; and the page of one job with its timeline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.tui.columns import Column, Row
from console.tui.deeds import ENDED, Deed, of_job
from console.tui.facts import Fact, Facts
from console.tui.link import Answer, named, route
from console.tui.place import Place
from console.tui.view import View, rows_of
from console.tui.words import FATES, SIGNS, age, bar, clock, joined, line, moment, number, span

#: What `f` goes through; the daemon's words for states (docs/API.md) are taken after `state:` too.
STATES = ("", "queued", "drawing", "failed", "undecided", "done")
ASKED_BY = ("user", "state", "account")
BAR_CHARS = 20

JOB_COLUMNS = (
    Column("job", 20, worth=99),
    Column("user", 10, worth=8),
    Column("state", 11, worth=9),
    Column("%", 4, right=True, worth=7),
    Column("account", 10, worth=6),
    Column("try", 3, right=True, worth=2),
    Column("age", 7, right=True, worth=5),
    Column("prompt", 12, worth=4, grows=True),
)


def job_row(job: Mapping[str, Any], now: float) -> Row:
    """A job as a row of JOB_COLUMNS."""
    status = str(job.get("status") or "")
    tone = FATES.get(status, "")
    place = job.get("position")
    state = f"place {number(place)}" if status == "queued" and place is not None else status
    told = f"{job['code']}: " if job.get("code") else ""
    cells = (
        *(line(job.get("job")), line(job.get("name") or job.get("user"))),
        *(f"{SIGNS[tone]} {state}".strip(), number(job.get("percent")) if status not in ENDED else ""),
        *(line(job.get("account") or ""), number(job.get("attempt")), age(job.get("created_at"), now)),
        told + line(job.get("prompt") or ""),
    )
    return Row(str(job.get("job")), cells, tone or ("dim" if status in ("done", "cancelled") else ""))


class Jobs(View):
    """See the module's docstring."""

    COLUMNS = JOB_COLUMNS
    EMPTY = "no jobs"
    KEYS = (("f", "state"),)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "state", show=False)]
    state = ""

    @property
    def heading(self) -> str:
        state = f"state {self.state}" if self.state else "newest first"
        return f"Jobs  {self.shown()}  {state}"

    def asks(self) -> dict[str, str]:
        return {"jobs": route("jobs", limit=self.limit, before=self.before, **self._query())}

    def _query(self) -> dict[str, str]:
        """The needle as the daemon takes it: `user:ana state:failed`; a bare word is a state, or else a user."""
        query = {"state": self.state}
        for word in self.needle.split():
            by, _, value = word.partition(":")
            if by in ASKED_BY:
                query[by] = value
            else:
                query["state" if word in STATES else "user"] = word
        return query

    def show(self, answers: Mapping[str, Answer]) -> None:
        if "jobs" in answers:
            goes_on = answers["jobs"].get("next")
            self.fill(rows_of(answers, "jobs"), "job", lambda job: job_row(job, self.now()), next=goes_on)
        elif self.missing:
            self.fill((), "job", lambda job: job_row(job, self.now()))

    def action_state(self) -> None:
        """The next state alone, and at the end all again."""
        self.state = STATES[(STATES.index(self.state) + 1) % len(STATES)]
        self.begin_anew()

    def deeds(self) -> tuple[Deed, ...]:
        return of_job(self.thing) if self.thing is not None else ()

    def words_of(self, key: str) -> str:
        job = self.things.get(key, {})
        return joined((line(job.get("code") or ""), line(job.get("mode") or ""), line(job.get("prompt") or "")))

    def leads_to(self, key: str) -> Place | None:
        return Place("job", key)


class JobPage(View):
    """One job: what became of it, moment by moment."""

    COLUMNS = (
        Column("at", 12, worth=9),
        Column("after", 7, right=True, worth=5),
        Column("what", 16, worth=8),
        Column("by", 16, worth=6),
        Column("detail", 12, worth=7, grows=True),
    )
    EMPTY = "nothing is known of it yet"
    KEYS = (("f", "follow"), ("u", "user"), ("a", "account"))
    CAN_FILTER = False
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f", "follow", show=False),
        Binding("u", "whose('user')", show=False),
        Binding("a", "whose('account')", show=False),
    ]
    job: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        self.facts = Facts()
        self.grid.tails = True
        yield self.facts
        yield self.grid

    @property
    def heading(self) -> str:
        return f"Job {self.place.of}{'  following' if self.grid.tails and self.job.get('status') not in ENDED else ''}"

    def asks(self) -> dict[str, str]:
        return {"job": named("jobs", self.place.of)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        self.job = job = answers.get("job") or self.job
        status, tone = str(job.get("status") or ""), FATES.get(str(job.get("status")), "")
        percent = job.get("percent") if status not in ENDED else None
        drawn = f"{bar(percent, 100, BAR_CHARS)} {percent} %" if isinstance(percent, int | float) else ""
        began, ended = moment(job.get("created_at")), moment(job.get("finished_at"))
        self.facts.tell(
            [
                Fact("state", joined((f"{SIGNS[tone]} {status}".strip(), str(job.get("code") or ""))), tone),
                Fact("user", line(job.get("name") or job.get("user"))),
                Fact("place", number(job.get("position")) if status == "queued" else ""),
                Fact("account", line(job.get("account"))),
                Fact("kind", joined((line(job.get("kind") or ""), line(job.get("mode") or "")))),
                Fact("taken", f"{age(began, self.now())} ago" if began else ""),
                Fact("took", span(ended - began) if began and ended else ""),
                Fact("drawn", drawn),
                Fact("prompt", line(job.get("prompt") or ""), wide=True),
                *(
                    Fact(f"attempt {line(each.get('attempt'))}", _attempt(each), wide=True)
                    for each in _list(job, "attempts")
                ),
            ]
        )
        self.grid.fill(timeline_of(job))

    def deeds(self) -> tuple[Deed, ...]:
        return of_job(self.job) if self.job else ()

    def action_follow(self) -> None:
        """Stays at the end of the timeline as it grows, or where it is."""
        self.grid.tails = not self.grid.tails
        if self.grid.tails:
            self.grid.action_move(len(self.grid.rows))
        self.post_message(self.Changed())

    def action_whose(self, kind: str) -> None:
        """Whose job it is, or who draws it."""
        name = self.job.get("name") or self.job.get("user") if kind == "user" else self.job.get("account")
        if name:
            self.post_message(self.Goes(Place(kind, str(name))))


def _list(job: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    return rows_of({name: job}, name)


def _attempt(attempt: Mapping[str, Any]) -> str:
    """Who tried, what came of it, and by which ids Discord knows it."""
    ids = (
        f"{said} {attempt[name]}" for name, said in (("nonce", "nonce"), ("message_id", "message")) if attempt.get(name)
    )
    return joined((line(attempt.get("account") or ""), line(attempt.get("outcome") or "under way"), *ids))


def timeline_of(job: Mapping[str, Any]) -> list[Row]:
    """The job's way, oldest first: its timeline, or the states it went through when nothing finer is known."""
    steps = _list(job, "timeline") or [
        {"at": each.get("at"), "what": each.get("state")} for each in _list(job, "history")
    ]
    steps = sorted(steps, key=lambda step: moment(step.get("at")) or 0.0)
    began = moment(steps[0].get("at")) if steps else None
    rows = []
    for number_, step in enumerate(steps):
        at = moment(step.get("at"))
        after = f"+{span(at - began)}" if at is not None and began is not None else ""
        tone = FATES.get(str(step.get("what")), "")
        cells = (
            clock(at, fine=True),
            after,
            line(step.get("what")),
            line(step.get("by") or ""),
            line(step.get("detail") or ""),
        )
        rows.append(Row(str(number_), cells, tone))
    return rows
