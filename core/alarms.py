"""Alarms: what an operator should know of, once it has lasted, until it has been over for a while.

A finding is what was seen at one look; an alarm is raised by findings that are bad so many looks in a row, and ends
after so many that are well. Between well and bad it stays as it is. Pure: `now` is Unix seconds, for people.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from core.pacing import Verdict


class Level(StrEnum):
    """How much of a person it needs: a look, or a hand."""

    YELLOW = "yellow"
    RED = "red"


class Rule(Struct, frozen=True):
    """Of one code. `rises_after` and `falls_after` in looks; `stops_intake`: nothing new is taken on meanwhile."""

    level: Level
    rises_after: int = 1
    falls_after: int = 2
    stops_intake: bool = False


_RED, _YELLOW = Level.RED, Level.YELLOW

#: Each code of an alarm; docs/ADMIN.md and docs/DRILLS.md say them to people.
RULES = MappingProxyType(
    {
        "disk_full": Rule(_RED, stops_intake=True),
        "memory_full": Rule(_RED, rises_after=2, stops_intake=True),
        # Slower intake comes first, and is often enough.
        "store_slow": Rule(_RED, rises_after=3, stops_intake=True),
        "store_trouble": Rule(_RED, falls_after=1),
        "images_trouble": Rule(_RED, falls_after=1),
        "no_account_up": Rule(_RED, rises_after=2, falls_after=1),
        "account_paused": Rule(_RED, falls_after=1),
        "account_exhausted": Rule(_RED, falls_after=1),
        "account_suspended": Rule(_RED, falls_after=1),
        "account_down": Rule(_YELLOW, rises_after=2, falls_after=1),
        # A limit that has passed may come again with the next drawing.
        "account_limited": Rule(_YELLOW, falls_after=6),
        "account_failing": Rule(_YELLOW, falls_after=6),
        "loop_late": Rule(_YELLOW, rises_after=2),
        "mailbox_growing": Rule(_YELLOW, rises_after=2),
        "queue_growing": Rule(_YELLOW, rises_after=2),
    }
)


class Finding(Struct, frozen=True):
    """What was seen at one look. `level`: other than its rule's; `did`: what was done about it, for people."""

    code: str
    about: str | None
    verdict: Verdict
    words: str = ""
    did: str = ""
    level: Level | None = None


class Alarm(Struct, frozen=True):
    """What is wrong, and since when (Unix s). `about` is an actor, an account, or None: the whole service."""

    code: str
    level: Level
    about: str | None
    words: str
    since: float
    did: str


class Changes(Struct, frozen=True):
    """What a look has changed."""

    raised: tuple[Alarm, ...]
    ended: tuple[Alarm, ...]


class _Course(Struct):
    """Of one code and what it is about: looks in a row that were bad, or well."""

    since: float
    bad: int = 0
    well: int = 0


class Alarms:
    """All that are on, and what may become one. What a look does not speak of is well."""

    def __init__(self) -> None:
        self._courses: dict[tuple[str, str | None], _Course] = {}
        self._active: dict[tuple[str, str | None], Alarm] = {}

    @property
    def active(self) -> tuple[Alarm, ...]:
        """All that are on, red ones first, of each level the oldest first."""
        return tuple(sorted(self._active.values(), key=lambda alarm: (alarm.level is not _RED, alarm.since)))

    @property
    def stopped_by(self) -> str | None:
        """The code of the alarm for which nothing new is taken on; None: none does."""
        return next((alarm.code for alarm in self.active if RULES[alarm.code].stops_intake), None)

    def has(self, code: str, about: str | None = None) -> bool:
        """Whether this one is on."""
        return (code, about) in self._active

    def bad_looks(self, code: str, about: str | None = None) -> int:
        """How many looks in a row, up to the last one, have found it bad."""
        course = self._courses.get((code, about))
        return 0 if course is None else course.bad

    def look(self, findings: Iterable[Finding], now: float) -> Changes:
        """Takes one look's findings, of each code and what it is about at most one. Raises KeyError for a code that
        has no rule."""
        raised, ended = [], []
        found = {(finding.code, finding.about): finding for finding in findings}
        for key in [key for key in self._courses if key not in found]:
            found[key] = Finding(*key, Verdict.WELL)
        for key, finding in found.items():
            if finding.verdict is Verdict.BAD:
                if (alarm := self._bad(key, finding, now)) is not None:
                    raised.append(alarm)
            elif (gone := self._not_bad(key, finding)) is not None:
                ended.append(gone)
        return Changes(tuple(raised), tuple(ended))

    def _bad(self, key: tuple[str, str | None], finding: Finding, now: float) -> Alarm | None:
        """The alarm, if it is raised by this."""
        rule = RULES[finding.code]
        course = self._courses.setdefault(key, _Course(now))
        course.bad, course.well = course.bad + 1, 0
        before = self._active.get(key)
        if before is None and course.bad < rule.rises_after:
            return None
        level = finding.level or rule.level
        self._active[key] = Alarm(finding.code, level, finding.about, finding.words, course.since, finding.did)
        return self._active[key] if before is None else None

    def _not_bad(self, key: tuple[str, str | None], finding: Finding) -> Alarm | None:
        """The alarm, if it ends with this."""
        course = self._courses.get(key)
        if course is None:
            return None
        before = self._active.get(key)
        if before is None:
            del self._courses[key]
            return None
        course.bad, course.well = 0, course.well + 1 if finding.verdict is Verdict.WELL else 0
        if course.well >= RULES[finding.code].falls_after:
            del self._courses[key], self._active[key]
            return before
        if finding.words:
            self._active[key] = replace(before, words=finding.words, did=finding.did or before.did)
        return None
