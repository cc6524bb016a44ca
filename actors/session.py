"""Session: one user's presence on this host. Speaks the user's frames, and passes tokens on for the user's jobs.

Takes   Attach, Detach, Heard (gate);  JobAccepted, JobRefused, CancelHeard, Places, JobMoved, JobSettled (queue);
        Token (scheduler);  Progressed (account, gallery);  LookedUp (store)
Sends   Say, Hang -> gate;  Enqueue, Cancel, AskPlaces -> queue;  Perform -> account/NAME;  Lookup -> store;  Resting -> lobby
Crash   restarted by Lobby; sockets reattach (Lobby closes them 1013 and they resume by seq); void leases time out
"""

from __future__ import annotations

from protocol.api import Answer, Question
from protocol.client import ClientFrame, ServerFrame
from system.message import Message


class Attach(Message, frozen=True):
    """A socket of this user has authenticated: it gets `welcome`, then every event."""

    user: str
    socket: str


class Detach(Message, frozen=True):
    """The socket is gone."""

    user: str
    socket: str


class Heard(Message, frozen=True):
    """The user says something: a frame on an attached socket, or a question of an HTTP request (a socket that hears one answer)."""

    user: str
    socket: str
    words: ClientFrame | Question


class Say(Message, frozen=True):
    """To the gate: send this to the socket."""

    socket: str
    words: ServerFrame | Answer


class Hang(Message, frozen=True):
    """To the gate: close the socket with this code of CONTRACT §3."""

    socket: str
    code: int
    reason: str
