"""A Discord on a real socket that has gone mad: its REST answers and its gateway say anything at all, then break.

It is not the simulator, which obeys the documents. Each gateway connection gets one act: what is said after HELLO and
READY or RESUMED, and how it ends. When the acts are over it behaves, so that a test can see who has survived.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from core.config import AccountConfig, Config, Discord, Secret
from protocol.drawing import MIDJOURNEY_APPLICATION_ID
from tests.fuzz.packs import PACKS, Pack
from tests.fuzz.seeds import NONCE

HELLO = b'{"op":10,"d":{"heartbeat_interval":41250}}'
USER_ID = "7"
COMMAND = {"id": "1", "application_id": MIDJOURNEY_APPLICATION_ID, "version": "2", "name": "imagine", "type": 1}
MAD_BODIES = (b"", b"null", b"<html>", b"\xff\xfe", b'{"id":{}}', b'{"id":' + b"9" * 5_000 + b"}", b"[" * 100_000)
MAD_HEADERS = {"X-RateLimit-Remaining": "many", "X-RateLimit-Reset-After": "-1e999", "Date": "never"}
IDENTIFY, RESUME = 2, 6
#: Where a document's number goes, so that it is a new event.
NUMBER = b"NUMBER"


class Text(str):
    """Sent as a text frame."""


class Plain(bytes):
    """Sent as a binary frame as it is, not compressed."""


#: Documents, which are compressed; or frames as they are; or a close code, which ends it.
Act = Iterable[bytes | Text | Plain | int]


@dataclass
class Hostile:
    """The server's memory; `hows` are the opcodes by which connections began, `nonce` is of the one interaction taken.

    `last_words` are said, with that nonce in the place of NONCE, when the interaction has been taken.
    """

    acts: list[Act]
    mad_answers: int = 3
    seq: int = 0
    hows: list[int] = field(default_factory=list)
    behaves: asyncio.Event = field(default_factory=asyncio.Event)
    last_words: Iterable[bytes] = ()
    nonce: asyncio.Future[str] = field(default_factory=asyncio.Future)
    spoken: asyncio.Event = field(default_factory=asyncio.Event)

    async def rest(self, request: web.Request) -> web.Response:
        """Nonsense at first, and for whatever a calm account does not need."""
        if request.method == "POST":
            self.nonce.set_result((await request.json())["nonce"])
            return web.Response(status=204)
        self.mad_answers -= 1
        answers = {
            "users/@me": {"id": USER_ID},
            "guilds/1/application-command-index": {"application_commands": [7, None, COMMAND]},
        }
        found = answers.get(request.match_info["rest"]) if self.mad_answers < 0 else None
        if found is not None:
            return web.json_response(found)
        return web.Response(body=MAD_BODIES[self.mad_answers % len(MAD_BODIES)], headers=MAD_HEADERS)

    async def gateway(self, request: web.Request) -> web.WebSocketResponse:
        """One connection."""
        socket = web.WebSocketResponse(max_msg_size=0)
        await socket.prepare(request)
        pack = PACKS[request.query["compress"]]()
        await socket.send_bytes(pack(HELLO))
        first = await socket.receive()
        if first.type is not WSMsgType.TEXT:
            return socket  # it may not IDENTIFY yet
        self.hows.append(op := json.loads(first.data)["op"])
        await socket.send_bytes(pack(self._welcome(op, request.host)))
        if self.acts:
            await self._play(self.acts.pop(0), socket, pack, request)
            return socket
        self.behaves.set()
        speech = asyncio.create_task(self._speak(socket, pack))
        async for frame in socket:
            if json.loads(frame.data)["op"] == 1:
                await socket.send_bytes(pack(b'{"op":11}'))
        speech.cancel()
        return socket

    async def _speak(self, socket: web.WebSocketResponse, pack: Pack) -> None:
        nonce = (await self.nonce).encode()
        for document in self.last_words:
            await socket.send_bytes(pack(self._numbered(document).replace(NONCE.encode(), nonce)))
        self.spoken.set()

    def _welcome(self, op: int, host: str) -> bytes:
        ready = {"session_id": "s", "resume_gateway_url": f"ws://{host}/gateway/", "guilds": [None], "user": []}
        kind, data = ("READY", ready) if op == IDENTIFY else ("RESUMED", {})
        return json.dumps({"op": 0, "s": self._number(), "t": kind, "d": data}).encode()

    def _numbered(self, document: bytes) -> bytes:
        return document.replace(NUMBER, b"%d" % self._number())

    def _number(self) -> int:
        self.seq += 1
        return self.seq

    async def _play(self, act: Act, socket: web.WebSocketResponse, pack: Pack, request: web.Request) -> None:
        """The act, as far as the client listens; then the line is cut."""
        try:
            for part in act:
                match part:
                    case int():
                        await socket.close(code=part)
                    case Text():
                        await socket.send_str(part)
                    case Plain():
                        await socket.send_bytes(part)
                    case _:
                        await socket.send_bytes(pack(self._numbered(part)))
        except ConnectionError:
            return  # it had enough
        if request.transport is not None:
            request.transport.abort()


@asynccontextmanager
async def raging(hostile: Hostile) -> AsyncIterator[Config]:
    """The server on a port; gives a config with one account there."""
    app = web.Application()
    app.router.add_get("/gateway/", hostile.gateway)
    app.router.add_route("*", "/api/v10/{rest:.*}", hostile.rest)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    places = {name: f"http://127.0.0.1:{port}/{path}" for name, path in (("api", "api/v10"), ("cdn", "cdn"))}
    account = AccountConfig("mad", Secret("token"), "1", "5", "user")
    try:
        yield Config(discord=Discord(**places, gateway=f"ws://127.0.0.1:{port}/gateway"), accounts=(account,))
    finally:
        await runner.cleanup()
