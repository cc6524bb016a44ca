"""Events: the tail of the log, by level and by words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.tui.columns import Column, Row
from console.tui.link import Answer, route
from console.tui.place import Place
from console.tui.view import ASKING, View, rows_of
from console.tui.words import SIGNS, clock, joined, line

#: What is kept here of what came; the daemon keeps 2,000 lines (docs/ADMIN.md).
KEPT_MAX = 2000
ASKED_MAX = 500
LEVELS = ("info", "warning", "error", "debug")
#: Which module says it: nothing that an operator acts on.
LOGGER = "logger"
TONES = {"warning": "yellow", "error": "red", "critical": "red"}
#: Fields that lead somewhere, the most telling first.
LEADS = (("job", "job"), ("job_id", "job"), ("account", "account"), ("account_id", "account"), ("user", "user"))


class Events(View):
    """See the module's docstring."""

    COLUMNS = (
        Column("at", 8, worth=9),
        Column("", 1, worth=8),
        Column("actor", 16, worth=5),
        Column("event", 24, worth=7, grows=True),
        Column("fields", 12, worth=4, grows=True),
    )
    EMPTY = "nothing has happened at this level"
    KEYS = (("f", "level"), ("End", "follow"))
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f", "level", show=False)]
    level = LEVELS[0]
    last: Any = None

    def compose(self) -> ComposeResult:
        self.kept: dict[str, Mapping[str, Any]] = {}
        self.grid.tails = True
        yield self.grid
        yield self.below

    @property
    def heading(self) -> str:
        follows = "following" if self.grid.cursor >= len(self.grid.rows) - 1 else "End follows"
        return f"Events  {self.shown()}  {self.level} and graver · {follows}"

    def asks(self) -> dict[str, str]:
        return {"events": route("events", after=self.last, limit=ASKED_MAX, level=self.level, filter=self.needle)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        answer = answers.get("events")
        if answer is None:
            return
        self.last = answer.get("next") if answer.get("next") is not None else self.last
        self.kept |= {str(each.get("id")): each for each in rows_of(answers, "events")}
        for old in list(self.kept)[: max(0, len(self.kept) - KEPT_MAX)]:
            del self.kept[old]
        self.fill(list(self.kept.values()), "id", _row)

    def refilter(self) -> None:
        self.kept, self.last = {}, None
        self.grid.empty = ASKING
        self.grid.fill(())
        super().refilter()

    def action_level(self) -> None:
        """The next level as the least that is shown."""
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self.refilter()

    def words_of(self, key: str) -> str:
        event = self.things.get(key, {})
        return joined((line(event.get("level")), line(event.get("event")), _fields(event)), "  ")

    def leads_to(self, key: str) -> Place | None:
        event = self.things.get(key, {})
        fields = event.get("fields")
        if isinstance(fields, Mapping):
            for field, kind in LEADS:
                if fields.get(field):
                    return Place(kind, str(fields[field]))
        return Place("actor", str(event["actor"])) if event.get("actor") else None


def _row(event: Mapping[str, Any]) -> Row:
    """An event as a row."""
    tone = TONES.get(str(event.get("level")), "")
    sign, actor = SIGNS[tone].strip(), line(event.get("actor") or "")
    cells = (clock(event.get("at")), sign, actor, line(event.get("event")), _fields(event))
    return Row(str(event.get("id")), cells, tone)


def _fields(event: Mapping[str, Any]) -> str:
    fields = event.get("fields")
    if not isinstance(fields, Mapping):
        return ""
    return "  ".join(
        f"{name}={_plain(value)}" for name, value in fields.items() if name != LOGGER and value is not None
    )


def _plain(value: Any) -> str:
    """As the log has it: a number here may be an id."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else line(value)
