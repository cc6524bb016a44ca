"""Users: who uses most, and the page of one user with their jobs and keys."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.app import ComposeResult

from console.tui.columns import Column, Row
from console.tui.deeds import Deed, of_user
from console.tui.facts import Fact, Facts
from console.tui.jobs import JOB_COLUMNS, job_row
from console.tui.link import Answer, named, route
from console.tui.place import Place
from console.tui.view import View, rows_of
from console.tui.words import age, bar, clock, joined, line, number, signed

JOBS_MAX = 100
BAR_CHARS = 10


class Users(View):
    """See the module's docstring."""

    COLUMNS = (
        Column("user", 16, worth=99, grows=True, order="name"),
        Column("plan", 10, worth=4),
        Column("today", 12, right=True, worth=9, order="used"),
        Column("", BAR_CHARS, worth=2),
        Column("waiting", 8, right=True, worth=8),
        Column("drawing", 8, right=True, worth=7),
        Column("jobs", 9, right=True, worth=5, order="jobs"),
        Column("since", 9, right=True, worth=1),
        Column("", 9, worth=6),
    )
    ORDERS = ("used", "jobs", "name")
    EMPTY = "no users"
    KEYS = (("o", "order"),)

    @property
    def heading(self) -> str:
        order = {"used": "use today"}.get(self.order, self.order)
        return f"Users  {self.shown(order=order)}"

    def asks(self) -> dict[str, str]:
        return {"users": self._route()}

    def _route(self) -> str:
        return route("users", sort=self.order, filter=self.needle, limit=self.limit, before=self.before)

    def show(self, answers: Mapping[str, Answer]) -> None:
        if "users" in answers or self.missing:
            goes_on = answers.get("users", {}).get("next")
            self.fill(rows_of(answers, "users"), "name", self._row, next=goes_on)

    def _row(self, user: Mapping[str, Any]) -> Row:
        tone = "yellow" if user.get("banned") else ""
        cells = (
            *(
                line(user.get("name")),
                line(user.get("plan")),
                used_of(user),
                bar(user.get("used"), user.get("daily"), BAR_CHARS),
            ),
            *(number(user.get("waiting")), number(user.get("drawing")), number(user.get("jobs"))),
            *(age(user.get("created_at"), self.now()), signed(tone, "banned") if tone else ""),
        )
        return Row(str(user.get("name")), cells, tone)

    def deeds(self) -> tuple[Deed, ...]:
        return of_user(self.thing) if self.thing is not None else ()

    def leads_to(self, key: str) -> Place | None:
        return Place("user", key)


def used_of(user: Mapping[str, Any]) -> str:
    """37 of 100."""
    return f"{number(user.get('used'))} of {number(user.get('daily'))}"


class UserPage(View):
    """One user."""

    COLUMNS = JOB_COLUMNS
    EMPTY = "no jobs yet"
    CAN_FILTER = False
    user: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        self.facts = Facts()
        yield self.facts
        yield self.grid

    @property
    def heading(self) -> str:
        return f"User {self.place.of}"

    def asks(self) -> dict[str, str]:
        name = self.place.of
        return {"user": named("users", name), "jobs": route("jobs", user=name, limit=JOBS_MAX)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        self.user = user = answers.get("user") or self.user
        banned = bool(user.get("banned"))
        keys = rows_of({"user": user}, "user", "keys")
        self.facts.tell(
            [
                Fact("plan", line(user.get("plan"))),
                Fact("today", f"{used_of(user)} {bar(user.get('used'), user.get('daily'), BAR_CHARS)}"),
                Fact("standing", "▲ banned" if banned else "may draw", "yellow" if banned else ""),
                Fact("sockets", line(user.get("sockets"))),
                Fact("waiting", number(user.get("waiting"))),
                Fact("drawing", number(user.get("drawing"))),
                Fact("jobs", number(user.get("jobs"))),
                Fact("here for", age(user.get("created_at"), self.now())),
                Fact("keys", joined(_key(each) for each in keys), wide=True),
            ]
        )
        self.fill(rows_of(answers, "jobs"), "job", lambda job: job_row(job, self.now()))

    def deeds(self) -> tuple[Deed, ...]:
        return of_user(self.user) if self.user else ()

    def leads_to(self, key: str) -> Place | None:
        return Place("job", key)


def _key(key: Mapping[str, Any]) -> str:
    """A key by its id; the key itself nobody is shown."""
    gone = f" revoked {clock(key['revoked_at'])}" if key.get("revoked_at") else ""
    return f"{line(key.get('key'))} ({line(key.get('role'))}{gone})"
