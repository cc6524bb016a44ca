"""The actors of bench/loop_base.py, the same for every engine: a ring that passes numbers on, and one that counts ends.

They live in a module of their own because Thespian's TCP base cannot create classes of `__main__`.
"""

import threading
from typing import Any, NamedTuple

import pykka
from thespian.actors import Actor


class Link(NamedTuple):
    """To a ring member: who is next, and who counts the numbers that came to zero."""

    neighbour: Any
    counter: Any


class Start(NamedTuple):
    """To a ring member: give each of these members a number to pass on."""

    members: tuple[Any, ...]
    hops: int


class Await(NamedTuple):
    """To the counter: tell the asker when this many numbers have come to zero."""

    ends: int


class Member(Actor):
    """A ring member for all of Thespian's bases."""

    link: Link

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if type(message) is int:
            if message:
                self.send(self.link.neighbour, message - 1)
            else:
                self.send(self.link.counter, message)
        elif type(message) is Link:
            self.link = message
        elif type(message) is Start:
            for member in message.members:
                self.send(member, message.hops)


class Counter(Actor):
    """Tells the asker when all numbers have come to zero."""

    ends = 0
    asker: Any = None

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if type(message) is int:
            self.ends -= 1
            if self.ends == 0:
                self.send(self.asker, "finished")
        elif type(message) is Await:
            self.ends, self.asker = message.ends, sender
            self.send(sender, "ready")


class PykkaMember(pykka.ThreadingActor):
    """A ring member on Pykka."""

    def on_receive(self, message: Any) -> None:
        if type(message) is int:
            if message:
                self.link.neighbour.tell(message - 1)
            else:
                self.link.counter.tell(message)
        elif type(message) is Link:
            self.link = message
        elif type(message) is Start:
            for member in message.members:
                member.tell(message.hops)


class PykkaCounter(pykka.ThreadingActor):
    """Sets the event when all numbers have come to zero."""

    def __init__(self, finished: threading.Event) -> None:
        super().__init__()
        self.finished = finished
        self.ends = 0

    def on_receive(self, message: Any) -> None:
        if type(message) is int:
            self.ends -= 1
            if self.ends == 0:
                self.finished.set()
        elif type(message) is Await:
            self.ends = message.ends
