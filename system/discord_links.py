"""DiscordLinks: the real links (the contract is in links.py), over aiohttp and websockets.

Apart from their contract, because only who has accounts needs them: they are 9 MB of a process. Tokens and prompts pass
through here: neither is ever logged or put into an error.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import logging
import socket
from collections.abc import Mapping
from enum import Enum
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import msgspec
from aiohttp.abc import ResolveResult
from websockets.asyncio.client import ClientConnection
from websockets.asyncio.client import connect as connect_websocket
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidURI

from protocol import multipart
from protocol.openai import Call
from protocol.rest import Request
from system.links import NOT_PUBLIC, Fetched, LinkBroken, Reserve, Response, TooLarge, Wire, WireClosed

CONNECT_S_MAX = 10.0
#: Of APIs: a request that has gone on for longer has reached somebody (actors/account/images.py).
API_CONNECT_S_MAX = 4.0
#: From the first byte sent to the last one received of a REST answer.
ANSWER_S_MAX = 20.0
ANSWER_BYTES_MAX = 16 << 20
UPLOAD_S_MAX = 60.0
CONNECTIONS_MAX = 400
CONNECTIONS_PER_HOST_MAX = 200
KEEPALIVE_S = 30.0
#: A GUILD_CREATE of a large guild has several MiB; the library's default of 1 MiB would end the session (1009).
FRAME_BYTES_MAX = 64 << 20
#: Frames read ahead of the actor. Generous, so that heartbeat answers never wait behind a burst of events.
FRAMES_AHEAD_MAX = 1024
CLOSE_S_MAX = 3.0
CHUNK_BYTES = 1 << 16

#: The library logs frames at DEBUG, and the first one holds the token: this logger never goes below INFO.
wire_log = logging.getLogger("limner.wire")
wire_log.setLevel(logging.INFO)


class Peer(Enum):
    """Whom a session is for."""

    DISCORD = "discord"
    #: Addresses that users give.
    PUBLIC = "public"
    #: An API of the operator's config, which may be this machine's.
    API = "api"


class DiscordLinks:
    """The real links: one HTTP session for each kind of peer. Made and used on the loop's thread."""

    def __init__(self, api: str, proxy: str | None = None) -> None:
        """`api` is Discord's REST base URL with its version; `proxy` an HTTP proxy for Discord, gateways included."""
        self._api = api.rstrip("/")
        self._proxy = proxy
        self._sessions: dict[Peer, aiohttp.ClientSession] = {}

    async def request(self, request: Request, authorization: Mapping[str, str]) -> Response:
        url, headers, data = self._api + request.path, dict(authorization), None
        if request.files:
            headers["Content-Type"], data = multipart.encode(request.json, request.files)
        elif request.json is not None:
            data, headers["Content-Type"] = msgspec.json.encode(request.json), "application/json"
        try:
            async with self._session().request(
                request.method, url, data=data, headers=headers, allow_redirects=False, timeout=_within(ANSWER_S_MAX)
            ) as answer:
                body = await _read(answer, ANSWER_BYTES_MAX)
                return Response(answer.status, {name.lower(): text for name, text in answer.headers.items()}, body)
        except TooLarge:
            raise LinkBroken("the answer is too large", None) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _broken(error) from None

    async def call(self, call: Call, limit_bytes: int, timeout_s: float) -> Response:
        try:
            async with self._session(Peer.API).request(
                call.method,
                call.url,
                data=call.body,
                headers=call.headers,
                allow_redirects=False,
                timeout=_within(timeout_s, API_CONNECT_S_MAX),
            ) as answer:
                body = await _read(answer, limit_bytes)
                return Response(answer.status, {name.lower(): text for name, text in answer.headers.items()}, body)
        except TooLarge:
            raise LinkBroken("the answer is too large", None) from None
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _broken(error) from None

    async def fetch(
        self, url: str, limit_bytes: int, timeout_s: float, public_only: bool = False, reserve: Reserve | None = None
    ) -> Fetched:
        if public_only and _is_private(urlsplit(url).hostname or ""):
            raise LinkBroken(NOT_PUBLIC, False)
        session = self._session(Peer.PUBLIC if public_only else Peer.DISCORD)
        try:
            # A redirect of a user's address could lead anywhere.
            async with session.get(url, timeout=_within(timeout_s), allow_redirects=not public_only) as answer:
                body = await _read(answer, limit_bytes, reserve)
                return Fetched(answer.status, body, answer.content_type)
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _broken(error) from None

    async def put(self, url: str, data: bytes, media_type: str) -> int:
        headers = {"Content-Type": media_type}
        try:
            async with self._session().put(url, data=data, headers=headers, timeout=_within(UPLOAD_S_MAX)) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _broken(error) from None

    async def submit(self, url: str, body: Any) -> int:
        headers, data = {"Content-Type": "application/json"}, msgspec.json.encode(body)
        try:
            async with self._session().post(
                url, data=data, headers=headers, allow_redirects=False, timeout=_within(ANSWER_S_MAX)
            ) as answer:
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            raise _broken(error) from None

    async def connect(self, url: str) -> Wire:
        try:
            connection = await connect_websocket(
                url,
                proxy=self._proxy,
                compression=None,  # Discord compresses in its own way, inside the frames
                open_timeout=CONNECT_S_MAX,
                close_timeout=CLOSE_S_MAX,
                ping_interval=None,  # the gateway's heartbeat is the one judge of a dead connection
                max_size=FRAME_BYTES_MAX,
                max_queue=FRAMES_AHEAD_MAX,
                logger=wire_log,
            )
        except (OSError, TimeoutError, InvalidHandshake, InvalidURI, EOFError, ValueError) as error:
            raise LinkBroken(type(error).__name__, False) from None
        return DiscordWire(connection)

    async def close(self) -> None:
        """Ends the HTTP sessions; gateway wires end with the actors that hold them."""
        for session in self._sessions.values():
            await session.close()

    def _session(self, peer: Peer = Peer.DISCORD) -> aiohttp.ClientSession:
        # Made at first use: aiohttp wants to be born on the running loop.
        if peer not in self._sessions:
            connector = aiohttp.TCPConnector(
                limit=CONNECTIONS_MAX,
                limit_per_host=CONNECTIONS_PER_HOST_MAX,
                # A connection that its server closes as we use it again leaves in doubt what was sent: no second use
                # for a request that draws. Discord's submissions are decided by evidence, an API's by nothing.
                force_close=peer is Peer.API,
                keepalive_timeout=None if peer is Peer.API else KEEPALIVE_S,
                resolver=PublicResolver() if peer is Peer.PUBLIC else None,
            )
            proxy = None if peer is Peer.API else self._proxy
            self._sessions[peer] = aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), proxy=proxy, trust_env=False
            )
        return self._sessions[peer]


