"""Charts: some figures side by side over the last minutes, each with what it is now and its most."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby

from textual.content import Content
from textual.widgets import Static

from console.tui.history import STEP_S, Series
from console.tui.words import chart, span

MARGINS = 2
GAP = 2
TOP, BODY = "$foreground", "$primary 35%"
#: A chart is no narrower than this, in cells; fewer are shown where there is no room.
WIDTH_MIN = 34


@dataclass(frozen=True)
class Figure:
    """A name, its value now, how values of it are said, and its course."""

    name: str
    value: str
    said: Callable[[float], str]
    course: Series


class Charts(Static):
    """Shows them, the first one first where there is little room. Its height is set by whoever lays it out."""

    def __init__(self) -> None:
        super().__init__(markup=False, classes="charts")
        self._figures: tuple[Figure, ...] = ()

    def tell(self, figures: Sequence[Figure]) -> None:
        """Other figures."""
        self._figures = tuple(figures)
        self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        width, height = self.size.width - MARGINS, self.size.height - 1
        many = max(1, min(len(self._figures), (width + GAP) // (WIDTH_MIN + GAP)))
        each = (width - GAP * (many - 1)) // many
        if height < 1 or each < 1:
            return
        drawn = [_drawn(figure, each, height) for figure in self._figures[:many]]
        between = Content(" " * GAP)
        lines = [between.join(title for title, _ in drawn)]
        lines += [between.join(rows[at] for _, rows in drawn) for at in range(height)]
        self.update(Content("\n").join(lines))


def _drawn(figure: Figure, width: int, height: int) -> tuple[Content, list[Content]]:
    """A chart under its title: what it is, and at the right edge its most, and how far back it goes."""
    values = figure.course.last(width)
    name = f"{figure.name} {figure.value}"
    most = max((each for each in values if each is not None), default=0.0)
    scale = f"most {figure.said(most)} in {span(max(1, len(values)) * STEP_S)}"
    room = width - len(name)
    title = Content.styled(name, "bold")
    title += Content.styled(scale.rjust(room), "dim") if room > len(scale) else Content(" " * max(0, room))
    return title, _shaded(chart(values, width, height))


def _shaded(rows: Sequence[str]) -> list[Content]:
    """The course itself in light, what is below it in shade."""
    above, shaded = " " * len(rows[0]), []
    for row in rows:
        styles = [TOP if over == " " else BODY for over in above]
        runs = [list(run) for _, run in groupby(zip(styles, row, strict=True), key=lambda cell: cell[0])]
        shaded.append(Content("").join(Content.styled("".join(each for _, each in run), run[0][0]) for run in runs))
        above = row
    return shaded
