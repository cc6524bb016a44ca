"""Voice: how the bot's messages become history and gateway events, with the disorder that a test asked for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sim.crier import Crier
from sim.job import Job
from sim.messages import Message
from sim.parts import Parts


class Voice:
    """Says things in channels and to single users. All calls belong into the caller's transaction."""

    def __init__(self, parts: Parts, crier: Crier) -> None:
        self.parts = parts
        self.crier = crier
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
        self.disorderly(job, self.crier.removal(message, job.account_id))

    def privately(self, name: str, account_id: str, data: dict[str, Any], job: Job | None = None) -> None:
        """An event for the user alone who pressed."""

        def publish() -> None:
            self.parts.hub.publish(name, data, [account_id])

        if job is None:
            publish()
        else:
            self.disorderly(job, publish)

    def say(self, job: Job, name: str, message: Message, nonce: str | None = None) -> None:
        self.disorderly(job, self.crier.saying(name, message, job.account_id, nonce))

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
