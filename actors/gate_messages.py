"""What the web app says to the Gate."""

from __future__ import annotations

from protocol.api import Question
from protocol.client import ClientFrame
from system.message import Message


class Arrived(Message, frozen=True):
    """A WebSocket is open. `key`: from the header or the page's cookie; None: a first frame `auth` must follow."""

    socket: str
    remote: str
    key: str | None

    def __repr__(self) -> str:
        return f"Arrived(socket={self.socket!r}, remote={self.remote!r}, key={'…' if self.key else None})"


class Spoken(Message, frozen=True):
    """A frame came in on an open WebSocket."""

    socket: str
    frame: ClientFrame


class Asked(Message, frozen=True):
    """An HTTP request: authenticate `key` and get one answer to the socket."""

    socket: str
    remote: str
    key: str | None
    question: Question

    def __repr__(self) -> str:
        return f"Asked(socket={self.socket!r}, question={type(self.question).__name__})"


class Left(Message, frozen=True):
    """The transport is closed."""

    socket: str
