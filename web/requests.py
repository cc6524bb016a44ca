"""Requests: what every route needs of one: who asks, whether it may change things, and its body within a cap."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from starlette.requests import Request

from core.trace import Caller, caller_of
from protocol.client import ClientMistake
from web.exchange import Desk
from web.problems import TooLarge
from web.visitor import COOKIE, Credential, credential_of, may_change, remote_of

SMALL_BODY_BYTES_MAX = 16_384
BODY_S_MAX = 60.0


def desk_of(request: Request) -> Desk:
    """The desk of the app that serves this request."""
    desk: Desk = request.app.state.desk
    return desk


def remote_address(request: Request) -> str:
    """The client's address, through trusted proxies only."""
    peer = request.client.host if request.client else ""
    return remote_of(peer, request.headers.get("x-forwarded-for"), request.app.state.trusted)


def idempotency_key(request: Request) -> str | None:
    """The header `Idempotency-Key`, which is a `ref`: bytes that are UTF-8 mean the same text as in a frame.

    Headers come decoded as latin-1 (RFC 9110, 5.5), which is what other bytes stay.
    """
    shown = request.headers.get("idempotency-key")
    if shown is None:
        return None
    try:
        return shown.encode("latin-1").decode()
    except UnicodeDecodeError:
        return shown


def caller_in(request: Request) -> Caller | None:
    """The span that the request belongs to (W3C Trace Context); None without one, or when it cannot be told."""
    told = request.headers.getlist("traceparent")
    return caller_of(told[0]) if len(told) == 1 else None


def reader(request: Request, cookie: str = COOKIE) -> Credential:
    """Whoever asks to see something."""
    return credential_of(request.headers, cookie)


def changer(request: Request, cookie: str = COOKIE) -> Credential:
    """Whoever asks for a change. Raises ClientMistake `forbidden` when a foreign page may be behind it (CSRF)."""
    credential = credential_of(request.headers, cookie)
    if not may_change(request.headers, credential, desk_of(request).process.config.server):
        raise ClientMistake("forbidden", "This request comes from a page that is not ours.")
    return credential


async def body_of(request: Request, limit_bytes: int = SMALL_BODY_BYTES_MAX) -> bytes:
    """The whole body. Raises TooLarge as soon as it is over the cap, whatever its headers say, and ClientMistake when
    it does not come within BODY_S_MAX."""
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_S_MAX):
            async for chunk in request.stream():
                body += chunk
                if len(body) > limit_bytes:
                    raise TooLarge(limit_bytes)
    except TimeoutError:
        raise ClientMistake("bad_frame", f"The body did not come within {BODY_S_MAX:g} s.") from None
    return bytes(body)


def read_json(body: bytes, kind: type[Any]) -> Any:
    """The body as a value of `kind`. Raises ClientMistake `bad_frame`; its text never holds the body's values."""
    try:
        return msgspec.json.decode(body or b"{}", type=kind)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise ClientMistake("bad_frame", f"{fault}; correct it and send again.") from fault
