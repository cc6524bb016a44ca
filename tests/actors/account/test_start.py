"""Accounts that start together knock at Discord's gateway one after another, and an only one at once."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from msgspec import structs

from actors.account.presence import START_APART_S
from core.config import Secret
from tests.actors.account.test_pause import is_in_work, kill
from tests.actors.calm import CHANNEL, Calm, live
from tests.city.discord import Discord, Resident

MANY = 100


def move_in(town: Calm, count: int) -> None:
    """So many accounts more, in the config and at Discord."""
    (first,) = town.config.accounts
    names = [f"hare-{number:03}" for number in range(count)]
    more = tuple(structs.replace(first, name=name, token=Secret(f"token-{name}")) for name in names)
    town.config = structs.replace(town.config, accounts=(first, *more))
    for number, name in enumerate(names):
        resident = Resident(name, f"token-{name}", str(1_000 + number), CHANNEL)
        town.discord.by_token[resident.token] = resident
        town.discord.residents.append(resident)
        town.discord.channels[CHANNEL].residents.append(resident)
        town.discord.bot.busy[name] = []


def test_the_first_connections_of_a_hundred_accounts_are_spread_over_two_seconds() -> None:
    knocked: list[float] = []
    connect = Discord.connect

    async def noted(self: Discord, url: str) -> Any:
        knocked.append(self.loop.time())
        return await connect(self, url)

    async def scene(town: Calm) -> None:
        await is_in_work(town)
        move_in(town, MANY)
        with patch.object(Discord, "connect", noted):
            kill(town)
            await town.until(lambda: len(knocked) > MANY)
        within_100_ms = max(sum(at <= other < at + 0.1 for other in knocked) for at in knocked)
        assert within_100_ms <= 20
        assert 1.0 < max(knocked) - min(knocked) < START_APART_S * MANY + 2.0

    live(scene)


def test_an_only_account_knocks_as_soon_as_it_knows_what_it_must() -> None:
    async def scene(town: Calm) -> None:
        await is_in_work(town)
        at = town.loop.time()
        kill(town)
        await is_in_work(town)
        assert town.loop.time() - at < 3.0

    live(scene)
