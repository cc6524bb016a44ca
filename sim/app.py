"""App: the one HTTP server: REST, gateway, CDN, uploads and control on one port."""

from __future__ import annotations

import time

from aiohttp import web

from sim.applications import Applications
from sim.bot import Bot
from sim.commands import CommandBook
from sim.compose import Composer
from sim.control import Control
from sim.crier import Crier
from sim.desk import Desk
from sim.errors import json_response
from sim.gateway import Gateway
from sim.guard import Guard
from sim.identity import DRAWING_BOT_ID
from sim.interactions import Interactions
from sim.parts import Options, Parts
from sim.posts import Posts
from sim.replies import Replies
from sim.rest import Rest
from sim.routes import Route
from sim.voice import Voice
from sim.welcome import Greeter

BODY_BYTES_MAX = 26 << 20
# Clients differ in which they take for the base: with a version, or without.
PREFIXES = ("/api/v10", "/api/v9", "/api")


class Simulator:
    """The whole: parts, those who act, and the web application around them."""

    def __init__(self, options: Options) -> None:
        self.parts = parts = Parts(options)
        self.greeter = Greeter(parts.people, parts.faults)
        self.gateway = Gateway(parts.hub, self.greeter, parts.faults, parts.settings, parts.dice)
        crier, composer = Crier(parts), Composer(parts)
        book, applications = CommandBook(), Applications(parts)
        self.bot = Bot(parts, Voice(parts, crier))
        self.desk = Desk(parts, self.greeter, applications, crier, composer)
        self.interactions = Interactions(parts, self.bot, book, self.desk)
        replies = Replies(self.desk, composer)
        self.guard = Guard(parts, self.greeter, replies.bot_of)
        rest = Rest(parts, self.greeter, self.gateway, book, applications)
        self.routes: list[Route] = [
            *rest.routes(),
            *applications.routes(),
            *Posts(parts, self.greeter, crier, composer, self.bot).routes(),
            *self.interactions.routes(),
            *replies.routes(),
            rest.last_route(),
        ]
        self.control = Control(parts, self.gateway)

    def application(self) -> web.Application:
        app = web.Application(client_max_size=BODY_BYTES_MAX)
        for path in ("/", "/gateway", "/gateway/", "/resume", "/resume/"):
            app.router.add_get(path, self.gateway.handle)
        for prefix in PREFIXES:
            app.router.add_get(f"{prefix}/gateway", self.get_gateway)
            for route in self.routes:
                app.router.add_route(route.method, prefix + route.path, self.guard.handler(route))
        app.router.add_get("/cdn/attachments/{channel}/{attachment}/{filename}", self.get_file)
        app.router.add_put("/cdn/upload/{key}", self.put_file)
        region = f"/apps/{DRAWING_BOT_ID}/inpaint/api/submit-job"
        app.router.add_post(region, self.interactions.forms.submit_region)
        app.router.add_get("/_sim/ledger", self.control.ledger)
        app.router.add_get("/_sim/stats", self.control.stats)
        app.router.add_get("/_sim/pulse", self.control.pulse)
        app.router.add_post("/_sim/faults", self.control.faults)
        app.router.add_post("/_sim/config", self.control.config)
        return app

    async def get_gateway(self, request: web.Request) -> web.Response:
        """The one route that asks for no token."""
        return json_response({"url": self.greeter.bases(request).gateway})

    # -- files -----------------------------------------------------------------------------------------------------

    async def get_file(self, request: web.Request) -> web.StreamResponse:
        """A file behind a link that is signed and not expired; 404 else, as Discord answers."""
        faults, info = self.parts.faults, request.match_info
        attachment = self.parts.shelf.attachments.get(info["attachment"])
        path = request.path.removeprefix("/cdn")
        if attachment is None or attachment.path != path or faults.take("cdn_404"):
            return lost()
        if not self.parts.signer.holds(path, request.query, time.time()):
            return lost()
        body = await self.parts.shelf.body(attachment)
        if body is None:
            return lost()
        headers = {"Cache-Control": "public, max-age=31536000", "Content-Type": attachment.content_type}
        if faults.take("cdn_truncated"):
            return await self.send_half(request, body, headers)
        return web.Response(body=body, headers=headers)

    async def send_half(self, request: web.Request, body: bytes, headers: dict[str, str]) -> web.StreamResponse:
        """Announce the whole length, send half, cut."""
        answer = web.StreamResponse(headers=headers | {"Content-Length": str(len(body))})
        await answer.prepare(request)
        await answer.write(body[: len(body) // 2])
        if request.transport is not None:
            request.transport.close()
        return answer

    async def put_file(self, request: web.Request) -> web.Response:
        """The body of an upload, at the signed link that was given for it."""
        key = request.match_info["key"]
        if not key.isdecimal() or not self.parts.signer.holds(f"/upload/{key}", request.query, time.time()):
            return json_response({"message": "Invalid upload link", "code": 0}, 403)
        if self.parts.faults.take("put_fails"):
            return json_response({"message": "500: Internal Server Error", "code": 0}, 500)
        self.parts.shelf.keep_upload(key, await request.read())
        return web.Response(status=200)

    async def close(self) -> None:
        self.bot.close()
        self.desk.close()
        await self.gateway.close_all()
        self.parts.close()


def lost() -> web.Response:
    return web.Response(text="This content is no longer available.", status=404)
