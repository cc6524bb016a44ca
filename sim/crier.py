"""Crier: tells those who see a channel what is said, changed and taken away in it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.identity import Account
from sim.messages import EPHEMERAL, Message
from sim.parts import Parts
from sim.welcome import member_object


class Crier:
    """Makes history and gateway events of what people and bots write. All calls belong into a transaction."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts

    def shown(self, message: Message) -> dict[str, Any]:
        """The message with fresh links, whose host is put in when it is sent."""
        return self.parts.renderer.message(message, metadata=not self.parts.settings.drop_metadata)

    def create(self, message: Message, *, owner: str | None = None, nonce: str | None = None) -> None:
        """`owner` hears its nonce, and hears alone of an ephemeral message."""
        self.parts.channels.keep(message)
        self.tell("MESSAGE_CREATE", message, owner, nonce)

    def update(self, message: Message, *, owner: str | None = None) -> None:
        message.edited_at = max(message.at, self.parts.clock())
        self.parts.channels.keep(message)
        self.tell("MESSAGE_UPDATE", message, owner)

    def delete(self, message: Message, *, owner: str | None = None) -> None:
        self.parts.channels.remove(message)
        self.removal(message, owner)()

    def tell(self, name: str, message: Message, owner: str | None = None, nonce: str | None = None) -> None:
        self.saying(name, message, owner, nonce)()

    def saying(self, name: str, message: Message, owner: str | None, nonce: str | None = None) -> Callable[[], None]:
        """What tells of the message as it is now, whenever it is called."""
        data = self.shown(message) | self.place(message.channel_id)
        author = self.parts.people.by_id.get(message.author_id)
        if author is not None and "guild_id" in data and "webhook_id" not in data:
            data["member"] = {key: value for key, value in member_object(author).items() if key != "user"}
        viewers = self.viewers(message, owner)
        return lambda: self.parts.hub.publish(name, data, viewers, owner=owner, nonce=nonce)

    def removal(self, message: Message, owner: str | None) -> Callable[[], None]:
        data, viewers = {"id": message.id} | self.place(message.channel_id), self.viewers(message, owner)
        return lambda: self.parts.hub.publish("MESSAGE_DELETE", data, viewers)

    def announce(self, name: str, channel_id: str, data: dict[str, Any]) -> None:
        """An event in a channel that is no message: someone types, someone reacts."""
        everyone = [account.id for account in self.parts.people.viewers(channel_id)]
        self.parts.hub.publish(name, data | self.place(channel_id), everyone)

    def privately(self, name: str, account: Account, data: dict[str, Any]) -> None:
        self.parts.hub.publish(name, data, [account.id])

    def place(self, channel_id: str) -> dict[str, Any]:
        """Where something happens: a direct channel is in no guild."""
        in_guild = channel_id not in self.parts.people.direct
        return {"channel_id": channel_id} | ({"guild_id": self.parts.identity.guild_id} if in_guild else {})

    def viewers(self, message: Message, owner: str | None) -> list[str]:
        if message.flags & EPHEMERAL:
            return [owner] if owner is not None else []
        return [account.id for account in self.parts.people.viewers(message.channel_id)]
