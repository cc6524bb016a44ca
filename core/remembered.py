"""Remembered: the drawings of one account that a message may be about, found by nonce, by attempt and by link.

Hundreds are remembered, a few are live (their result may still come), and every message asks: so each question is one
look into a table, and whoever must be compared with all is compared with the live ones only. Bookkeeping; what the
answers mean is decided in core/correlate.py.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from enum import Enum

import msgspec

from core.signs import Drawing

DRAWING_MEMORY_COUNT_MAX = 256
#: The fields of a Drawing that a message can show.
LINKS = ("interaction_id", "message_id", "hash")


class Standing(Enum):
    """What may still come for a drawing."""

    OPEN = 1
    GHOST = 2  # closed without an ending: its result may still come
    SETTLED = 3  # ended: no other result can come


class Entry(msgspec.Struct, eq=False):
    """A drawing in the table; `opened` is its place among the arrivals of signs, 0 for a restored one; `drawn`: its
    result came."""

    drawing: Drawing
    opened: int
    standing: Standing = Standing.OPEN
    closed_at: float = 0.0
    restored: bool = False
    drawn: bool = False


class Remembered:
    """Mutable; the links of an entry change by `learn`, its standing by `settle` and `haunt`, and nowhere else."""

    def __init__(self) -> None:
        self._all: OrderedDict[str, Entry] = OrderedDict()
        self._live: dict[str, Entry] = {}
        self._by_link: dict[tuple[str, str], list[Entry]] = {}
        self._by_form: dict[str, Entry] = {}

    def put(self, entry: Entry) -> None:
        """One more, or another in place of the one with its nonce. The oldest settled ones make room."""
        nonce = entry.drawing.nonce
        before = self._all.get(nonce)
        if before is not None:
            self._drop(before)
        self._all[nonce] = entry
        if entry.drawing.form_nonce is not None:
            self._by_form[entry.drawing.form_nonce] = entry
        if entry.standing is not Standing.SETTLED:
            self._live[nonce] = entry
        self._link(entry)
        self._forget()

    def live(self) -> Iterator[Entry]:
        """Those whose result may still come. The entries may change meanwhile."""
        return iter(tuple(self._live.values()))

    def of_nonce(self, nonce: str) -> Entry | None:
        """The drawing submitted under this nonce, or whose form was answered under it."""
        return self._all.get(nonce) or self._by_form.get(nonce)

    def of_link(self, link: str, value: str) -> Entry | None:
        """The one drawing with this link (of LINKS); None when there is none, or more than one."""
        found = self._by_link.get((link, value), ())
        return found[0] if len(found) == 1 else None

    def of_attempt(self, job_id: str, attempt: int) -> tuple[Entry, ...]:
        """The open drawings of an attempt."""
        return tuple(
            entry
            for entry in self.live()
            if entry.standing is Standing.OPEN and (entry.drawing.job_id, entry.drawing.attempt) == (job_id, attempt)
        )

    def learn(self, entry: Entry, drawing: Drawing) -> None:
        """The same drawing, of which more is known."""
        if any(getattr(entry.drawing, link) != getattr(drawing, link) for link in LINKS):
            self._unlink(entry)
            entry.drawing = drawing
            self._link(entry)
        else:
            entry.drawing = drawing

    def rename(self, entry: Entry, drawing: Drawing) -> None:
        """The same drawing goes on under another nonce."""
        self._drop(entry)
        entry.drawing = drawing
        self.put(entry)

    def haunt(self, entry: Entry, now: float) -> None:
        """Nobody waits for it any more, but its result may come."""
        entry.standing, entry.closed_at = Standing.GHOST, now

    def settle(self, entry: Entry) -> None:
        """No result of it can come any more."""
        entry.standing = Standing.SETTLED
        self._live.pop(entry.drawing.nonce, None)
        self._forget()

    def _link(self, entry: Entry) -> None:
        for link in LINKS:
            if (value := getattr(entry.drawing, link)) is not None:
                self._by_link.setdefault((link, value), []).append(entry)

    def _unlink(self, entry: Entry) -> None:
        for link in LINKS:
            if (value := getattr(entry.drawing, link)) is not None:
                others = [other for other in self._by_link[link, value] if other is not entry]
                if others:
                    self._by_link[link, value] = others
                else:
                    del self._by_link[link, value]

    def _drop(self, entry: Entry) -> None:
        self._unlink(entry)
        del self._all[entry.drawing.nonce]
        self._by_form.pop(entry.drawing.form_nonce or "", None)
        self._live.pop(entry.drawing.nonce, None)

    def _forget(self) -> None:
        """Keeps the tables bounded."""
        while len(self._all) > max(DRAWING_MEMORY_COUNT_MAX, len(self._live)):
            self._drop(next(entry for entry in self._all.values() if entry.standing is Standing.SETTLED))
