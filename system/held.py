"""Suspended actors. A `Held` takes the actor's place in its record, so nobody pays for it while nobody is suspended.

What comes for the actor waits in order, also its timers and the results of its tasks, and is its first mail when it is
resumed. Nothing is lost: one whose mailbox fills to HELD_MAX is resumed by itself, loudly, and so is one that is asked
to exit, which then works off what waits first. A crash of one of its tasks, and an `Urgent` message, end it as ever.
"""

import logging
from typing import TYPE_CHECKING, Any

from thespian.actors import ActorAddress, ActorExitRequest

from system.message import Message

if TYPE_CHECKING:
    from system.record import ActorRecord

HELD_MAX = 10_000

log = logging.getLogger("limner.actors")


class Urgent(Message, frozen=True):
    """Base of messages that a suspended actor takes all the same."""


class Held:
    """Stands in for a suspended actor, and keeps its mail."""

    __slots__ = ("_record", "actor", "mail", "since")

    def __init__(self, record: "ActorRecord") -> None:
        self._record = record
        self.actor = record.instance
        self.mail: list[tuple[ActorRecord, Any, ActorAddress]] = []
        #: Unix s, for people.
        self.since = record.base.wall()

    def receiveMessage(self, message: Any, sender: ActorAddress) -> None:
        if isinstance(message, Urgent):
            self.actor.receiveMessage(message, sender)
            return
        record = self._record
        record.handled -= 1  # it waits again
        self.mail.append((record, message, sender))
        if isinstance(message, ActorExitRequest):
            record.base.resume(record.label)
        elif len(self.mail) >= HELD_MAX:
            log.error(
                "%s is resumed: %d messages wait for it, and none may be lost",
                record.label,
                len(self.mail),
                extra={"actor": record.label},
            )
            record.base.resume(record.label)
