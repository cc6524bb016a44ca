"""View: what a screen is: what it asks the daemon for, how it shows the answers, where Enter leads, what can be done.

A view never waits for anything: the app asks, and hands it what came.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from console.tui.columns import Column, Row
from console.tui.deeds import Deed
from console.tui.grid import Grid
from console.tui.link import Answer, Refused
from console.tui.place import Place

#: How many rows a list asks for at first, how many more when the cursor nears its end, and at most (docs/ADMIN.md).
ROWS_FIRST, ROWS_MORE, ROWS_MAX = 100, 200, 1000
NEAR_END = 20

Rows = Sequence[Mapping[str, Any]]


class View(Vertical):
    """Base of the screens."""

    #: Keys besides the deeds', for the line at the bottom: the key, and what it does.
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    COLUMNS: ClassVar[tuple[Column, ...]] = ()
    EMPTY: ClassVar[str] = "nothing here"
    #: The orders that `o` goes through; the first holds at the beginning.
    ORDERS: ClassVar[tuple[str, ...]] = ()
    CAN_FILTER: ClassVar[bool] = True

    class Changed(Message):
        """The view wants other data, or its title or keys have changed."""

        def __init__(self, wants: bool = False) -> None:
            super().__init__()
            self.wants = wants

    class Goes(Message):
        """Another place is wanted; `instead`: Esc does not come back to this one."""

        def __init__(self, place: Place, instead: bool = False) -> None:
            super().__init__()
            self.place, self.instead = place, instead

    def __init__(self, place: Place, now: Callable[[], float]) -> None:
        """`now`: Unix time, s."""
        super().__init__()
        self.place, self.now = place, now
        self.needle = place.needle
        self.order = self.ORDERS[0] if self.ORDERS else ""
        self.limit = ROWS_FIRST
        self.grid = Grid(self.COLUMNS, self.EMPTY)
        self.grid.ordered = self.order
        self.below = Static("", markup=False, classes="below")
        #: What the rows were made of, by their keys.
        self.things: dict[str, Mapping[str, Any]] = {}
        #: Why something is missing, in words.
        self.missing = ""

    def compose(self) -> ComposeResult:
        yield self.grid
        yield self.below

    # --- for the screens to fill in ------------------------------------------------------------------------------

    @property
    def heading(self) -> str:
        """The title of the screen, with what it shows of how much."""
        return ""

    def asks(self) -> dict[str, str]:
        """What to ask for: a name of ours, and the route."""
        return {}

    def show(self, answers: Mapping[str, Answer]) -> None:
        """Shows what came; of what was refused nothing did."""

    def deeds(self) -> tuple[Deed, ...]:
        """What can be done to what is under the cursor."""
        return ()

    def words_of(self, key: str) -> str:
        """What a row cannot say whole, for the lines below the table."""
        return ""

    def leads_to(self, key: str) -> Place | None:
        """Where Enter on a row leads."""
        return None

    # --- for the app -----------------------------------------------------------------------------------------------

    def take(self, answers: Mapping[str, Answer], refusals: Mapping[str, Refused]) -> None:
        """A round's answers; a refusal is said above the title, and the rest is shown."""
        self.missing = "; ".join(dict.fromkeys(f"{each.code}: {each.message}" for each in refusals.values()))
        self.show(answers)
        self.write_below()

    def write_below(self) -> None:
        """The row under the cursor in whole sentences."""
        if self.below.is_attached:
            self.below.update(self.words_of(self.grid.row.key) if self.grid.row is not None else "")

    def filter(self, needle: str) -> None:
        """Show only what matches."""
        if needle != self.needle:
            self.needle = needle
            self.grid.cursor = 0
            self.limit = ROWS_FIRST
            self.refilter()

    def refilter(self) -> None:
        """The needle is another one: by itself the next answer shows it."""
        self.post_message(self.Changed(wants=True))

    def next_order(self) -> None:
        """The next of the orders."""
        if self.ORDERS:
            self.reorder(self.ORDERS[(self.ORDERS.index(self.order) + 1) % len(self.ORDERS)])

    def reorder(self, order: str) -> None:
        """Another order; what is at the top is new."""
        if order in self.ORDERS:
            self.order = self.grid.ordered = order
            self.grid.cursor = 0
            self.refilter()

    @property
    def thing(self) -> Mapping[str, Any] | None:
        """What the row under the cursor is made of."""
        row = self.grid.row
        return self.things.get(row.key) if row is not None else None

    def fill(self, things: Rows, key: str, row: Callable[[Mapping[str, Any]], Row]) -> None:
        """The table, of these things; `key` names the field that tells them apart."""
        self.things = {str(each.get(key)): each for each in things}
        self.grid.fill([row(each) for each in self.things.values()])

    # --- what the table says ---------------------------------------------------------------------------------------

    def on_grid_ordered(self, ordered: Grid.Ordered) -> None:
        ordered.stop()
        self.reorder(ordered.order)

    def on_grid_moved(self, moved: Grid.Moved) -> None:
        moved.stop()
        self.write_below()
        near = len(self.grid.rows) >= self.limit and self.grid.cursor >= self.limit - NEAR_END
        if near and self.limit < ROWS_MAX:
            self.limit = min(ROWS_MAX, self.limit + ROWS_MORE)
        self.post_message(self.Changed(wants=near))


def shown_of(shown: int, total: Any, needle: str, order: str = "") -> str:
    """For titles: how many of how many, by which filter, in which order."""
    parts = [f"{shown:,} of {total:,}" if isinstance(total, int) and total != shown else f"{shown:,}"]
    if needle:
        parts.append(f"/{needle}")
    if order:
        parts.append(f"by {order}")
    return " · ".join(parts)


def rows_of(answers: Mapping[str, Answer], name: str, within: str | None = None) -> list[Mapping[str, Any]]:
    """The list in an answer, or none: what is not as docs/ADMIN.md says is left out."""
    found = answers.get(name, {}).get(within or name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
