"""One account of the config, and its driver: what draws for it, what that needs to know, and what it can draw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import MappingProxyType
from typing import Literal

from msgspec import Struct

from core.job import Mode
from core.secret import Secret

#: A share further from 1 than this is a slip of the pen; and what a job costs its user must stay a number.
WEIGHT_MIN, WEIGHT_MAX = 0.001, 1000.0
#: Each free one is a message to the Queue. More than any account anywhere has.
SLOTS_MAX = 10_000
NAME = re.compile(r"[A-Za-z0-9_-]{1,40}")


class AccountConfig(Struct, frozen=True, forbid_unknown_fields=True):
    """One account: of Discord, or of what else its driver speaks with. Which keys it needs, DRIVERS says."""

    name: str
    token: Secret = Secret("")
    guild_id: str = ""
    channel_id: str = ""
    kind: Literal["bot", "user"] = "bot"
    slots: int = 3
    weight: float = 1.0
    modes: tuple[Mode, ...] = ("fast", "relax")
    driver: Literal["midjourney", "openai-images"] = "midjourney"
    url: str = ""
    model: str = ""
    size: str = ""


class Driver(Struct, frozen=True):
    """What a driver is. `needs` and `may_have`: keys of AccountConfig that only some drivers have.

    `kinds`: what it draws (core.job; `act` is whatever goes on from a picture); `takes_images`: given pictures too.
    """

    needs: frozenset[str]
    may_have: frozenset[str]
    kinds: frozenset[str]
    takes_images: bool

    def draws(self, kind: str, has_images: bool) -> bool:
        """Whether it can draw a job of this kind, with or without pictures given."""
        return kind in self.kinds and (self.takes_images or not has_images)


DRIVERS = MappingProxyType(
    {
        "midjourney": Driver(
            needs=frozenset({"token", "guild_id", "channel_id"}),
            may_have=frozenset({"kind"}),
            kinds=frozenset({"imagine", "blend", "describe", "shorten", "act"}),
            takes_images=True,
        ),
        "openai-images": Driver(
            needs=frozenset({"url", "model"}),
            may_have=frozenset({"token", "size"}),
            kinds=frozenset({"imagine"}),
            takes_images=False,
        ),
    }
)
#: Keys that belong to some drivers and not to others, with what they are when they are not given.
PARTICULAR = MappingProxyType(
    {"token": "", "guild_id": "", "channel_id": "", "kind": "bot", "url": "", "model": "", "size": ""}
)


def mistakes(account: AccountConfig) -> Iterator[tuple[str, str]]:
    """What types alone cannot say: (key, what is wrong with it), for each mistake."""
    driver = DRIVERS[account.driver]
    if not NAME.fullmatch(account.name):
        yield "name", "a name is 1 to 40 letters, digits, - and _"
    for key, default in PARTICULAR.items():
        is_given = getattr(account, key) != default
        if key in driver.needs and not is_given:
            yield key, "is missing, or empty"
        elif is_given and key not in driver.needs | driver.may_have:
            yield key, f'is not for driver = "{account.driver}"; see docs/CONFIG.md'
    if not 1 <= account.slots <= SLOTS_MAX:
        yield "slots", f"an account has 1 to {SLOTS_MAX} slots"
    if not WEIGHT_MIN <= account.weight <= WEIGHT_MAX:
        yield "weight", f"a weight is {WEIGHT_MIN:g} to {WEIGHT_MAX:g}"
