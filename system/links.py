"""Links: all input and output to Discord and other APIs, and no decision about any of it. What actors know of them.

One try each, never a second: whether a thing may be tried again is decided by those who know what it was. What fails
raises `LinkBroken`, which says whether a byte can have left. The real ones are in discord_links.py; a simulated city
puts other `Links` in their place.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from protocol.openai import Call
from protocol.rest import Request

#: Why an address that a user gives is not asked.
NOT_PUBLIC = "the address is not public"


class LinkBroken(Exception):
    """There is no whole answer. `sent` False: no byte of the request can have left; None: nobody can know."""

    def __init__(self, why: str, sent: bool | None) -> None:
        super().__init__(why)
        self.why, self.sent = why, sent


class TooLarge(Exception):
    """The body is longer than the caller's limit."""


#: Waits until there is memory for so many bytes.
Reserve = Callable[[int], Awaitable[None]]


class WireClosed(Exception):
    """The gateway connection has ended; `code` is the peer's close code, None when there was none (cut, reset)."""

    def __init__(self, code: int | None) -> None:
        super().__init__(f"closed with {code}")
        self.code = code


class Response(msgspec.Struct, frozen=True):
    """A whole answer to a REST request, whatever its status. Header names in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Fetched(msgspec.Struct, frozen=True):
    """A whole body from the CDN. `media_type` is what the server says, without parameters."""

    status: int
    data: bytes
    media_type: str


class Wire(Protocol):
    """One gateway WebSocket. `send`, `close` and `drop` return at once and keep their order."""

    async def receive(self) -> str | bytes:
        """The next frame: text, or compressed bytes. Raises WireClosed after the last one."""

    def send(self, text: str) -> None:
        """Queue a text frame; on a closed wire it is dropped."""

    def close(self, code: int) -> None:
        """Send what is queued, then close with this code."""

    def drop(self) -> None:
        """Cut the connection without a close frame. Twice is harmless."""


class Links(Protocol):
    """What an account and the gallery need of the network."""

    async def request(self, request: Request, authorization: Mapping[str, str]) -> Response:
        """One REST call, with the headers that say whose it is. Raises LinkBroken."""

    async def call(self, call: Call, limit_bytes: int, timeout_s: float) -> Response:
        """One request to an API that is not Discord's. Raises LinkBroken, also for an answer longer than the limit."""

    async def fetch(
        self, url: str, limit_bytes: int, timeout_s: float, public_only: bool = False, reserve: Reserve | None = None
    ) -> Fetched:
        """A body from the CDN. Raises LinkBroken, also for a body that ends early, and TooLarge.

        `public_only` is for addresses that users give: a host that is not on the public internet is not asked.
        `reserve` is awaited with the most bytes that the body can have, before it is read.
        """

    async def put(self, url: str, data: bytes, media_type: str) -> int:
        """Fill an upload slot, which never sees a token; the status. Raises LinkBroken."""

    async def submit(self, url: str, body: Any) -> int:
        """POST JSON to an application's own host, which never sees a token; the status. Raises LinkBroken."""

    async def connect(self, url: str) -> Wire:
        """Open a gateway WebSocket. Raises LinkBroken."""

    async def close(self) -> None:
        """The process ends. Gateway wires end with the actors that hold them."""
