"""Columns: how a table fits its width. The least important columns go first; one grows with what is left. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

GAP = 2
CUT = "…"


@dataclass(frozen=True)
class Column:
    """`width` in cells, the least if it `grows`. Of columns that do not fit those of the least `worth` are dropped.

    `order`: what the list is ordered by when the title is clicked; empty: nothing.
    """

    title: str
    width: int
    right: bool = False
    worth: int = 1
    grows: bool = False
    order: str = ""


@dataclass(frozen=True)
class Row:
    """`key` says which thing it is; `tone`: "", "yellow", "red", or "dim"; one cell a column; a row that
    `spans` has one for all of them.
    """

    key: str
    cells: tuple[str, ...]
    tone: str = ""
    spans: bool = False


@dataclass(frozen=True)
class Fitted:
    """A column that is shown: which it is, where it begins, and how wide it is."""

    at: int
    column: Column
    left: int
    width: int


def fit(columns: Sequence[Column], width: int) -> list[Fitted]:
    """The columns that fit `width` cells, in their order."""
    kept = list(range(len(columns)))

    def needed() -> int:
        return sum(columns[at].width for at in kept) + GAP * max(0, len(kept) - 1)

    while len(kept) > 1 and needed() > width:
        kept.remove(min(kept, key=lambda at: (columns[at].worth, -at)))
    growing = [at for at in kept if columns[at].grows]
    spare = max(0, width - needed())
    fitted, left = [], 0
    for at in kept:
        share = 0
        if growing and at in growing:
            share = spare // len(growing) + (spare % len(growing) if at == growing[-1] else 0)
        fitted.append(Fitted(at, columns[at], left, columns[at].width + share))
        left += columns[at].width + share + GAP
    return fitted


def padded(text: str, width: int, right: bool = False) -> str:
    """Exactly so many cells: cut with an ellipsis, or filled with blanks."""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + CUT if width > 0 else ""
    return " " * (width - length) + text if right else text + " " * (width - length)


def written(fitted: Sequence[Fitted], cells: Sequence[str]) -> str:
    """A row as text; cells that are missing are empty."""
    return (" " * GAP).join(
        padded(cells[each.at] if each.at < len(cells) else "", each.width, each.column.right) for each in fitted
    )
