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
#: What a list says before its first answer: nothing is claimed of what is not known.
ASKING = "…"
#: The row at the end of a list that goes on: its key, and no thing's.
MORE = " more"

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
        self.grid = Grid(self.COLUMNS, ASKING)
        self.grid.ordered = self.order
        self.below = Static("", markup=False, classes="below")
        #: What the rows were made of, by their keys.
        self.things: dict[str, Mapping[str, Any]] = {}
        #: Why something is missing, in words.
        self.missing = ""
        #: When its figures came, Unix time in s; None: they have yet to come.
        self.taken_at: float | None = None
        #: Where each page of a list too long for one begins, as the daemon named it; the last is seen.
        self.pages: list[str] = []
        self._next: str | None = None

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
        self.taken_at, self.grid.empty = self.now(), self.EMPTY
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
            self.begin_anew()

    def begin_anew(self) -> None:
        """Another list, seen from its top."""
        self.grid.unpin()
        self.limit, self.pages = ROWS_FIRST, []
        self.refilter()

    def refilter(self) -> None:
        """The needle is another one: by itself the next answer shows it."""
        self.post_message(self.Changed(wants=True))

    @property
    def before(self) -> str | None:
        """Where the page that is seen begins; None: at the beginning."""
        return self.pages[-1] if self.pages else None

    def turn(self, onward: bool) -> bool:
        """The next thousand of the list, or those before. Whether there are any."""
        if not (self._next if onward else self.pages):
            return False
        if onward and self._next:
            self.pages.append(self._next)
        else:
            self.pages.pop()
        self.grid.unpin()
        self.limit = ROWS_MAX
        self.refilter()
        return True

    def next_order(self) -> None:
        """The next of the orders."""
        if self.ORDERS:
            self.reorder(self.ORDERS[(self.ORDERS.index(self.order) + 1) % len(self.ORDERS)])

    def reorder(self, order: str) -> None:
        """Another order; what is at the top is new."""
        if order in self.ORDERS:
            self.order = self.grid.ordered = order
            self.begin_anew()

    @property
    def thing(self) -> Mapping[str, Any] | None:
        """What the row under the cursor is made of."""
        row = self.grid.row
        return self.things.get(row.key) if row is not None else None

    def fill(
        self, things: Rows, key: str, row: Callable[[Mapping[str, Any]], Row], total: Any = None, next: Any = None
    ) -> None:
        """The table, of these things; `key` names the field that tells them apart.

        `total`: how many there are; `next`: where the daemon's list goes on. What is not shown is said in a last row.
        """
        self.things = {str(each.get(key)): each for each in things}
        rows = [row(each) for each in self.things.values()]
        self._next = str(next) if next else None
        more = total - self._first - len(rows) if isinstance(total, int) else None
        if len(rows) >= ROWS_MAX and (more or next):
            words = f"{more:,} more" if more is not None else "and more"
            turns = "Enter: the next thousand" if next else "/ finds, o orders"
            rows.append(Row(MORE, (f"{words} · {turns}",), "dim", spans=True))
        self.grid.fill(rows)

    @property
    def _first(self) -> int:
        """How many things are on the pages before."""
        return ROWS_MAX * len(self.pages)

    def shown(self, total: Any = None, order: str = "") -> str:
        """For titles: how many of how many, by which filter, in which order."""
        count = len(self.things)
        shown = f"{self._first + 1:,} to {self._first + count:,}" if self.pages else f"{count:,}"
        if isinstance(total, int) and total != count:
            shown += f" of {total:,}"
        elif total is None and self._next:
            shown += " and more"
        return " · ".join(
            part for part in (shown, f"/{self.needle}" if self.needle else "", f"by {order}" if order else "") if part
        )

    # --- what the table says ---------------------------------------------------------------------------------------

    def on_grid_ordered(self, ordered: Grid.Ordered) -> None:
        ordered.stop()
        self.reorder(ordered.order)

    def on_grid_moved(self, moved: Grid.Moved) -> None:
        moved.stop()
        self.write_below()
        wants = len(self.grid.rows) >= self.limit < ROWS_MAX and self.grid.cursor >= self.limit - NEAR_END
        if wants:
            self.limit = min(ROWS_MAX, self.limit + ROWS_MORE)
        self.post_message(self.Changed(wants))


def rows_of(answers: Mapping[str, Answer], name: str, within: str | None = None) -> list[Mapping[str, Any]]:
    """The list in an answer, or none: what is not as docs/ADMIN.md says is left out."""
    found = answers.get(name, {}).get(within or name)
    return [each for each in found if isinstance(each, Mapping)] if isinstance(found, list) else []
