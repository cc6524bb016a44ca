"""Facts: names and values in as many columns as fit, above the table of a page about one thing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.widgets import Static

from console.tui.columns import padded

LABEL_CHARS = 12
#: Two columns of facts from this width on.
TWO_FROM = 76
MARGINS = 2
TONES = {"yellow": "$warning", "red": "$error"}


@dataclass(frozen=True)
class Fact:
    """A name, a value, and how grave it is. A `wide` one has a line of its own, or more."""

    name: str
    value: str
    tone: str = ""
    wide: bool = False


class Facts(Static):
    """Shows them."""

    def __init__(self) -> None:
        super().__init__(markup=False, classes="facts")
        self._facts: tuple[Fact, ...] = ()

    def tell(self, facts: Sequence[Fact]) -> None:
        """Other facts; those without a value are left out."""
        kept = tuple(fact for fact in facts if fact.value not in ("", "-"))
        if kept != self._facts:
            self._facts = kept
            self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        width = self.size.width - MARGINS
        columns = 2 if width >= TWO_FROM else 1
        lines: list[Content] = []
        row: list[Content] = []
        for fact in self._facts:
            if fact.wide:
                lines += [_joined(row), _written(fact, width)] if row else [_written(fact, width)]
                row = []
                continue
            row.append(_written(fact, width // columns))
            if len(row) == columns:
                lines.append(_joined(row))
                row = []
        if row:
            lines.append(_joined(row))
        self.update(Content("\n").join(lines))


def _joined(row: Sequence[Content]) -> Content:
    return Content("").join(row)


def _written(fact: Fact, width: int) -> Content:
    """A fact; in columns it is cut or filled to its width."""
    room = max(1, width - LABEL_CHARS)
    value = fact.value if fact.wide else padded(fact.value, room - 1) + " "
    label = Content.styled(padded(fact.name, LABEL_CHARS - 1) + " ", "dim")
    return label + Content.styled(value, TONES.get(fact.tone, ""))
