"""What is said to the Console, and by it to the Gate, the Queue and sessions."""

from __future__ import annotations

from protocol.api import Instruct
from system.message import Message


class AskConsole(Message, frozen=True):
    """An operator's instruction. The console refuses what the role does not allow, so that it is on the audit trail.
    Answered by Say(socket, Instructed) to the gate.

    `user` is the name the audit trail shows. `verb` is `list`, `show` or what CONTRACT §6 names (`add`, `suspend`, …).
    """

    user: str
    role: str
    socket: str
    instruct: Instruct


class Stranger(Message, frozen=True):
    """By the gate: somebody there gave this instruction, and was refused; without a key that is known, or as who they
    are (`by`, `role`). For the trail."""

    instruct: Instruct
    remote: str
    by: str = ""
    role: str = ""


class AnswerDue(Message, frozen=True):
    """The console to itself: who asked under this id has waited long enough."""

    ask: str


class TurnAway(Message, frozen=True):
    """To the gate: this user may do nothing any more, or (`digest`) not with this key. Nothing that is remembered of
    the keys is believed, and sockets are closed with these words; without a `code`, none is."""

    user: str
    digest: str | None = None
    code: str | None = None
    message: str = ""


class Reconfigured(Message, frozen=True):
    """To who keeps something that the config says: it says something else now."""


class AskProgress(Message, frozen=True):
    """By the lobby to a user's session: how far are these jobs? Answered by ProgressTold; without a session, not."""

    user: str
    ask: str
    jobs: tuple[str, ...]


class ProgressTold(Message, frozen=True):
    """The percents of those that are known."""

    ask: str
    percents: dict[str, int]


class AskPresence(Message, frozen=True):
    """To the gate: how many sockets has this user? Answered by Presence."""

    ask: str
    user: str


class Presence(Message, frozen=True):
    """So many."""

    ask: str
    sockets: int
