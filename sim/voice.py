"""Voice: how the bot's messages become history and gateway events, with the disorder that a test asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.job import Job
from sim.messages import EPHEMERAL, Message
from sim.parts import Parts


class Voice:
    """Says things in channels and to single users. All calls belong into the caller's transaction."""

    def __init__(self, parts: Parts) -> None:
        self.parts = parts
        self.held: dict[str, Callable[[], None]] = {}  # by job: an event that will come after its successor

    def create(self, job: Job, message: Message, nonce: str | None = None) -> None:
        self.parts.channels.keep(message)
        self.say(job, "MESSAGE_CREATE", message, nonce)

    def update(self, job: Job, message: Message) -> None:
        message.edited_at = max(message.at, self.now())
        self.parts.channels.keep(message)
        self.say(job, "MESSAGE_UPDATE", message)

    def delete(self, job: Job, message: Message) -> None:
        self.parts.channels.remove(message)
        data = {"id": message.id, "channel_id": message.channel_id, "guild_id": self.parts.identity.guild_id}
        viewers = [account.id for account in self.parts.people.viewers(message.channel_id)]
        self.disorderly(job, lambda: self.parts.hub.publish("MESSAGE_DELETE", data, viewers))

    def privately(self, name: str, account_id: str, data: dict[str, Any], job: Job | None = None) -> None:
        """An event for the user alone who pressed."""

        def publish() -> None:
            self.parts.hub.publish(name, data, [account_id])

        if job is None:
            publish()
        else:
            self.disorderly(job, publish)

    def say(self, job: Job, name: str, message: Message, nonce: str | None = None) -> None:
        parts = self.parts
        data = parts.renderer.message(message, metadata=not parts.settings.drop_metadata)
        if message.channel_id not in parts.people.direct:
            data["guild_id"] = parts.identity.guild_id
        if message.flags & EPHEMERAL:
            viewers = [job.account_id]
        else:
            viewers = [account.id for account in parts.people.viewers(message.channel_id)]
        self.disorderly(job, lambda: parts.hub.publish(name, data, viewers, owner=job.account_id, nonce=nonce))

    def disorderly(self, job: Job, publish: Callable[[], None]) -> None:
        """Publish once or twice; or keep this one back until the job's next event is out."""
        settings, dice = self.parts.settings, self.parts.dice
        held = self.held.pop(job.hash, None)
        if held is None and settings.reorder and dice.random() < settings.reorder_chance:
            self.held[job.hash] = publish
            return
        publish()
        if settings.duplicate_events and dice.random() < settings.duplicate_chance:
            publish()
        if held is not None:
            held()

    def flush(self, job: Job) -> None:
        """The job's last event is out: nothing is held back any longer."""
        held = self.held.pop(job.hash, None)
        if held is not None:
            held()

    def now(self) -> float:
        return self.parts.clock()
