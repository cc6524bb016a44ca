"""Looks: one look at the daemon, its answers, refusals and silence apart; and what is known of the daemon so far."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from console.tui.link import Answer, Lost, Refused, Source

READS_ONLY = "viewer"


@dataclass(frozen=True)
class Round:
    """What came of one look, by the names that the asker gave."""

    answers: Mapping[str, Answer]
    refusals: Mapping[str, Refused]
    lost: Lost | None

    @property
    def no_entry(self) -> Refused | None:
        """That the key is not, or no longer, an operator's."""
        return next((each for each in self.refusals.values() if each.status in (401, 403)), None)


async def look_at(source: Source, asks: Mapping[str, str]) -> Round:
    """Asks for all of them at once."""
    found = await asyncio.gather(*(source.get(path) for path in asks.values()), return_exceptions=True)
    told = dict(zip(asks, found, strict=True))
    for each in told.values():
        if isinstance(each, BaseException) and not isinstance(each, Lost | Refused):
            raise each
    return Round(
        {name: each for name, each in told.items() if isinstance(each, Mapping)},
        {name: each for name, each in told.items() if isinstance(each, Refused)},
        next((each for each in told.values() if isinstance(each, Lost)), None),
    )


@dataclass
class Known:
    """What the console knows of the daemon, whichever screen is seen."""

    status: Answer = field(default_factory=dict)
    #: Whose key this is: empty until the daemon has said it.
    name: str = ""
    role: str = ""
    lost_since: float | None = None
    lost_why: str = ""
    #: Whether its status was what docs/ADMIN.md says.
    is_understood: bool = True

    @property
    def reads_only(self) -> bool:
        """Whether the key changes nothing."""
        return self.role == READS_ONLY

    def hold(self, lost: Lost | None, now: float) -> None:
        """Remembers whether the daemon is there; `now`: Unix time, s."""
        if lost is None:
            self.lost_since, self.lost_why = None, ""
            return
        if self.lost_since is None:
            self.lost_since = now
        self.lost_why = str(lost)
