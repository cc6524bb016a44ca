"""Pictures that users give: in the world, in Discord's upload slots, and posted in channels; each says whose it is."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from system.links import LinkBroken
from tests.city.cdn import nonce_in

if TYPE_CHECKING:
    from tests.city.discord import Channel, Discord, Resident

SLOTS = "https://slots.city/"
OK, UNAVAILABLE = 200, 503


class Uploads:
    """Slots by the name they have when they are full."""

    def __init__(self, discord: Discord) -> None:
        self.discord = discord
        self.slots: dict[str, str | None] = {}
        self._numbers = itertools.count(1)

    def offer(self) -> dict[str, Any]:
        """An empty slot."""
        name = f"{next(self._numbers)}/picture.png"
        self.slots[name] = None
        return {"attachments": [{"id": 0, "upload_url": SLOTS + name, "upload_filename": name}]}

    def put(self, url: str, data: bytes) -> int:
        """Fills a slot. Raises LinkBroken."""
        weather = self.discord.weather
        if weather.strikes("put_lost"):
            raise LinkBroken("ServerDisconnectedError", None)
        if weather.strikes("put_refused"):
            return UNAVAILABLE
        self.slots[url.removeprefix(SLOTS)] = nonce_in(data)
        return OK

    def given(self, attachments: list[dict[str, Any]]) -> tuple[str, ...]:
        """Whose pictures are in these slots."""
        return tuple(self.slots[each["uploaded_filename"]] or "nothing" for each in attachments)

    def post(self, resident: Resident, channel: Channel, body: dict[str, Any]) -> dict[str, Any]:
        """A message of the account's own, with one picture."""
        discord = self.discord
        (label,) = self.given(body["attachments"])
        message = {
            "id": discord.snowflake(),
            "channel_id": channel.id,
            "author": {"id": resident.user_id, "username": resident.name},
            "content": body["content"],
            "attachments": [discord.cdn.keep(channel.id, "picture.png", "a picture of a user's", label)],
            "embeds": [],
            "components": [],
            "flags": 0,
        }
        channel.messages[message["id"]] = message
        for viewer in channel.residents:
            discord.gateway.publish(viewer.name, "MESSAGE_CREATE", message)
        return message
