"""Found: what bears a name or id: jobs, accounts, users, actors. What is exactly meant is gone to at once."""

from __future__ import annotations

from collections.abc import Mapping

from console.tui.columns import Column, Row
from console.tui.link import Answer, Refused, named, route
from console.tui.place import Place
from console.tui.view import View, rows_of
from console.tui.words import joined, line, matches, number

EACH_MAX = 30


class Found(View):
    """See the module's docstring. `place.of` is what is looked for."""

    COLUMNS = (
        Column("is", 8, worth=8),
        Column("name", 24, worth=9, grows=True),
        Column("", 24, worth=5, grows=True),
    )
    EMPTY = "no job, account, user or actor is called so"
    CAN_FILTER = False

    @property
    def heading(self) -> str:
        return f"Found  {len(self.grid.rows)} for {self.place.of}"

    def asks(self) -> dict[str, str]:
        wanted = self.place.of
        return {
            "job": named("jobs", wanted),
            "accounts": "accounts",
            "users": route("users", filter=wanted, limit=EACH_MAX),
            "actors": route("tree", filter=wanted, limit=EACH_MAX),
        }

    def take(self, answers: Mapping[str, Answer], refusals: Mapping[str, Refused]) -> None:
        """That there is no such job is no trouble."""
        super().take(answers, {name: refused for name, refused in refusals.items() if name != "job"})

    def show(self, answers: Mapping[str, Answer]) -> None:
        found = self._places(answers)
        exact = [place for place in found if place.of == self.place.of]
        if len(exact) == 1:
            self.post_message(self.Goes(exact[0], instead=True))
        self.grid.fill([Row(f"{place.kind} {place.of}", (place.kind, place.of, told)) for place, told in found.items()])

    def _places(self, answers: Mapping[str, Answer]) -> dict[Place, str]:
        """Each with what tells it from others."""
        wanted, found = self.place.of, {}
        if answers.get("job", {}).get("job"):
            job = answers["job"]
            found[Place("job", str(job["job"]))] = joined(
                (line(job.get("status")), line(job.get("name") or job.get("user")))
            )
        for account in rows_of(answers, "accounts"):
            if matches(wanted, account.get("name")):
                found[Place("account", str(account["name"]))] = line(account.get("state"))
        for user in rows_of(answers, "users"):
            found[Place("user", str(user.get("name")))] = joined(
                (line(user.get("plan")), f"{number(user.get('jobs'))} jobs")
            )
        for actor in rows_of(answers, "actors"):
            if actor.get("name"):
                found[Place("actor", str(actor["name"]))] = line(actor.get("kind"))
        return found

    def leads_to(self, key: str) -> Place | None:
        kind, _, of = key.partition(" ")
        return Place(kind, of)
