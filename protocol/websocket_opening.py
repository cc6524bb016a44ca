"""The opening of a user's WebSocket: who may come from where, in which subprotocol, and what the request shows."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Sequence

from websockets.datastructures import Headers
from websockets.exceptions import NegotiationError
from websockets.http11 import Response
from websockets.server import ServerProtocol
from websockets.typing import Origin, Subprotocol

from protocol.client import JSON, SUBPROTOCOLS
from protocol.mistakes import problem

# At DEBUG the library logs frames, which hold keys and prompts.
LOGGER = logging.getLogger("limner.websocket")
LOGGER.setLevel(logging.WARNING)


def opening(allowed_origins: Iterable[str]) -> ServerProtocol:
    """A machine that awaits the request. No Origin is no browser, and may come."""
    return ServerProtocol(
        origins=[None, *(Origin(origin) for origin in allowed_origins)],
        subprotocols=[Subprotocol(name) for name in SUBPROTOCOLS],
        select_subprotocol=_select,
        logger=LOGGER,
    )


def refusal(machine: ServerProtocol, code: str, detail: str) -> Response:
    """The answer that refuses the upgrade, as every refusal over HTTP looks: `application/problem+json`, and
    `Retry-After` where the code carries it (CONTRACT sections 3 and 4)."""
    found = problem(code, detail)
    response = machine.reject(found.status, json.dumps(found.body))
    del response.headers["Content-Type"]
    response.headers.update(found.headers)
    return response


def bearer_of(headers: Headers) -> str | None:
    """The key in `Authorization: Bearer`."""
    scheme, _, key = (header_of(headers, "Authorization") or "").partition(" ")
    return key.strip() or None if scheme.lower() == "bearer" else None


def header_of(headers: Headers, name: str) -> str | None:
    """A header's value; several are joined as HTTP allows."""
    return ", ".join(headers.get_all(name)) or None


def known_name(chosen: Subprotocol | None) -> str:
    """Our own spelling of what was chosen: the request's would be kept once a connection."""
    return next((name for name in SUBPROTOCOLS if name == chosen), JSON)


def _select(_: ServerProtocol, offered: Sequence[Subprotocol]) -> Subprotocol | None:
    """The client's first subprotocol that we know; none offered means JSON without saying so."""
    known = next((name for name in offered if name in SUBPROTOCOLS), None)
    if offered and known is None:
        raise NegotiationError("expected one of " + ", ".join(SUBPROTOCOLS))
    return known
