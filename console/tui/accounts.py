"""Accounts: health, cause and what ends it, places and speed; and the page of one account with what it draws."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.tui.columns import Column, Row
from console.tui.deeds import ENDED, Deed, of_account
from console.tui.facts import Fact, Facts
from console.tui.jobs import JOB_COLUMNS, job_row
from console.tui.link import Answer, named, route
from console.tui.place import Place
from console.tui.view import View, rows_of
from console.tui.words import age, clock, joined, line, matches, number, signed, span, tone_of

GRAVITY = {"red": 0, "yellow": 1, "": 2}
HOLDING_MAX = 100


def state_of(account: Mapping[str, Any]) -> str:
    """Its state with its sign."""
    draining = account.get("draining") and account.get("state") == "up"
    return signed(tone_of(account), "draining" if draining else line(account.get("state")))


class Accounts(View):
    """See the module's docstring. All of them are asked for: they are some hundreds at most."""

    COLUMNS = (
        Column("account", 14, worth=99, order="name"),
        Column("health", 12, worth=98, order="health"),
        Column("busy", 7, right=True, worth=9, order="busy"),
        Column("pace", 4, right=True, worth=3),
        Column("takes", 7, right=True, worth=8, order="slowest"),
        Column("done", 6, right=True, worth=5, order="done"),
        Column("failed", 6, right=True, worth=7, order="failed"),
        Column("429", 5, right=True, worth=6, order="429"),
        Column("since", 8, right=True, worth=4),
        Column("why, and what ends it", 12, worth=4, grows=True),
    )
    ORDERS = ("health", "name", "slowest", "busy", "done", "failed", "429")
    KEYS = (("o", "order"),)
    rows: tuple[Mapping[str, Any], ...] = ()

    @property
    def heading(self) -> str:
        return f"Accounts  {self.shown(len(self.rows), self.order)}  (figures of the last hour)"

    def asks(self) -> dict[str, str]:
        return {"accounts": "accounts"}

    def show(self, answers: Mapping[str, Answer]) -> None:
        if "accounts" in answers:
            self.rows = tuple(rows_of(answers, "accounts"))
        self.refilter()

    def refilter(self) -> None:
        kept = [
            each
            for each in self.rows
            if matches(self.needle, *(each.get(name) for name in ("name", "state", "cause", "reason")))
        ]
        self.fill(sorted(kept, key=self._ordering), "name", self._row)
        self.post_message(self.Changed())

    def _ordering(self, account: Mapping[str, Any]) -> tuple[Any, ...]:
        field = {"slowest": "seconds", "429": "limited"}.get(self.order, self.order)
        name = str(account.get("name"))
        if self.order == "name":
            return (name,)
        if self.order == "health":
            return (GRAVITY[tone_of(account)], name)
        value = account.get(field)
        return (-value if isinstance(value, int | float) else 1, name)

    def _row(self, account: Mapping[str, Any]) -> Row:
        tone, why = tone_of(account), _why(account)
        busy = f"{number(account.get('busy'))}/{number(account.get('slots'))}"
        cells = (
            *(line(account.get("name")), state_of(account), busy, number(account.get("pace"))),
            *(span(account.get("seconds")), number(account.get("done")), number(account.get("failed"))),
            *(
                number(account.get("limited")),
                age(account.get("since"), self.now()) if tone else "",
                why if tone else "",
            ),
        )
        return Row(str(account.get("name")), cells, tone)

    def words_of(self, key: str) -> str:
        account = self.things.get(key, {})
        if not tone_of(account):
            return ""
        return f"{key} {state_of(account)} since {clock(account.get('since'))}: {_why(account)}"

    def deeds(self) -> tuple[Deed, ...]:
        return of_account(self.thing) if self.thing is not None else ()

    def leads_to(self, key: str) -> Place | None:
        return Place("account", key)


def _why(account: Mapping[str, Any]) -> str:
    """Why it is not up, and what ends that."""
    return joined((line(account.get(name)) if account.get(name) else "" for name in ("reason", "ends")), " → ")


class AccountPage(View):
    """One account: why it is as it is, and the drawings that it holds."""

    COLUMNS = JOB_COLUMNS
    EMPTY = "it has drawn nothing yet"
    KEYS = (("e", "events"),)
    CAN_FILTER = False
    BINDINGS: ClassVar[list[BindingType]] = [Binding("e", "events", show=False)]
    account: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        self.facts = Facts()
        yield self.facts
        yield self.grid

    @property
    def heading(self) -> str:
        return f"Account {self.place.of}"

    def asks(self) -> dict[str, str]:
        name = self.place.of
        return {"account": named("accounts", name), "jobs": route("jobs", account=name, limit=HOLDING_MAX)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        self.account = account = answers.get("account") or self.account
        tone, paced = tone_of(account), account.get("pace")
        self.facts.tell(
            [
                Fact("health", state_of(account) if account else "", tone),
                Fact("since", f"{age(account.get('since'), self.now())} ago" if account.get("since") else ""),
                Fact("why", line(account.get("reason") or account.get("cause")) if tone else "", tone, wide=True),
                Fact("ends it", line(account.get("ends")) if tone else "", wide=True),
                Fact("places", f"{number(account.get('busy'))} busy of {number(account.get('slots'))}"),
                Fact("pace", f"{number(paced)} at once" if paced is not None else ""),
                Fact("a drawing", f"takes {span(account['seconds'])}" if account.get("seconds") is not None else ""),
                Fact("last hour", joined(f"{number(account.get(each))} {each}" for each in ("done", "failed"))),
                Fact("429", f"{number(account.get('limited'))} in the last hour" if account.get("limited") else ""),
                Fact("driver", line(account.get("driver"))),
                Fact("modes", line(account.get("modes"))),
                Fact("weight", line(account.get("weight"))),
                Fact("reconnects", number(account.get("reconnects"))),
            ]
        )
        jobs = sorted(rows_of(answers, "jobs"), key=lambda job: job.get("status") in ENDED)  # what it holds first
        self.fill(jobs, "job", lambda job: job_row(job, self.now()))

    def deeds(self) -> tuple[Deed, ...]:
        return of_account(self.account) if self.account else ()

    def leads_to(self, key: str) -> Place | None:
        return Place("job", key)

    def action_events(self) -> None:
        """What the log has of it."""
        self.post_message(self.Goes(Place("events", needle=self.place.of)))
