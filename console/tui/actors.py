"""Actors: the tree, a branch at a time, or a list by mailbox, rate, restarts …; and the page of one actor.

Of ten thousand actors only what is seen is asked for: the children of open branches, or the first of a list.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.tui.columns import Column, Row
from console.tui.deeds import Deed, of_actor
from console.tui.facts import Fact, Facts
from console.tui.link import Answer, named, route
from console.tui.place import Place
from console.tui.view import View, rows_of
from console.tui.words import SIGNS, line, number, span

ROOT = "root"
INDENT = "  "
OPEN, SHUT = "▾ ", "▸ "
#: Open branches, and children that a branch shows; the others are found by `/` and `o`.
OPEN_MAX, CHILDREN_MAX = 12, 200
#: Stands in a branch for its other children.
MORE = "more"

ACTOR_COLUMNS = (
    Column("actor", 22, grows=True, worth=9, order="tree"),
    Column("mailbox", 8, right=True, worth=8, order="depth"),
    Column("msg/s", 6, right=True, worth=7, order="rate"),
    Column("restarts", 9, right=True, worth=6, order="restarts"),
    Column("uptime", 8, right=True, worth=4, order="uptime"),
    Column("busy s", 8, right=True, worth=2, order="busy"),
    Column("last error", 14, worth=3, grows=True),
)


class Actors(View):
    """See the module's docstring."""

    COLUMNS = ACTOR_COLUMNS
    ORDERS = ("tree", "depth", "rate", "restarts", "uptime", "busy")
    KEYS = (("→←", "open, close"), ("o", "order"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,plus", "branch(True)", show=False),
        Binding("left,minus", "branch(False)", show=False),
    ]

    total: int | None = None

    def __init__(self, place: Place, now: Callable[[], float]) -> None:
        super().__init__(place, now)
        #: Open branches, the one opened first first.
        self.opened: dict[str, None] = {ROOT: None}

    @property
    def is_tree(self) -> bool:
        """Whether branches are shown, not a list."""
        return self.order == "tree" and not self.needle

    @property
    def heading(self) -> str:
        order = "" if self.order == "tree" else {"depth": "mailbox"}.get(self.order, self.order)
        return f"Actors  {self.shown(self.total, order)}"

    def asks(self) -> dict[str, str]:
        if self.is_tree:
            branches = {f"under {name}": route("tree", under=name, limit=CHILDREN_MAX) for name in self.opened}
            return {"root": named("actors", ROOT), **branches, "all": route("tree", limit=1)}
        order = "name" if self.order == "tree" else self.order
        return {"list": route("tree", sort=order, filter=self.needle, limit=self.limit)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        if not self.is_tree:
            actors = rows_of(answers, "list", "actors")[: self.limit]
            self.total = answers.get("list", {}).get("total")
            self.fill(
                actors, "name", lambda actor: _row(actor, str(actor.get("name") or actor.get("address"))), self.total
            )
            return
        self.total = answers.get("all", {}).get("total")
        rows, self.things = [], {}
        for depth, actor in self._branches(answers):
            if MORE in actor:
                words = f"{INDENT * depth}{number(actor[MORE])} more: / finds, o orders"
                rows.append(Row(f"{MORE} {actor['parent']}", (words,), "dim", spans=True))
                continue
            name = str(actor.get("name") or actor.get("address"))
            mark = (OPEN if name in self.opened else SHUT) if actor.get("children") else INDENT
            self.things[name] = actor
            rows.append(_row(actor, INDENT * depth + mark + name))
        self.grid.fill(rows)

    def _branches(self, answers: Mapping[str, Answer]) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Every actor of an open branch, with its depth, as a tree is read."""
        roots = [actor for actor in (answers.get("root"),) if actor]
        waiting = [(0, actor) for actor in reversed(roots)]
        while waiting:
            depth, actor = waiting.pop()
            yield depth, actor
            name = actor.get("name")
            below = [each for each in rows_of(answers, f"under {name}", "actors") if each.get("parent") == name]
            hidden = (actor.get("children") or 0) - CHILDREN_MAX
            if name in self.opened:
                waiting += [(depth + 1, {MORE: hidden, "parent": name})] if hidden > 0 else []
                waiting += [(depth + 1, each) for each in reversed(below[:CHILDREN_MAX])]

    def action_branch(self, wide: bool) -> None:
        """Opens or closes the branch under the cursor; closing a leaf goes to its parent."""
        actor = self.thing
        if not self.is_tree or actor is None:
            return
        name = str(actor.get("name"))
        if wide and actor.get("children") and name not in self.opened:
            self.opened[name] = None
            if len(self.opened) > OPEN_MAX:
                oldest = next(each for each in self.opened if each != ROOT)
                del self.opened[oldest]
        elif not wide and name in self.opened:
            del self.opened[name]
        elif not wide:
            keys = [row.key for row in self.grid.rows]
            self.grid.cursor = keys.index(str(actor["parent"])) if actor.get("parent") in keys else 0
        self.post_message(self.Changed(wants=True))

    def words_of(self, key: str) -> str:
        actor = self.things.get(key, {})
        error = actor.get("last_error")
        return f"last error: {line(error)}" if error else line(actor.get("kind") or "")

    def deeds(self) -> tuple[Deed, ...]:
        return of_actor(self.thing) if self.thing is not None else ()

    def leads_to(self, key: str) -> Place | None:
        return Place("actor", key) if self.things.get(key, {}).get("name") else None


def _row(actor: Mapping[str, Any], name: str) -> Row:
    """An actor as a row, its name as it stands in the tree."""
    tone = "yellow" if actor.get("suspended") else ""
    told = "suspended" if tone else line(actor.get("last_error") or "")
    cells = (
        *(f"{name} {SIGNS[tone]}".rstrip(), number(actor.get("depth")), number(actor.get("rate"))),
        *(number(actor.get("restarts")), span(actor.get("uptime_s")), number(actor.get("busy_s")), told),
    )
    return Row(str(actor.get("name") or actor.get("address")), cells, tone)


class ActorPage(View):
    """One actor: what it does, what it holds, and who is below it."""

    COLUMNS = ACTOR_COLUMNS
    EMPTY = "nobody is below it"
    CAN_FILTER = False
    actor: Mapping[str, Any] = {}

    def compose(self) -> ComposeResult:
        self.facts = Facts()
        yield self.facts
        yield self.grid

    @property
    def heading(self) -> str:
        return f"Actor {self.place.of}"

    def asks(self) -> dict[str, str]:
        name = self.place.of
        return {"actor": named("actors", name), "below": route("tree", under=name, limit=CHILDREN_MAX)}

    def show(self, answers: Mapping[str, Answer]) -> None:
        self.actor = answers.get("actor") or self.actor
        actor, state = self.actor, self.actor.get("state")
        tone = "yellow" if actor.get("suspended") else ""
        held = (
            [Fact(line(name).replace("_", " "), line(value)) for name, value in state.items()]
            if isinstance(state, dict)
            else []
        )
        self.facts.tell(
            [
                *(Fact("kind", line(actor.get("kind"))), Fact("below", line(actor.get("parent")))),
                Fact("mailbox", f"{SIGNS[tone]} {number(actor.get('depth'))} waiting".strip(), tone),
                Fact("suspended", "yes: its mailbox fills" if tone else "no", tone),
                Fact("handled", f"{number(actor.get('handled'))} · {number(actor.get('rate'))}/s"),
                Fact("busy", span(actor.get("busy_s"))),
                *(Fact("restarts", number(actor.get("restarts"))), Fact("uptime", span(actor.get("uptime_s")))),
                *held,
                Fact("last error", line(actor.get("last_error") or ""), wide=True),
            ]
        )
        below = [each for each in rows_of(answers, "below", "actors") if each.get("parent") == self.place.of]
        self.fill(below[:CHILDREN_MAX], "name", lambda each: _row(each, str(each.get("name") or each.get("address"))))

    def deeds(self) -> tuple[Deed, ...]:
        return of_actor(self.actor)

    def leads_to(self, key: str) -> Place | None:
        return Place("actor", key)
