"""What is said to the Console."""

from __future__ import annotations

from protocol.api import Instruct
from system.message import Message


class AskConsole(Message, frozen=True):
    """An operator's instruction; the gate has checked the role. Answered by Say(socket, Instructed) to the gate.

    `user` is the name the audit trail shows. `verb` is `list`, `show` or what CONTRACT §6 names (`add`, `suspend`, …).
    """

    user: str
    role: str
    socket: str
    instruct: Instruct


class AnswerDue(Message, frozen=True):
    """The console to itself: who asked under this id has waited long enough."""

    ask: str
