"""When an application may IDENTIFY: one each 5 s, and well below the 1000 a day over which Discord resets the token.

RESUME is free; what is counted here is new sessions. Two limits are Discord's (discord-api-docs,
developers/events/gateway.mdx, "Session Start Limit"): how many are left today, which `GET /gateway/bot` tells bots, and
`max_concurrency` a 5 s for each rate-limit key, `shard_id % max_concurrency`. Our sessions have no shards: all of an
application have the key 0, so they pass one by one whatever its max_concurrency. The third is our own count.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from protocol.tolerant import Reader

#: Discord counts to 1000, also those of other programs with the same token.
IDENTIFIES_A_DAY_MAX = 500
DAY_S = 86_400.0
#: 5 s by the documents; between our claim and Discord's count there is a network.
IDENTIFY_EACH_S = 5.5


class StartLimit(msgspec.Struct, frozen=True):
    """How many IDENTIFYs Discord says are left, and in how many seconds that begins anew."""

    remaining: int
    reset_after_s: float


class _Limit(msgspec.Struct, frozen=True):
    remaining: int | None = None
    reset_after: float | None = None


class _GatewayBot(msgspec.Struct, frozen=True):
    session_start_limit: _Limit | None = None


_GATEWAY_BOT = Reader(_GatewayBot)


def start_limit(body: bytes) -> StartLimit | None:
    """What `GET /gateway/bot` answered; None if it says nothing of a limit."""
    found = _GATEWAY_BOT.read(body)
    limit = found.session_start_limit if found is not None else None
    if limit is None or limit.remaining is None or limit.reset_after is None:
        return None
    return StartLimit(limit.remaining, min(max(limit.reset_after / 1000, 0.0), DAY_S))


def identify_wait_s(past: Iterable[float], now: float, limit: StartLimit | None) -> float:
    """Seconds until one more IDENTIFY is allowed; 0: now. `past`: when there were others (Unix s, any order).

    A time that lies in the future was told by a clock that has been set since: it counts for the day only.
    """
    today = sorted(at for at in past if at > now - DAY_S)
    waits = [0.0]
    waits += [at + IDENTIFY_EACH_S - now for at in today if now - IDENTIFY_EACH_S < at <= now]
    if len(today) >= IDENTIFIES_A_DAY_MAX:
        oldest = min(today[-IDENTIFIES_A_DAY_MAX], now)
        waits.append(oldest + DAY_S - now)
    if limit is not None and limit.remaining <= 0:
        waits.append(max(limit.reset_after_s, IDENTIFY_EACH_S))
    return max(waits)
