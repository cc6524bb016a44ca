"""A small server of OpenAI's images API for tests: what it does with each request is said before.

It counts what it was asked, so that a test can say that nothing was asked for twice.
"""

from __future__ import annotations

import asyncio
import base64
import io
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web
from PIL import Image

TOKEN = "easel-token"
MODEL = "painter-1"

Manner = Callable[["Easel", web.Request], Awaitable[web.StreamResponse]]


def png(number: int, px: int = 32) -> bytes:
    """A picture, for each number another one."""
    out = io.BytesIO()
    Image.new("RGB", (px, px), (number * 40 % 256, 80, 120)).save(out, "PNG")
    return out.getvalue()


# --- what it may do with a request ---


async def paint(easel: Easel, request: web.Request) -> web.StreamResponse:
    data = base64.b64encode(png(len(easel.asked))).decode()
    return web.json_response({"created": 1, "data": [{"b64_json": data, "revised_prompt": "another"}]})


async def paint_elsewhere(easel: Easel, request: web.Request) -> web.StreamResponse:
    return web.json_response({"data": [{"url": f"{easel.base}/pictures/{len(easel.asked)}.png"}]})


async def cut(easel: Easel, request: web.Request) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def hang(easel: Easel, request: web.Request) -> web.StreamResponse:
    """Draws until it is told to be done, or nobody listens any more."""
    easel.hanging.set()
    try:
        await easel.go_on.wait()
    except asyncio.CancelledError:
        easel.left.set()
        raise
    return await paint(easel, request)


def refuse(status: int, headers: dict[str, str] | None = None, **told: Any) -> Manner:
    async def refusal(easel: Easel, request: web.Request) -> web.StreamResponse:
        return web.json_response({"error": {"message": "the easel refuses"} | told}, status=status, headers=headers)

    return refusal


class Easel:
    """`asked`: the requests for pictures, as sent. `manners`: what to do with the next ones; after these, `paint`."""

    def __init__(self) -> None:
        self.base = ""
        self.asked: list[dict[str, Any]] = []
        self.nonces: list[str] = []
        self.manners: list[Manner] = []
        self.token = TOKEN
        self.hanging, self.go_on, self.left = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.runner: web.AppRunner | None = None

    async def leave(self) -> None:
        """It is not there any more. Twice is harmless."""
        if self.runner is not None:
            await self.runner.cleanup()
            self.runner = None

    async def generations(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(await request.json())
        self.nonces.append(request.headers.get("Idempotency-Key", ""))
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return await refuse(401, code="invalid_api_key")(self, request)
        return await (self.manners.pop(0) if self.manners else paint)(self, request)

    async def models(self, request: web.Request) -> web.StreamResponse:
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return await refuse(401, code="invalid_api_key")(self, request)
        return web.json_response({"object": "list", "data": [{"id": MODEL, "object": "model"}]})

    async def picture(self, request: web.Request) -> web.StreamResponse:
        return web.Response(body=png(int(request.match_info["number"])), content_type="image/png")


@asynccontextmanager
async def easel(port: int = 0) -> AsyncIterator[Easel]:
    """One on loopback, for as long as the context lasts."""
    found = Easel()
    app = web.Application(client_max_size=1 << 20)
    app.router.add_post("/v1/images/generations", found.generations)
    app.router.add_get("/v1/models", found.models)
    app.router.add_get("/pictures/{number}.png", found.picture)
    found.runner = runner = web.AppRunner(app, handler_cancellation=True, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    found.base = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield found
    finally:
        await found.leave()
