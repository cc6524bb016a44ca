"""Feet: the two lines below every screen: what can be done here, and the way to the others. Both take the mouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual.content import Content
from textual.widgets import Static

from console.tui.place import TABS

GAPS = (2, 1)
MARGINS = 2


@dataclass(frozen=True)
class Entry:
    """A key, what it does in a word, and the action of the app that a click on it is."""

    key: str
    label: str
    action: str
    #: What is shown where there is little room, the key first.
    short: str = ""


TAB_ENTRIES = tuple(
    Entry(f"F{number}", label, f"app.tab({number - 1})", short=f"{number} {label}")
    for number, (_, label) in enumerate(TABS, 1)
)
#: What every screen has besides.
ALWAYS = (Entry("?", "help", "app.help", short="?"), Entry("q", "quit", "app.leave", short="q"))


def laid_out(entries: Sequence[Entry], width: int) -> tuple[list[tuple[Entry, str]], int]:
    """The entries that fit, each with its words as they are shown, and the gap between them."""
    for short in (False, True):
        shown = [(each, each.short if short and each.short else f"{each.key} {each.label}") for each in entries]
        for gap in GAPS:
            if sum(cell_len(words) + gap for _, words in shown) - gap <= width:
                return shown, gap
    while len(shown) > 1 and sum(cell_len(words) + gap for _, words in shown) - gap > width:
        shown.pop()
    return shown, gap


class Feet(Static):
    """One of the two lines. Words said take its place while they last."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._entries: tuple[Entry, ...] = ()
        self._lit: Entry | None = None
        self._said: tuple[str, str] | None = None

    def tell(self, entries: Sequence[Entry], lit: Entry | None = None) -> None:
        """Other entries; `lit` is where we are."""
        if (tuple(entries), lit) != (self._entries, self._lit):
            self._entries, self._lit = tuple(entries), lit
            self._write()

    def say(self, words: str, tone: str = "") -> None:
        """Words in place of the entries; none: the entries again."""
        self._said = (words, tone) if words else None
        self._write()

    def on_resize(self) -> None:
        self._write()

    def _write(self) -> None:
        self.set_class(self._said is not None, "said")
        if self._said is not None:
            said, tone = self._said
            self.update(Content.styled(said, {"yellow": "$warning bold", "red": "$error bold"}.get(tone, "bold")))
            return
        shown, gap = laid_out(self._entries, self.size.width - MARGINS)
        line = Content("")
        for at, (entry, words) in enumerate(shown):
            key, _, label = words.partition(" ")
            bold, dim = ("bold reverse", "bold reverse") if entry == self._lit else ("bold", "dim")
            markup = f"[@click={entry.action}][{bold}]$key[/][{dim}]$label[/][/]"
            link = Content.from_markup(markup, key=key, label=f" {label}" if label else "")
            line = line + Content(" " * gap if at else "") + link
        self.update(line)
