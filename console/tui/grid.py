"""Grid: a table of any length that draws what is seen. Rows are replaced as a whole; the cursor stays at its thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.tui.columns import Column, Fitted, Row, fit, written

HEADING_LINES = 1
MARGIN = 1


class Grid(ScrollView, can_focus=True):
    """One line of titles, which stays, and the rows below it."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "grid--title", "grid--cursor", "grid--yellow", "grid--red", "grid--dim", "grid--empty",
    }  # fmt: skip
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "move(-1)", show=False),
        Binding("down,j", "move(1)", show=False),
        Binding("pageup", "page(-1)", show=False),
        Binding("pagedown,space", "page(1)", show=False),
        Binding("home", "top", show=False),
        Binding("end", "move(1000000)", show=False),
        Binding("enter", "open", show=False),
    ]
    cursor: reactive[int] = reactive(0, repaint=False)

    class Opened(Message):
        """Enter, or a double click, on a row."""

        def __init__(self, key: str) -> None:
            super().__init__()
            self.key = key

    class Ordered(Message):
        """A click on the title of a column that orders."""

        def __init__(self, order: str) -> None:
            super().__init__()
            self.order = order

    class Moved(Message):
        """The cursor is at another row."""

    def __init__(self, columns: Sequence[Column], empty: str = "nothing", id: str | None = None) -> None:
        """`empty`: what is said when there are no rows."""
        super().__init__(id=id)
        self.columns, self.empty = tuple(columns), empty
        self.rows: tuple[Row, ...] = ()
        self.ordered = ""
        #: Keeps the cursor at the last row while rows are added, as of a log.
        self.tails = False
        #: The cursor was put where it is: it stays at its thing. Else the top stays under it, whatever comes there.
        self.is_pinned = False

    # --- what it holds -------------------------------------------------------------------------------------------

    @property
    def row(self) -> Row | None:
        """The row under the cursor."""
        return self.rows[self.cursor] if 0 <= self.cursor < len(self.rows) else None

    def fill(self, rows: Sequence[Row]) -> None:
        """Other rows. The cursor stays at the thing it was put at; at the end of a tail it stays there."""
        held = self.row
        at_end = self.tails and self.cursor >= len(self.rows) - 1
        self.rows = tuple(rows)
        last = max(0, len(self.rows) - 1)
        self.virtual_size = Size(self.size.width, len(self.rows) + HEADING_LINES)
        if at_end:
            self.cursor = last
        elif (
            (self.is_pinned or self.cursor > 0) and held is not None and (self.row is None or self.row.key != held.key)
        ):
            found = next((at for at, row in enumerate(self.rows) if row.key == held.key), min(self.cursor, last))
            self.cursor = found
        self._show_cursor()
        self.refresh()
        if self.row != held:
            self.post_message(self.Moved())

    def pin(self) -> None:
        """The thing under the cursor stays under it."""
        self.is_pinned = True

    def unpin(self) -> None:
        """The cursor goes to the top, and stays there."""
        self.cursor, self.is_pinned = 0, False

    def _show_cursor(self) -> None:
        """Scrolls as far as needed, the titles on top of everything."""
        height = self.size.height - HEADING_LINES
        top = round(self.scroll_target_y)
        if height > 0 and not top <= self.cursor < top + height:
            self.scroll_to(y=self.cursor if self.cursor < top else self.cursor - height + 1, animate=False, force=True)

    # --- what it does --------------------------------------------------------------------------------------------

    def action_move(self, by: int) -> None:
        """Up or down so many rows."""
        self.pin()
        self.cursor = max(0, min(len(self.rows) - 1, self.cursor + by))

    def action_top(self) -> None:
        """To the top, to stay there."""
        self.unpin()

    def action_page(self, by: int) -> None:
        """Up or down a screen."""
        self.action_move(by * max(1, self.size.height - HEADING_LINES - 1))

    def action_open(self) -> None:
        """Tells that the row is wanted."""
        if self.row is not None:
            self.post_message(self.Opened(self.row.key))

    def watch_cursor(self) -> None:
        self._show_cursor()
        self.refresh()
        self.post_message(self.Moved())

    def on_click(self, click: events.Click) -> None:
        if click.y < HEADING_LINES:
            at = click.x - MARGIN
            hit = next((each for each in self._fitted() if each.left <= at < each.left + each.width + 1), None)
            if hit is not None and hit.column.order:
                self.post_message(self.Ordered(hit.column.order))
            return
        clicked = click.y - HEADING_LINES + self.scroll_offset.y
        if clicked < len(self.rows):
            self.pin()
            self.cursor = clicked
            if click.chain == 2:
                self.action_open()

    # --- how it looks --------------------------------------------------------------------------------------------

    def _fitted(self) -> list[Fitted]:
        return fit(self.columns, self.scrollable_content_region.width - 2 * MARGIN)

    def render_line(self, y: int) -> Strip:
        """A line of the screen. Titles do not scroll."""
        width, plain = self.size.width, self.rich_style
        if y < HEADING_LINES:
            titles = [self._title(column) for column in self.columns]
            return self._strip(written(self._fitted(), titles), self._style("grid--title"), width)
        at = y - HEADING_LINES + self.scroll_offset.y
        if at >= len(self.rows):
            words = self.empty if at == 0 else ""
            return self._strip(words, self._style("grid--empty") if words else plain, width)
        row = self.rows[at]
        style = self._style(f"grid--{row.tone}") if row.tone else plain
        if at == self.cursor:
            over = self._style("grid--cursor")
            style = style + Style(bgcolor=over.bgcolor, bold=True, reverse=self.app.no_color or None)
        text = row.cells[0] if row.spans else written(self._fitted(), row.cells)
        return self._strip(text, style, width)

    def _title(self, column: Column) -> str:
        mark = "▾" if column.order and column.order == self.ordered else ""
        return f"{mark}{column.title}" if column.right else f"{column.title}{mark}"

    def _style(self, component: str) -> Style:
        return self.get_component_rich_style(component)

    def _strip(self, text: str, style: Style, width: int) -> Strip:
        return Strip([Segment(" " * MARGIN + text, style)]).adjust_cell_length(width, style)

    def on_resize(self, resized: events.Resize) -> None:
        self.virtual_size = Size(resized.size.width, len(self.rows) + HEADING_LINES)
        self._show_cursor()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self.refresh(Region(0, 0, self.size.width, self.size.height))
