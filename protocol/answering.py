"""How a bot of ours answers an interaction, so that a late or refused answer loses nothing.

Defer first, within 3 s of the interaction; then edit the answer while its token lives (15 min); where that is over, or
Discord does not know the interaction (any more), say it as a message in the channel. Pure: the caller sends, and passes
what came back to `after`.
Rules: discord-api-docs, developers/interactions/receiving-and-responding.mdx.
"""

from __future__ import annotations

from enum import Enum
from typing import Any

import msgspec

from protocol import rest
from protocol.rest import Request

DEFERRED_MESSAGE = 5
EPHEMERAL = 1 << 6
#: 3 s by the documents, of which the network has a part.
DEFER_S_MAX = 2.5
#: 15 min by the documents.
TOKEN_S_MAX = 880.0
UNKNOWN_INTERACTION, ALREADY_ACKNOWLEDGED, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN = 10062, 40060, 10015, 50027
GONE = frozenset({UNKNOWN_INTERACTION, UNKNOWN_WEBHOOK, INVALID_WEBHOOK_TOKEN})


class Standing(Enum):
    """Whether the interaction's own answer can be used."""

    NEW = "new"  # nothing is known to have arrived
    DEFERRED = "deferred"
    GONE = "gone"  # only the channel is left


class Asked(msgspec.Struct, frozen=True):
    """An interaction as it came at `at` (monotonic s)."""

    id: str
    token: str
    application_id: str
    channel_id: str
    at: float

    def __repr__(self) -> str:
        return f"Asked(id={self.id!r})"


def defer(asked: Asked, now: float, ephemeral: bool = False) -> Request | None:
    """The first thing to send; None when it is too late for it: then the standing is GONE."""
    if now - asked.at > DEFER_S_MAX:
        return None
    flags = {"data": {"flags": EPHEMERAL}} if ephemeral else {}
    return rest.post_callback(asked.id, asked.token, {"type": DEFERRED_MESSAGE} | flags)


def after(standing: Standing, status: int | None, code: int | None) -> Standing:
    """What an answer to `defer` or `say` means; `status` None: there was none, so nobody knows if it arrived.

    That it was acknowledged before is an earlier try of ours that did arrive.
    """
    if code in GONE or status == 404:
        return Standing.GONE
    if code == ALREADY_ACKNOWLEDGED or (status is not None and 200 <= status < 300):
        return Standing.DEFERRED
    return standing


def say(asked: Asked, standing: Standing, body: dict[str, Any], nonce: str, now: float) -> Request:
    """What is to be said: as the interaction's answer, or where that is over as a message with a nonce of its own."""
    if standing is Standing.DEFERRED and now - asked.at <= TOKEN_S_MAX:
        return rest.patch_original(asked.application_id, asked.token, body)
    return rest.post_message(asked.channel_id, body, nonce)
