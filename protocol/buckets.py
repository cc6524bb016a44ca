"""Discord's REST rate limits as a pure machine: what the headers say decides when the next request may go.

Nothing is hard-coded but the documented global rate: buckets are learnt from `X-RateLimit-Bucket`, and the key of a
limit is bucket + major parameter (channel, guild or webhook).
Rules: discord-api-docs, developers/topics/rate-limits.mdx.
"""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Mapping
from typing import Literal, Protocol, TypeAlias

import msgspec

# 50 requests a second a token, interaction callbacks exempt; a margin for clocks that differ.
GLOBAL_COUNT_MAX = 45
GLOBAL_WINDOW_S = 1.0
# 10,000 answers of 401, 403 or 429 in ten minutes ban the IP address, for all accounts behind it.
INVALID_COUNT_MAX = 2_000
# What one account may take of that: over it, it is stopped before it stops the others.
ACCOUNT_INVALID_COUNT_MAX = 200
INVALID_WINDOW_S = 600.0
INVALID_STATUSES = frozenset({401, 403, 429})
# A 429 that is no JSON comes from the edge in front of Discord and concerns the whole address.
EDGE_RETRY_S = 60.0
RETRY_S_DEFAULT = 1.0
RETRY_S_MAX = 86_400.0
BUCKET_COUNT_MAX = 1_000


class Limited(Protocol):
    """What the limits must know of a request."""

    @property
    def route(self) -> str: ...
    @property
    def major(self) -> str: ...
    @property
    def interaction_callback(self) -> bool: ...


class Bucket(msgspec.Struct, frozen=True):
    """One limit: `remaining` requests until `reset_at`."""

    remaining: int
    reset_at: float


class InvalidBudget:
    """Counts the invalid answers of one IP address; shared by all accounts of a process."""

    def __init__(self, count_max: int = INVALID_COUNT_MAX) -> None:
        self._count_max = count_max
        self._seen_at: deque[float] = deque()
        self._blocked_until = -math.inf

    def block(self, until: float) -> None:
        """The edge in front of Discord refuses the address: nobody behind it may ask before."""
        self._blocked_until = max(self._blocked_until, until)

    def count(self, now: float) -> None:
        self._seen_at.append(now)
        while len(self._seen_at) > self._count_max or self._seen_at[0] <= now - INVALID_WINDOW_S:
            self._seen_at.popleft()

    def delay(self, now: float) -> float:
        """Seconds until a request may risk one more invalid answer."""
        while self._seen_at and self._seen_at[0] <= now - INVALID_WINDOW_S:
            self._seen_at.popleft()
        full_s = self._seen_at[0] + INVALID_WINDOW_S - now if len(self._seen_at) >= self._count_max else 0.0
        return max(full_s, self._blocked_until - now, 0.0)


