"""Lobby: finds or makes the session of a user, and supervises sessions.

Takes   everything that is addressed to a user (Attach, Detach, Heard, JobAccepted, … Token, Progressed: see session.py), Resting
Sends   the same message -> session/USER;  Rest -> session/USER
Crash   its sessions die with it; sockets are closed 1013 and resume; tokens time out
"""

from __future__ import annotations

from system.message import Message


class Resting(Message, frozen=True):
    """A session has no sockets and no jobs, after `heard` messages from the lobby: may it go?"""

    user: str
    heard: int


class Rest(Message, frozen=True):
    """Yes: nothing was routed to it meanwhile."""

    user: str
