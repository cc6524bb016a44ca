"""Show: answers as aligned columns without boxes, or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TextIO

GAP = "  "
BOLD, DIM, RED, PLAIN = "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[0m"


def as_json(answer: Any, out: TextIO | None = None) -> None:
    """One line, as it came."""
    print(json.dumps(answer, ensure_ascii=False), file=out or sys.stdout)


def as_pairs(answer: Mapping[str, Any], out: TextIO | None = None) -> None:
    """Name and value, a line each; what is nested goes on one line."""
    out = out or sys.stdout
    width = max((len(name) for name in answer), default=0)
    for name, value in answer.items():
        print(styled(name.replace("_", " ").ljust(width), DIM, out) + GAP + cell(value), file=out)


def as_table(titles: Sequence[str], rows: Iterable[Sequence[Any]], out: TextIO | None = None) -> None:
    """Columns: numbers to the right, words to the left."""
    out = out or sys.stdout
    kept = [tuple(row) for row in rows]
    right = [all(isinstance(row[at], int | float | None) for row in kept) and bool(kept) for at in range(len(titles))]
    lines = [tuple(titles), *(tuple(cell(value) for value in row) for row in kept)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(titles))]
    for number, line in enumerate(lines):
        padded = (
            text.rjust(width) if to_right else text.ljust(width)
            for text, width, to_right in zip(line, widths, right, strict=True)
        )
        text = GAP.join(padded).rstrip()
        print(styled(text, BOLD, out) if number == 0 else text, file=out)


def cell(value: Any) -> str:
    """A value in a few characters, and never more than a line."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, Mapping):
        return " ".join(f"{name} {cell(inner)}" for name, inner in value.items()) or "-"
    if isinstance(value, list | tuple):
        return ", ".join(cell(inner) for inner in value) or "-"
    return " ".join(str(value).splitlines())


def styled(text: str, style: str, out: TextIO) -> str:
    """Styled on a terminal; plain anywhere else."""
    return f"{style}{text}{PLAIN}" if out.isatty() else text
