"""Exchange: one HTTP request as a short-lived socket that asks one question and hears one answer.

The future lives here and never travels: the Gate knows the exchange by its socket id, like any WebSocket.
"""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Callable
from typing import TypeVar

from actors.gate import Asked
from actors.process import Process
from protocol.api import Answer, Question, Refusal
from protocol.client import ClientMistake, Error, ServerFrame
from system.message import Message

#: How long a request waits for the actors. Longer than any of them takes when well; shorter than proxies wait.
ANSWER_S_MAX = 20.0

Expected = TypeVar("Expected")
Tell = Callable[[str, Message], None]


class Exchange:
    """A Door (actors/process.py) whose first word is the answer."""

    __slots__ = ("answer",)

    def __init__(self) -> None:
        self.answer: asyncio.Future[ServerFrame | Answer] = asyncio.get_running_loop().create_future()

    def send(self, words: ServerFrame | Answer) -> None:
        """The answer; a second one, or one that comes too late, is dropped."""
        if not self.answer.done():
            self.answer.set_result(words)

    def close(self, code: int, reason: str) -> None:
        """Hung up without an answer: the Gate or a session was started again."""
        if not self.answer.done():
            self.answer.set_result(Refusal("draining", "The service is starting again; try again shortly."))


class Desk:
    """Where web and actors meet: the socket table, ids for new sockets, and questions with their answers."""

    def __init__(self, process: Process, tell: Tell, answer_s: float = ANSWER_S_MAX) -> None:
        self.process = process
        self.tell = tell
        self.answer_s = answer_s
        # A prefix of this life of the process: an id is never met again, also across hosts and restarts.
        self._ids = (f"{secrets.token_hex(4)}-{number}" for number in itertools.count(1))

    def new_socket(self) -> str:
        """An id no other socket has or had."""
        return next(self._ids)

    async def ask(self, remote: str, key: str | None, question: Question) -> ServerFrame | Answer:
        """Asks the Gate in the name of `key`. Raises ClientMistake: a refusal, or `draining` when no answer comes."""
        socket, exchange = self.new_socket(), Exchange()
        self.process.sockets[socket] = exchange
        try:
            self.tell("gate", Asked(socket, remote, key, question))
            async with asyncio.timeout(self.answer_s):
                answer = await exchange.answer
        except TimeoutError:
            raise ClientMistake("draining", "No answer came in time; the request may be tried again.") from None
        finally:
            self.process.sockets.pop(socket, None)
        if isinstance(answer, Refusal):
            raise ClientMistake(answer.code, answer.message, retry_after_s=answer.retry_after_s)
        if isinstance(answer, Error):
            raise ClientMistake(answer.code, answer.message, answer.ref)
        return answer

    async def ask_for(self, kind: type[Expected], remote: str, key: str | None, question: Question) -> Expected:
        """`ask`, for an answer of this kind; another one is our own mistake (TypeError)."""
        answer = await self.ask(remote, key, question)
        if not isinstance(answer, kind):
            raise TypeError(f"{type(question).__name__} was answered by {type(answer).__name__}")
        return answer
