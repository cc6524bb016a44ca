"""What is said between the console and the Queue: an operator's orders and questions, and their answers."""

from __future__ import annotations

from msgspec import Struct

from system.message import Message


class CancelWaiting(Message, frozen=True):
    """The user is banned: end all of their jobs that wait, refunded. Answered by WaitingCancelled."""

    user: str
    ask: str


class WaitingCancelled(Message, frozen=True):
    """So many were."""

    ask: str
    count: int


class PlanChanged(Message, frozen=True):
    """To the Queue, and by the lobby to the user's session: from now on the user has this plan."""

    user: str
    plan: str


class PauseQueue(Message, frozen=True):
    """No drawing begins any more, also after a restart, or (not `paused`) they begin again. Answered by QueuePaused."""

    paused: bool
    ask: str


class QueuePaused(Message, frozen=True):
    """It is stored. Not `changed`: it was so before. `code`: it is not, for the database takes nothing now."""

    ask: str
    changed: bool
    code: str | None = None


class AskQueue(Message, frozen=True):
    """How does the queue stand, and who waits most, `users` of them at most? Answered by QueueStands.

    `after`: those that come after a user with so many jobs that wait.
    """

    ask: str
    users: int
    after: tuple[int, str] | None = None


class QueueUser(Struct, frozen=True):
    """What a user has in the queue."""

    user: str
    waiting: int
    drawing: int
    weight: float


class QueueStands(Message, frozen=True):
    """`lanes`: how many wait by mode. `more`: after these users there are others."""

    ask: str
    depth: int
    paused: bool
    lanes: dict[str, int]
    users: tuple[QueueUser, ...]
    more: bool


class AskStandings(Message, frozen=True):
    """In which place does each of these jobs wait? Answered by Standings."""

    ask: str
    jobs: tuple[str, ...]


class Standings(Message, frozen=True):
    """The places of those that wait."""

    ask: str
    places: dict[str, int]
