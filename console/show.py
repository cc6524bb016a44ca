"""Show: answers as aligned columns without boxes, or as JSON. On a terminal a table is never wider than it."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TextIO

GAP = "  "
BOLD, DIM, RED, YELLOW, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
CUT = "…"
#: To how many characters words may be shortened before a column goes, and where none can go.
SHORT, SHORTEST = 12, 4
NOTHING = "-"
#: Above every rank: of a column in which nothing stands.
IDLE = 1000


@dataclass(frozen=True)
class Column:
    """A table's column. Where the terminal is too narrow, words are shortened first, to `least` cells; then columns go:
    those that say nothing, then those of the highest `rank`; those of rank 0 stay. What must be read whole, such as ids
    to be copied, is never `cut`; `right`: it measures something, and stands to the right as numbers do.
    """

    title: str
    rank: int = 0
    cut: bool = True
    least: int = SHORT
    right: bool = False


def as_json(answer: Any, out: TextIO | None = None) -> None:
    """One line, as it came; what a terminal would obey is escaped, as JSON may have it anyway."""
    line = json.dumps(answer, ensure_ascii=False)
    if not line.isprintable():
        line = "".join(letter if letter.isprintable() else json.dumps(letter)[1:-1] for letter in line)
    print(line, file=out or sys.stdout, flush=True)


def as_pairs(answer: Mapping[str, Any], out: TextIO | None = None, fold: bool = False) -> None:
    """Name and value, a line each, or (`fold`) as many as it takes; what is nested goes on one line."""
    out = out or sys.stdout
    width = max((len(name) for name in answer), default=0)
    room = width_of(out)
    for name, value in answer.items():
        lines = [cell(value) or NOTHING]
        if room is not None:
            left = max(SHORTEST, room - width - len(GAP))
            lines = folded(lines[0], left) if fold else [shortened(lines[0], left)]
        print(styled(name.replace("_", " ").ljust(width), DIM, out) + GAP + lines[0], file=out)
        for more in lines[1:]:
            print(" " * width + GAP + more, file=out)


def as_table(
    titles: Sequence[str | Column], rows: Iterable[Sequence[Any]], out: TextIO | None = None, fold: bool = False
) -> None:
    """Columns: numbers to the right, words to the left. `fold`: the last one goes on below instead of being cut."""
    out = out or sys.stdout
    columns = [Column(title) if isinstance(title, str) else title for title in titles]
    kept = [tuple(row) for row in rows]
    right = [
        column.right or (bool(kept) and all(isinstance(row[at], int | float | None) for row in kept))
        for at, column in enumerate(columns)
    ]
    lines = [tuple(column.title for column in columns), *(tuple(cell(value) for value in row) for row in kept)]
    natural = [max(cells(line[at]) for line in lines) for at in range(len(columns))]
    widths = _fitted(_ranked(columns, lines[1:]), natural, right, width_of(out))
    last = max(at for at, width in enumerate(widths) if width is not None)
    for number, line in enumerate(lines):
        texts = [_padded(line[at], width, right[at]) for at, width in enumerate(widths) if width is not None]
        more: list[str] = []
        if fold:
            texts[-1], *more = folded(line[last], widths[last] or SHORTEST)
        text = GAP.join(texts).rstrip()
        print(styled(text, BOLD, out) if number == 0 else text, file=out)
        indent = sum(width + len(GAP) for width in widths[:last] if width is not None)
        for each in more:
            print(" " * indent + each, file=out)


def _ranked(columns: Sequence[Column], lines: Sequence[Sequence[str]]) -> list[Column]:
    """With those last in rank that may go and say nothing in any line."""
    return [
        replace(column, rank=column.rank + IDLE) if column.rank and all(line[at] in ("", NOTHING) for line in lines)
        else column
        for at, column in enumerate(columns)
    ]  # fmt: skip


def _fitted(
    columns: Sequence[Column], natural: Sequence[int], numbers: Sequence[bool], room: int | None
) -> list[int | None]:
    """How wide each column is so that all fit into `room`; None: it is left out."""
    widths: list[int | None] = list(natural)
    if room is None:
        return widths
    least = [
        width if number or not column.cut else min(width, max(column.least, len(column.title)))
        for column, width, number in zip(columns, natural, numbers, strict=True)
    ]
    while _total(least, widths) > room:
        shown = [at for at, width in enumerate(widths) if width is not None]
        out = max(shown, key=lambda at: (columns[at].rank, at))
        if columns[out].rank == 0:
            least = [min(width, SHORTEST) if columns[at].cut and not numbers[at] else width
                     for at, width in enumerate(least)]  # fmt: skip
            break
        widths[out] = None
    over = _total(natural, widths) - room
    while over > 0:
        widest = max(
            (at for at, width in enumerate(widths) if width is not None and width > least[at]),
            key=lambda at: widths[at] or 0,
            default=None,
        )
        if widest is None:
            break
        widths[widest] = (widths[widest] or 0) - 1
        over -= 1
    return widths


def _total(measures: Sequence[int], widths: Sequence[int | None]) -> int:
    """The width of the columns that are shown, each of its measure, with the gaps between them."""
    shown = [measure for measure, width in zip(measures, widths, strict=True) if width is not None]
    return sum(shown) + len(GAP) * (len(shown) - 1)


def _padded(text: str, width: int, to_right: bool) -> str:
    """Exactly so many cells of a terminal."""
    text = shortened(text, width)
    padding = " " * (width - cells(text))
    return padding + text if to_right else text + padding


def shortened(text: str, width: int) -> str:
    """At most so many cells of a terminal."""
    return text if cells(text) <= width else _first(text, width - 1).rstrip() + CUT


def folded(text: str, width: int) -> list[str]:
    """Lines of at most so many cells of a terminal, broken at spaces where there are any."""
    lines: list[str] = []
    while cells(text) > width:
        first = _first(text, width)
        if not text.startswith(first):  # half a wide letter stands there as a space
            first = first[:-1]
        if not first:
            break
        at = len(first) if text[len(first)] == " " else first.rfind(" ") + 1 or len(first)
        lines.append(text[:at].rstrip())
        text = text[at:].lstrip()
    return [*lines, text]


def cells(text: str) -> int:
    """How many of a terminal's cells it fills: a Chinese letter fills two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len

    return cell_len(text)


def _first(text: str, width: int) -> str:
    if text.isascii():
        return text[:width]
    from rich.cells import set_cell_size

    return set_cell_size(text, max(0, width))


def width_of(out: TextIO) -> int | None:
    """A terminal's width in cells; None: it is no terminal, and lines are as long as they are."""
    return shutil.get_terminal_size().columns if out.isatty() else None


def cell(value: Any) -> str:
    """A value in a few characters, never more than a line, and nothing in it that a terminal would obey."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return ", ".join(f"{cell(name).replace('_', ' ')} {cell(inner)}" for name, inner in value.items()) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(cell(inner) for inner in value) or NOTHING
    line = " ".join(str(value).splitlines())
    return line if line.isprintable() else "".join(letter if letter.isprintable() else "?" for letter in line)


def styled(text: str, style: str, out: TextIO) -> str:
    """Styled on a terminal whose user wants it so (no-color.org); plain anywhere else."""
    return f"{style}{text}{PLAIN}" if out.isatty() and not os.environ.get("NO_COLOR") else text
