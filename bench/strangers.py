"""How discord.py and hikari read a gateway stream, without a network: their own code from the frame to the event.

Nobody listens to their events, and they keep the caches they keep by default. Both read JSON with orjson if it is
there, and with the standard library if not.
"""

from __future__ import annotations

import contextlib
import logging
import zlib
from collections.abc import Callable
from typing import Any

import discord
import discord.gateway
import discord.utils
import hikari
from hikari.impl.shard import GatewayShardImpl

#: As discord.py and hikari name the events that tell of messages, by which a reading is checked.
MESSAGES = ("message", "raw_message_edit", "raw_message_delete")

Loads = Callable[[Any], Any]


class DiscordPy:
    """`DiscordWebSocket.received_message` of a `discord.Client` that was never connected. Made on a running loop."""

    def __init__(self, loads: Loads) -> None:
        logging.getLogger("discord").setLevel(logging.ERROR)
        discord.utils._from_json = loads
        intents = discord.Intents(guilds=True, guild_messages=True, message_content=True)
        self._client = discord.Client(intents=intents)
        self.messages = 0

    async def read(self, frames: list[bytes]) -> None:
        """Reads a whole stream."""
        client = self._client
        await client._async_setup_hook()
        socket = discord.gateway.DiscordWebSocket(socket=None, loop=client.loop)  # type: ignore[arg-type]
        socket._connection = client._connection
        socket._discord_parsers = client._connection.parsers
        socket._dispatch = self._count
        client._connection.dispatch = self._count
        socket.shard_id = socket._keep_alive = None
        for frame in frames:
            await socket.received_message(frame)
        if client._connection._ready_task is not None:
            client._connection._ready_task.cancel()

    def _count(self, name: str, *parts: Any) -> None:
        self.messages += name in MESSAGES


class Hikari:
    """hikari's inflating, its JSON, and `consume_raw_event` of a `GatewayBot` that was never connected."""

    def __init__(self, token: str, loads: Loads) -> None:
        self._loads = loads
        self._bot = hikari.GatewayBot(token, banner=None, logs="ERROR", suppress_optimization_warning=True)
        self.messages = 0

    async def read(self, frames: list[bytes]) -> None:
        """Reads a whole stream, as its shard's loop does."""
        manager, loads, inflate = self._bot._event_manager, self._loads, zlib.decompressobj().decompress
        shard = self._shard()
        for frame in frames:
            payload = loads(inflate(frame))
            if payload["op"] == 0:
                shard._seq = payload["s"]
                with contextlib.suppress(LookupError):  # an event it does not know
                    manager.consume_raw_event(payload["t"], shard, payload["d"])
        self.messages = len(self._bot.cache.get_messages_view())

    def _shard(self) -> ReadyShard:
        bot = self._bot
        return ReadyShard(
            event_manager=bot._event_manager,
            event_factory=bot._event_factory,
            http_settings=bot.http_settings,
            proxy_settings=bot.proxy_settings,
            intents=bot.intents,
            token=bot._token,
            url="ws://127.0.0.1:1",
        )


class ReadyShard(GatewayShardImpl):
    """A shard that knows who it is without having connected."""

    __slots__ = ()

    def get_user_id(self) -> hikari.Snowflake:
        return hikari.Snowflake(1)