class PublicResolver(aiohttp.ThreadedResolver):
    """Resolves names, but not to this machine or its neighbours: users may not look around our network through us."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = [result for result in await super().resolve(host, port, family) if not _is_private(result["host"])]
        if not found:
            raise OSError(NOT_PUBLIC)
        return found


class DiscordWire:
    """A gateway WebSocket. Frames go out by one task, so that their order is the order of the calls."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._orders: asyncio.Queue[str | int] = asyncio.Queue()
        self._writer = asyncio.get_running_loop().create_task(self._write(), name="gateway writer")

    async def receive(self) -> str | bytes:
        try:
            return await self._connection.recv()
        except ConnectionClosed as closed:
            self._writer.cancel()
            raise WireClosed(closed.rcvd.code if closed.rcvd else None) from None

    def send(self, text: str) -> None:
        self._orders.put_nowait(text)

    def close(self, code: int) -> None:
        self._orders.put_nowait(code)

    def drop(self) -> None:
        self._writer.cancel()
        self._connection.transport.abort()

    async def _write(self) -> None:
        with contextlib.suppress(ConnectionClosed):  # the reader tells it
            while isinstance(order := await self._orders.get(), str):
                await self._connection.send(order)
            await self._connection.close(order)


def _within(seconds: float, connect_s: float = CONNECT_S_MAX) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, connect=connect_s, sock_connect=connect_s)


def _broken(error: Exception) -> LinkBroken:
    """What an exception says about the request. Its text may hold a URL with a token, so only its type is told."""
    # Neither a refused connection, nor one that was never given to us, nor a bad address can have carried a byte.
    unsent = isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError | aiohttp.InvalidURL)
    return LinkBroken(type(error).__name__, False if unsent else None)


def _is_private(host: str) -> bool:
    """Whether it is an IP address that is not on the public internet; a name is judged when it is resolved."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


async def _read(answer: aiohttp.ClientResponse, limit_bytes: int, reserve: Reserve | None = None) -> bytes:
    """The whole body, never holding more than the limit. Raises TooLarge."""
    if (answer.content_length or 0) > limit_bytes:
        raise TooLarge
    if reserve is not None:
        await reserve(limit_bytes if answer.content_length is None else answer.content_length)
    body = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK_BYTES):
        body += chunk
        if len(body) > limit_bytes:
            raise TooLarge
    return bytes(body)
