"""Link: the console's way to the daemon: kept-alive HTTP, with bounds on time and size."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from typing import Any, Protocol, cast
from urllib.parse import quote, urlencode

import aiohttp
from yarl import URL

from console.reach import Daemon
from system.version import HEADER, own_version

BASE = "/admin/v1"
ANSWER_S_MAX = 5.0
ANSWER_BYTES_MAX = 8 << 20
CONNECTIONS_MAX = 4

Answer = Mapping[str, Any]


class Lost(Exception):
    """Nobody answers there. `is_slow`: not in time. `may_be_done`: what was asked for may have been heard."""

    def __init__(self, words: str, is_slow: bool = False, may_be_done: bool = True) -> None:
        super().__init__(words)
        self.is_slow, self.may_be_done = is_slow, may_be_done


class Refused(Exception):
    """The daemon answers, but not what was asked for: its problem document (docs/API.md)."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message = status, code, message


class Source(Protocol):
    """Whence the console has what it shows."""

    async def get(self, path: str) -> Answer:
        """The answer of a route below /admin/v1. Raises Lost, Refused."""

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """The answer to a change. Raises Lost, Refused."""

    async def close(self) -> None:
        """Nothing more is asked."""


def route(path: str, **query: Any) -> str:
    """A path with its query; what is empty or None is left out. Names within the path are to be quoted: `named`."""
    kept = {name: value for name, value in query.items() if value not in (None, "")}
    return f"{path}?{urlencode(kept)}" if kept else path


def named(noun: str, of: str, verb: str = "") -> str:
    """The path of one thing, or of a verb for it. A slash in an actor's name stands as it is (docs/ADMIN.md)."""
    return "/".join(part for part in (noun, quote(of), verb) if part)


class Link:
    """The Source that asks a running daemon. Made and used on one asyncio loop."""

    def __init__(self, daemon: Daemon) -> None:
        self._daemon = daemon
        self._session: aiohttp.ClientSession | None = None

    async def get(self, path: str) -> Answer:
        """See Source."""
        return await self._ask("GET", path, None)

    async def post(self, path: str, body: Mapping[str, Any]) -> Answer:
        """See Source."""
        return await self._ask("POST", path, body)

    async def close(self) -> None:
        """See Source."""
        if self._session is not None:
            await self._session.close()

    async def _ask(self, method: str, path: str, body: Mapping[str, Any] | None) -> Answer:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                headers={
                    "Authorization": f"Bearer {self._daemon.key}",
                    "Accept": "application/json",
                    HEADER: own_version(),
                },
                timeout=aiohttp.ClientTimeout(total=ANSWER_S_MAX),
                trust_env=not self._daemon.is_near,
            )
        try:
            async with self._session.request(method, _url(self._daemon, path), json=body) as answer:
                text = await _read(answer)
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            is_slow, is_unheard = isinstance(error, TimeoutError), isinstance(error, aiohttp.ClientConnectorError)
            raise Lost(_why(error), is_slow, may_be_done=not is_unheard) from None
        return _understood(answer.status, text)


def _url(daemon: Daemon, path: str) -> URL:
    """Quoted already: a name keeps what it is quoted as."""
    return URL(f"{daemon.url}{BASE}/{path}", encoded=True)


def _why(error: BaseException) -> str:
    """In a few words: the system's own where it has any."""
    number = getattr(error, "errno", None)
    if isinstance(number, int) and number > 0:
        return os.strerror(number)
    return (
        "it does not answer"
        if isinstance(error, TimeoutError)
        else " ".join(str(error).split()) or type(error).__name__
    )


async def _read(answer: aiohttp.ClientResponse) -> bytes:
    """The body. Raises Lost when it is longer than anything a daemon says."""
    parts, length = [], 0
    async for part in answer.content.iter_chunked(1 << 16):
        parts.append(part)
        length += len(part)
        if length > ANSWER_BYTES_MAX:
            raise Lost(f"its answer is longer than {ANSWER_BYTES_MAX >> 20} MiB")
    return b"".join(parts)


def _understood(status: int, text: bytes) -> Answer:
    """The answer as a mapping. Raises Refused; Lost when it is nothing that a daemon of ours says."""
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise Lost(f"what answers there (HTTP {status}) is no Limner")
    if status >= 400:
        words = str(found.get("detail") or found.get("title") or "no reason given")
        raise Refused(status, str(found.get("code") or status), words)
    return cast(Answer, found)