class Buckets:
    """The limits of one token. Ask `delay`; at 0 call `began`, send, and tell `answered` what came back."""

    def __init__(self, invalid: InvalidBudget | None = None) -> None:
        self._invalid = InvalidBudget() if invalid is None else invalid
        self._own_invalid = InvalidBudget(ACCOUNT_INVALID_COUNT_MAX)
        self._bucket_of: dict[str, str] = {}
        self._buckets: dict[tuple[str, str], Bucket] = {}
        self._blocked_until = 0.0
        self._began_at: deque[float] = deque()

    def delay(self, request: Limited, now: float) -> float:
        """Seconds to wait before `request` may be sent; 0 means now."""
        waits = [self._invalid.delay(now), self._own_invalid.delay(now)]
        if not request.interaction_callback:
            waits.append(self._blocked_until - now)
            waits.append(self._global_wait_s(now))
        bucket = self._buckets.get(self._key(request))
        if bucket is not None and bucket.remaining <= 0:
            waits.append(bucket.reset_at - now)
        return max(waits)

    def began(self, request: Limited, now: float) -> None:
        """The request is being sent: what it will use is used, also before the answer says so."""
        if not request.interaction_callback:
            self._began_at.append(now)
        key = self._key(request)
        bucket = self._buckets.get(key)
        if bucket is None:
            return
        if bucket.reset_at <= now:
            # A new window of unknown size: its first answer tells.
            del self._buckets[key]
        else:
            self._buckets[key] = Bucket(bucket.remaining - 1, bucket.reset_at)

    def answered(self, request: Limited, status: int, headers: Mapping[str, str], body: bytes, now: float) -> None:
        """Learns from an answer: its headers, and for a 429 its body."""
        names = {name.lower(): value for name, value in headers.items()}
        scope = names.get("x-ratelimit-scope", "user")
        if status in INVALID_STATUSES and not (status == 429 and scope == "shared"):
            self._invalid.count(now)
            self._own_invalid.count(now)
        if (bucket_hash := names.get("x-ratelimit-bucket")) is not None:
            self._bucket_of[request.route] = bucket_hash
        if status == 429:
            self._limited(request, names, scope, body, now)
            return
        remaining = _number(names.get("x-ratelimit-remaining"))
        reset_after_s = _number(names.get("x-ratelimit-reset-after"))
        if remaining is None or reset_after_s is None:
            return
        key, reset_at = self._key(request), now + min(reset_after_s, RETRY_S_MAX)
        known = self._buckets.get(key)
        if known is not None and known.reset_at > now:
            # Answers may overtake each other: within one window the lower count is the newer.
            remaining, reset_at = min(remaining, known.remaining), max(reset_at, known.reset_at)
        self._keep(key, Bucket(int(remaining), reset_at), now)

    def _limited(self, request: Limited, names: Mapping[str, str], scope: str, body: bytes, now: float) -> None:
        wait_s, reach = read_429(names, body)
        if reach == "address":
            self._invalid.block(now + wait_s)
        elif reach == "token" or scope == "global":
            self._blocked_until = max(self._blocked_until, now + wait_s)
        else:
            self._keep(self._key(request), Bucket(0, now + wait_s), now)

    def _keep(self, key: tuple[str, str], bucket: Bucket, now: float) -> None:
        if len(self._buckets) >= BUCKET_COUNT_MAX:
            self._buckets = {known: found for known, found in self._buckets.items() if found.reset_at > now}
        self._buckets[key] = bucket

    def _key(self, request: Limited) -> tuple[str, str]:
        return self._bucket_of.get(request.route, request.route), request.major

    def _global_wait_s(self, now: float) -> float:
        while self._began_at and self._began_at[0] <= now - GLOBAL_WINDOW_S:
            self._began_at.popleft()
        if len(self._began_at) < GLOBAL_COUNT_MAX:
            return 0.0
        return self._began_at[0] + GLOBAL_WINDOW_S - now


#: Who must wait after a 429: the bucket of the request, all requests of the token, or all of the address.
Reach: TypeAlias = Literal["bucket", "token", "address"]


def read_429(headers: Mapping[str, str], body: bytes) -> tuple[float, Reach]:
    """(seconds to wait, who) of a 429; header names in lower case.

    The body's `retry_after` is exact, the header is rounded; where the answer is no JSON the edge refused us.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    header_s = _number(headers.get("retry-after"))
    if not isinstance(found, dict):
        return min(EDGE_RETRY_S if header_s is None else header_s, RETRY_S_MAX), "address"
    wait_s = _number(found.get("retry_after"))
    if wait_s is None:
        wait_s = RETRY_S_DEFAULT if header_s is None else header_s
    is_global = found.get("global") is True or headers.get("x-ratelimit-global") == "true"
    return min(wait_s, RETRY_S_MAX), "token" if is_global else "bucket"


def _number(value: object) -> float | None:
    """A finite number that is not negative, from JSON or a header; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) and number >= 0 else None
