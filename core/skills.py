"""Who can draw what, where accounts differ in it: the lanes of the fair queue that an account serves.

Usually all accounts have the same driver, and a lane is a mode. Where drivers differ, what only some of them can draw
waits in a lane of its own beside its mode's, which only their accounts serve; what all can draw stays in the mode's.
"""

from __future__ import annotations

from collections.abc import Iterable

from core.account_config import DRIVERS, AccountConfig, Driver

#: Kinds of core.job and whether pictures are given, as (kind, has_images).
Skill = tuple[str, bool]

SKILLS: tuple[Skill, ...] = tuple(
    (kind, has_images)
    for kind in sorted(frozenset().union(*(driver.kinds for driver in DRIVERS.values())))
    for has_images in (False, True)
)
#: What not every driver draws.
APART = tuple(skill for skill in SKILLS if not all(driver.draws(*skill) for driver in DRIVERS.values()))


def mode_of(lane: str) -> str:
    """The mode in which the jobs of a lane are drawn."""
    return lane.partition(" ")[0]


class Skills:
    """What the accounts of a config can draw. `was_mixed`: drivers have differed before, so jobs may wait apart yet."""

    def __init__(self, accounts: Iterable[AccountConfig] = (), was_mixed: bool = False) -> None:
        #: Modes by account.
        self.modes: dict[str, tuple[str, ...]] = {}
        self._drivers: dict[str, Driver] = {}
        for account in accounts:
            self.modes[account.name] = account.modes
            self._drivers[account.name] = DRIVERS[account.driver]
        self.is_mixed = was_mixed or len(set(self._drivers.values())) > 1

    def lane(self, mode: str, kind: str, has_images: bool, account: str | None) -> str:
        """Where a job waits. One that is bound to an account waits apart from others anyway."""
        if account is not None or not self.is_mixed or (kind, has_images) not in APART:
            return mode
        return _apart(mode, kind, has_images)

    def lanes(self, account: str, modes: tuple[str, ...]) -> tuple[str, ...]:
        """The lanes that an account serves which draws in these modes."""
        driver = self._drivers.get(account)
        if not self.is_mixed or driver is None:
            return modes
        apart = [skill for skill in APART if driver.draws(*skill)]
        return (*modes, *(_apart(mode, *skill) for mode in modes for skill in apart))

    def can_draw(self, mode: str, kind: str, has_images: bool, account: str | None) -> bool:
        """Whether any account (or this one) draws such a job."""
        able = self._drivers if account is None else {account} & self._drivers.keys()
        return any(mode in self.modes[name] and self._drivers[name].draws(kind, has_images) for name in able)


def _apart(mode: str, kind: str, has_images: bool) -> str:
    return f"{mode} {kind}{'+' if has_images else ''}"
