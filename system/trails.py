"""Trails: which actors a job's messages go through, noted for a while for an operator who asked for it.

While a job is followed, the FIFO of the base is a `WatchedMail`, which looks at each message that is taken from it;
otherwise it is a plain deque, and nobody pays. A message is about a job when the job's id stands in it, in any field,
also of what it holds. Noted is its type, never what it says.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

import msgspec
from thespian.actors import ActorAddress, WakeupMessage

from system.message import Message

if TYPE_CHECKING:
    from system.record import ActorRecord

#: Bounds of what is noted at once: jobs, messages of each (the latest are kept), and how deep a message is looked into.
FOLLOWED_MAX = 32
SIGHTS_MAX = 1_000
DEPTH_MAX = 3
ROWS_LOOKED_AT_MAX = 100

Letter = tuple["ActorRecord", Any, ActorAddress]


class Sight(msgspec.Struct, frozen=True):
    """A message about a job, when its receiver took it. `at`: Unix time, s; `by`: the receiver; `sender`: whose it was;
    `what`: its type."""

    at: float
    by: str
    sender: str
    what: str


class Trails:
    """What is followed until when, and what was seen. Times are the loop's, s."""

    def __init__(self) -> None:
        #: What is not noted: whoever looks at a trail again and again would else be most of it.
        self.overlooks: Callable[[Message, str, str], bool] = lambda message, by, sender: False
        self._until: dict[str, float] = {}
        self._seen: dict[str, deque[Sight]] = {}

    def follow(self, job: str, until: float, now: float) -> bool:
        """Whether there is room: FOLLOWED_MAX at a time. Those whose time is over make room, and are forgotten."""
        self.lapse(now)
        known = self._seen.pop(job, None)
        if known is None:
            if len(self._until) >= FOLLOWED_MAX:
                return False
            over = [each for each in self._seen if each not in self._until]
            for each in over[: max(0, len(self._seen) + 1 - FOLLOWED_MAX)]:
                del self._seen[each]
        self._seen[job] = known if known is not None else deque(maxlen=SIGHTS_MAX)
        self._until[job] = until
        return True

    def lapse(self, now: float) -> bool:
        """Follows no longer what need not be followed; whether anything still is."""
        self._until = {job: until for job, until in self._until.items() if until > now}
        return bool(self._until)

    def is_followed(self, job: str) -> bool:
        return job in self._until

    def of(self, job: str) -> tuple[Sight, ...]:
        """The sights of a job, oldest first; also after its time."""
        return tuple(self._seen.get(job, ()))

    def look(self, letter: Letter, wall: float) -> None:
        """Notes a message that is about to be handled."""
        record, message, sender = letter
        if isinstance(message, WakeupMessage):
            message = message.payload
        if record.instance is None or record.suspended or not isinstance(message, Message):
            return
        for job in set(_texts(message, DEPTH_MAX)) & self._until.keys():
            origin = getattr(sender, "record", None)
            by, of = record.label, origin.label if origin is not None else sender.actorAddressString
            if not self.overlooks(message, by, of):
                self._seen[job].append(Sight(wall, by, of, type(message).__name__))


class WatchedMail(deque[Letter]):
    """The FIFO of a base while a job is followed."""

    def __init__(self, letters: Iterable[Letter], base: Any) -> None:
        super().__init__(letters)
        self._base = base

    def popleft(self) -> Letter:
        letter = super().popleft()
        self._base.trails.look(letter, self._base.wall())
        return letter


def _texts(value: object, depth: int) -> Iterator[str]:
    """Every text in a message's fields, and in those of what it holds."""
    if isinstance(value, str):
        yield value
    elif depth and isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            yield from _texts(getattr(value, name), depth - 1)
    elif depth and isinstance(value, tuple):
        for each in value[:ROWS_LOOKED_AT_MAX]:
            yield from _texts(each, depth - 1)
