"""Log levels: what is said at all, and for a while more (or less) of single actors."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
DEBUG, USUAL = logging.DEBUG, logging.INFO
#: Actors that have a level of their own at once; one more takes the place of the one that would end first.
ACTORS_MAX = 100


class LogLevels:
    """`now` is the clock that `until` is of: monotonic seconds, as of the loop and `Shell.now`."""

    def __init__(self, usual: int = USUAL, now: Callable[[], float] = time.monotonic) -> None:
        self.usual = usual
        self._now = now
        self._own: dict[str, tuple[int, float]] = {}

    def set(self, actor: str, level: str, until: float) -> bool:
        """From now until `until` the actor says what is of `level` or graver; whether that is a change.

        Raises KeyError on a level that is not of LEVELS.
        """
        number, now = LEVELS[level], self._now()
        self._own = {name: own for name, own in self._own.items() if own[1] > now}
        before = self._own.pop(actor, (self.usual, 0.0))[0]
        if len(self._own) >= ACTORS_MAX:
            del self._own[min(self._own, key=lambda name: self._own[name][1])]
        self._own[actor] = number, until
        return number != before

    def level_of(self, actor: str | None) -> int:
        """From which level on the actor is heard now."""
        if not self._own or actor is None or (own := self._own.get(actor)) is None:
            return self.usual
        if own[1] <= self._now():
            del self._own[actor]
            return self.usual
        return own[0]

    def wants(self, actor: str | None, level: int) -> bool:
        """Whether a line of this level is said. While nobody has a level of their own it costs a comparison."""
        return level >= (self.level_of(actor) if self._own else self.usual)
