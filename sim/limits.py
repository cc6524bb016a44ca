"""Limits: Discord's rate limits over REST (RL in facts/discord.md): buckets, their headers, and the 429."""

from __future__ import annotations

import hashlib
import math
from functools import cache

import msgspec
from aiohttp import web

from sim.errors import json_response
from sim.identity import Account

GLOBAL_PER_S = 50
BUCKETS_MAX = 10_000
# Discord's documents forbid relying on figures; these are of the order of what is seen.
RATES = {
    "interactions": (30, 5.0),
    "messages.list": (10, 5.0),
    "messages.get": (20, 5.0),
    "messages.post": (5, 5.0),
    "attachments": (10, 5.0),
    "reactions": (4, 1.0),
}
RATE = (50, 5.0)
EXEMPT = ("interactions", "callback", "webhook")


class Bucket(msgspec.Struct):
    """A fixed window: `left` requests until `ends` (unix s)."""

    limit: int
    window_s: float
    left: int
    ends: float


class Limits:
    """One bucket for each route, major parameter and account, and one for all of a bot's requests."""

    def __init__(self) -> None:
        self.buckets: dict[tuple[str, str, str], Bucket] = {}

    def bucket(self, key: tuple[str, str, str], rate: tuple[int, float], now: float) -> Bucket:
        bucket = self.buckets.get(key)
        if bucket is None or bucket.ends <= now:
            if len(self.buckets) > BUCKETS_MAX:
                self.buckets = {key: bucket for key, bucket in self.buckets.items() if bucket.ends > now}
            bucket = self.buckets[key] = Bucket(rate[0], rate[1], rate[0], now + rate[1])
        return bucket

    def spend(self, account: Account, route: str, major: str, now: float) -> tuple[dict[str, str], web.Response | None]:
        """Headers for the answer, and the 429 when the bucket, or the bot's global one, is empty."""
        if account.bot and route not in EXEMPT:
            overall = self.bucket(("global", "", account.id), (GLOBAL_PER_S, 1.0), now)
            if overall.left <= 0:
                return {}, too_many(overall.ends - now, "global")
            overall.left -= 1
        bucket = self.bucket((route, major, account.id), RATES.get(route, RATE), now)
        name = name_of(route)
        if bucket.left <= 0:
            return headers(bucket, name, now), too_many(bucket.ends - now, "user")
        bucket.left -= 1
        return headers(bucket, name, now), None


@cache
def name_of(route: str) -> str:
    return hashlib.sha256(route.encode()).hexdigest()[:32]


def headers(bucket: Bucket, name: str, now: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(bucket.limit),
        "X-RateLimit-Remaining": str(bucket.left),
        "X-RateLimit-Reset": f"{bucket.ends:.3f}",
        "X-RateLimit-Reset-After": f"{max(0.0, bucket.ends - now):.3f}",
        "X-RateLimit-Bucket": name,
    }


def too_many(retry_after_s: float, scope: str) -> web.Response:
    """A 429. Its Via header tells discord.py that it is Discord's, not a proxy's."""
    wait_s = max(0.001, round(retry_after_s, 3))
    body = {"message": "You are being rate limited.", "retry_after": wait_s, "global": scope == "global"}
    if scope == "shared":
        body["message"] = "The resource is being rate limited."
    answer = json_response(body, 429)
    answer.headers.update({"Retry-After": str(math.ceil(wait_s)), "Via": "1.1 google", "X-RateLimit-Scope": scope})
    if scope == "global":
        answer.headers["X-RateLimit-Global"] = "true"
    return answer


def html_429() -> web.Response:
    """What a proxy in front of Discord says: HTML, no Via."""
    page = "<!doctype html><title>Access denied | discord.com used Cloudflare to restrict access</title>Error 1015"
    return web.Response(text=page, content_type="text/html", status=429, headers={"Retry-After": "2"})
