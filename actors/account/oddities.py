"""Oddities: what Discord or the drawing bot said that we do not know. Each is counted, and each kind logged once.

A server that has changed, or gone mad, says the same strange thing a thousand times a second: the log must not.
"""

from __future__ import annotations

from actors.monitor.messages import Observed
from actors.shell import Shell

#: Kinds that are told apart; what is stranger still is only counted.
KINDS_MAX = 50
WHY_CHARS_MAX = 100


class Oddities:
    """One an account."""

    def __init__(self, owner: Shell) -> None:
        self._owner = owner
        self._known: set[str] = set()
        self._untold = 0

    def note(self, why: str) -> None:
        """One more; `why` says what it is, without any prompt."""
        self._untold += 1
        why = why[:WHY_CHARS_MAX]
        if why not in self._known and len(self._known) < KINDS_MAX:
            self._known.add(why)
            self._owner.log.warning("Discord said something new; more of the kind is only counted", why=why)

    def tell(self) -> None:
        """Time has passed: the monitor hears how many there were."""
        if self._untold:
            self._owner.tell("monitor", Observed("limner_oddities_total", self._untold, (self._owner.subject,)))
            self._untold = 0
