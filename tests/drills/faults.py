"""The five faults of the drills. Each comes, lasts, and goes; what a person must do about it, it does too."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from actors.account.messages import Reinstate
from actors.gallery import AskImage
from actors.monitor.watch import MAILBOX_DEPTH_MAX, MB
from protocol.api import ShowImage
from tests.city.clock import Trouble
from tests.city.ground import RoomyHost
from tests.drills.town import DrillTown

LIMITED_S = 60.0
BLOCKED_S = 300.0
NEARLY_FULL_S, FULL_S = 60.0, 30.0
SUSPENDED_S = 60.0
LOOKS_EACH_S = 60
SLOW_S = 120.0


async def rate_limited(town: DrillTown) -> None:
    """Discord answers every call of both accounts with 429, for a minute."""
    town.weather.chance["rate_limited"] = 1.0
    await asyncio.sleep(LIMITED_S)
    town.weather.chance["rate_limited"] = 0.0


async def blocked(town: DrillTown) -> None:
    """The bot says to one account that it is blocked; five minutes later a person has settled that, and resumes it."""
    town.blocked.add("fox")
    await asyncio.sleep(BLOCKED_S)
    town.blocked.clear()
    town.base.tell("account/fox", Reinstate("fox"))


async def disk_full(town: DrillTown) -> None:
    """The disk has less room than it must; a minute later it has none; half a minute later somebody has tidied up."""
    town.host.disk_bytes = 500 * MB
    await asyncio.sleep(NEARLY_FULL_S)
    town.host.disk_bytes = 0
    town.loop.trouble = Trouble("full")
    await asyncio.sleep(FULL_S)
    town.host.disk_bytes = RoomyHost.disk_bytes
    town.loop.trouble = None


async def mailbox_grows(town: DrillTown) -> None:
    """The gallery takes no mail for a minute, while many look at their pictures and drawings come to their ends."""
    town.base.suspend("gallery")
    for second in range(int(SUSPENDED_S)):
        for look in range(LOOKS_EACH_S):
            town.base.tell("gallery", AskImage("ana", f"look-{second}-{look}", ShowImage("ij0-1-1")))
        await asyncio.sleep(1.0)
    assert town.base.waiting()["gallery"] > MAILBOX_DEPTH_MAX
    town.base.resume("gallery")


async def store_slow(town: DrillTown) -> None:
    """Each call of the database takes seconds, for two minutes."""
    town.weather.chance["store_slow"] = 1.0
    await asyncio.sleep(SLOW_S)
    town.weather.chance["store_slow"] = 0.0


FAULTS: dict[str, Callable[[DrillTown], Coroutine[Any, Any, None]]] = {
    "Discord answers 429 for a minute": rate_limited,
    "one account is blocked": blocked,
    "the disk fills": disk_full,
    "a mailbox grows": mailbox_grows,
    "the store slows down": store_slow,
}
