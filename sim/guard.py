"""Guard: what stands before every REST route: who asks, faults, rate limits, and errors as Discord words them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from sim.errors import Refusal, unauthorized
from sim.faults import SLOW_S
from sim.identity import Account
from sim.limits import Limits, html_429, too_many
from sim.parts import Parts
from sim.routes import Route
from sim.sessions import CDN_HERE
from sim.welcome import Greeter

MAJOR = ("channel", "guild", "token")  # what buckets are counted by besides the account (RL)


class Guard:
    """Makes aiohttp handlers of routes. `bot_of_token` says whose a token in a path is, or raises Refusal."""

    def __init__(self, parts: Parts, greeter: Greeter, bot_of_token: Callable[[web.Request], Account]) -> None:
        self.parts = parts
        self.greeter = greeter
        self.bot_of_token = bot_of_token
        self.limits = Limits()

    def handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def handle(request: web.Request) -> web.StreamResponse:
            try:
                return await self.answer(route, request)
            except Refusal as refusal:
                return refusal.response()
            except web.HTTPRequestEntityTooLarge:
                return Refusal(413, 40005, "Request entity too large").response()

        return handle

    async def answer(self, route: Route, request: web.Request) -> web.StreamResponse:
        account = self.bot_of_token(request) if route.by_token else self.account_of(request)
        trouble = await self.trouble(account)
        if trouble is not None:
            return trouble
        major = next((request.match_info[key] for key in MAJOR if key in request.match_info), "")
        headers, refused = self.limits.spend(account, route.bucket, major, time.time())
        if refused is not None:
            self.parts.counts.rate_limited += 1
            refused.headers.update(headers)
            return refused
        try:
            answer = await route.call(request, account)
        except Refusal as refusal:
            answer = refusal.response()
        answer.headers.update(headers)
        return self.here(request, answer)

    def account_of(self, request: web.Request) -> Account:
        account = self.parts.people.of_header(request.headers.get("Authorization", ""))
        if account is None:
            raise unauthorized()
        return account

    def here(self, request: web.Request, answer: web.Response) -> web.Response:
        """Put the address the client came by into links, whose host is left open until they are sent."""
        if isinstance(answer.body, bytes) and CDN_HERE.encode() in answer.body:
            answer.body = answer.body.replace(CDN_HERE.encode(), self.greeter.bases(request).cdn.encode())
        return answer

    async def trouble(self, account: Account) -> web.Response | None:
        """The answer of an armed fault, if one strikes."""
        faults = self.parts.faults
        slow = faults.find("slow", account)
        if slow is not None:
            await asyncio.sleep(SLOW_S if slow.seconds is None else slow.seconds)
        if faults.take("unauthorized", account):
            return unauthorized().response()
        for scope in ("user", "shared", "global"):
            if faults.take(f"r429_{scope}", account):
                self.parts.counts.rate_limited += 1
                return too_many(2.0, scope)
        if faults.take("r429_html", account):
            self.parts.counts.rate_limited += 1
            return html_429()
        if faults.take("bad_gateway", account):
            return web.Response(text="<html><h1>502 Bad Gateway</h1></html>", content_type="text/html", status=502)
        return None
