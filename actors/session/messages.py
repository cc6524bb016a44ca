"""What is said to a session and by it: the vocabulary (the actor is in session.py)."""

from __future__ import annotations

from protocol.api import Answer, Question
from protocol.client import ClientFrame, ServerFrame
from system.message import Message

# --- from the gate, through the lobby


class Attach(Message, frozen=True):
    """A socket of this user has authenticated: it gets `welcome`, then every event."""

    user: str
    socket: str


class Detach(Message, frozen=True):
    """The socket is gone."""

    user: str
    socket: str


class Heard(Message, frozen=True):
    """The user says something: a frame on an attached socket, or an HTTP question (one answer)."""

    user: str
    socket: str
    words: ClientFrame | Question


# --- to the gate


class Say(Message, frozen=True):
    """Send this to the socket."""

    socket: str
    words: ServerFrame | Answer


class Hang(Message, frozen=True):
    """Close the socket with this code of CONTRACT §3."""

    socket: str
    code: int
    reason: str


class HangUser(Message, frozen=True):
    """This user's sockets have lost their session: close them."""

    user: str
    code: int
    reason: str


class HangAll(Message, frozen=True):
    """Every authenticated socket has lost its session: close them all."""

    code: int
    reason: str


# --- with the lobby


class Resting(Message, frozen=True):
    """A session has no sockets and no jobs, after `heard` messages from the lobby: may it go?"""

    user: str
    heard: int


class Rest(Message, frozen=True):
    """Yes: nothing was routed to it meanwhile."""

    user: str
