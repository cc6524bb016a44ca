"""A client of its own for the simulator's tests, written from the documents: nothing of Limner's in it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp

from sim.app import Simulator
from sim.main import announcement, running
from sim.parts import Options

PATIENCE_S = 20.0
BOT_ID = "936929561302675456"


def play(scenario: Callable[[World], Awaitable[None]], **options: Any) -> None:
    """Run a scenario against a fresh simulator in this process; canned pictures and quick drawings unless told."""

    async def whole() -> None:
        wanted = {"pictures": "canned", "seconds": 0.2, "seed": 7} | options
        async with running(Options(**wanted)) as simulator, World.of(announcement(simulator.parts), simulator) as world:
            await scenario(world)

    asyncio.run(asyncio.wait_for(whole(), 60))


class World:
    """A running simulator as one reaches it from outside."""

    def __init__(self, where: dict[str, Any], http: aiohttp.ClientSession, simulator: Simulator | None) -> None:
        self.where = where
        self.http = http
        self.simulator = simulator
        self.origin = where["api"].partition("/api")[0]

    @classmethod
    @contextlib.asynccontextmanager
    async def of(cls, where: dict[str, Any], simulator: Simulator | None = None) -> AsyncIterator[World]:
        async with aiohttp.ClientSession() as http:
            yield cls(where, http, simulator)

    async def sim(self, name: str, body: Any = None) -> Any:
        """GET /_sim/NAME, or POST it with a body."""
        method = "GET" if body is None else "POST"
        async with self.http.request(method, f"{self.origin}/_sim/{name}", json=body) as answer:
            return await answer.json()

    @contextlib.asynccontextmanager
    async def player(self, number: int = 0, query: str = "?v=9&encoding=json") -> AsyncIterator[Player]:
        """An account that is identified and has seen its guild."""
        async with self.connection(number, query) as player:
            await player.identify()
            await player.event("GUILD_CREATE")
            yield player

    @contextlib.asynccontextmanager
    async def connection(self, number: int = 0, query: str = "?v=9&encoding=json") -> AsyncIterator[Player]:
        """An account whose socket is open and greeted, no more."""
        player = Player(self, self.where["accounts"][number], query)
        await player.connect()
        try:
            yield player
        finally:
            await player.socket.close(code=4000)


class Player:
    """One account with a gateway connection. Frames are looked at in order; each is given out once."""

    def __init__(self, world: World, account: dict[str, str], query: str) -> None:
        self.world = world
        self.account = account
        self.query = query
        self.inflate = zlib.decompressobj() if "zlib-stream" in query else None
        self.seq: int | None = None
        self.ready: dict[str, Any] = {}
        self.nonce = 1000
        self.versions: dict[str, tuple[str, str]] = {}

    # -- gateway ---------------------------------------------------------------------------------------------------

    async def connect(self, url: str | None = None) -> None:
        self.socket = await self.world.http.ws_connect(
            (url or self.world.where["gateway"]) + self.query, max_msg_size=0
        )
        self.hello = await self.frame()

    async def frame(self) -> dict[str, Any]:
        """The next frame; {"close": code} when the server has closed."""
        message = await self.socket.receive(timeout=PATIENCE_S)
        if message.type in (aiohttp.WSMsgType.CLOSE, aiohttp.WSMsgType.CLOSING, aiohttp.WSMsgType.CLOSED):
            return {"close": self.socket.close_code}
        if message.type is aiohttp.WSMsgType.ERROR:
            return {"close": 1006}
        data = message.data
        if self.inflate is not None:
            data = self.inflate.decompress(data)
            while not data.endswith(b"}"):  # a document may span frames
                data += self.inflate.decompress((await self.socket.receive(timeout=PATIENCE_S)).data)
        frame: dict[str, Any] = json.loads(data)
        if frame["op"] == 0:
            self.seq = frame["s"]
        return frame

    async def op(self, op: int) -> dict[str, Any]:
        """Skip to the next frame with this op."""
        while True:
            frame = await self.frame()
            assert "close" not in frame, f"closed with {frame.get('close')} while waiting for op {op}"
            if frame["op"] == op:
                return frame

    async def event(self, name: str, **fields: Any) -> dict[str, Any]:
        """Skip to the next event of this name whose data has these fields; its data."""
        while True:
            frame = await self.op(0)
            data: dict[str, Any] = frame["d"]
            if frame["t"] == name and all(data.get(field) == value for field, value in fields.items()):
                return data

    async def until(self, name: str, **fields: Any) -> list[tuple[str, dict[str, Any]]]:
        """Every event up to and with the one wanted."""
        seen = []
        while True:
            frame = await self.op(0)
            seen.append((frame["t"], frame["d"]))
            if frame["t"] == name and all(frame["d"].get(field) == value for field, value in fields.items()):
                return seen

    async def send(self, op: int, d: Any) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": d}))

    async def identify(self) -> dict[str, Any]:
        await self.send(2, {"token": self.account["token"], "properties": {"os": "linux"}})
        self.ready = await self.event("READY")
        return self.ready

    async def resume(self, seq: int | None = None, session_id: str | None = None) -> None:
        """RESUME on a new connection at the resume URL."""
        seq = self.seq if seq is None else seq
        await self.connect(self.ready["resume_gateway_url"])
        session_id = session_id or self.ready["session_id"]
        await self.send(6, {"token": self.account["token"], "session_id": session_id, "seq": seq})

    # -- REST ------------------------------------------------------------------------------------------------------

    async def call(self, method: str, path: str, body: Any = None, **more: Any) -> tuple[int, Any]:
        """Status and JSON body (None when empty)."""
        headers = {"Authorization": self.account["token"]}
        url = self.world.where["api"] + path
        async with self.world.http.request(method, url, json=body, headers=headers, **more) as answer:
            text = await answer.text()
            return answer.status, json.loads(text) if text else None

    async def command(self, name: str, **options: str) -> tuple[int, Any, str]:
        """Use a slash command; status, body and the nonce."""
        if name not in self.versions:
            _, index = await self.call("GET", f"/guilds/{self.world.where['guild_id']}/application-command-index")
            self.versions = {c["name"]: (c["id"], c["version"]) for c in index["application_commands"]}
        command_id, version = self.versions[name]
        given = [{"type": 3, "name": key, "value": value} for key, value in options.items()]
        data = {"version": version, "id": command_id, "name": name, "type": 1, "options": given}
        return await self.interact({"type": 2, "data": data})

    async def imagine(self, prompt: str) -> str:
        """Ask for a drawing; the nonce."""
        status, body, nonce = await self.command("imagine", prompt=prompt)
        assert (status, body) == (204, None)
        return nonce

    async def press(self, message: dict[str, Any], start: str) -> str:
        """Press the button whose custom_id begins with `start`; the nonce."""
        custom_id = next(part for part in buttons_of(message) if part.startswith(start))
        status, body, nonce = await self.interact(
            {
                "type": 3,
                "message_id": message["id"],
                "message_flags": 0,
                "data": {"component_type": 2, "custom_id": custom_id},
            }
        )
        assert (status, body) == (204, None)
        return nonce

    async def interact(self, fields: dict[str, Any]) -> tuple[int, Any, str]:
        self.nonce += 1
        base = {
            "application_id": BOT_ID,
            "guild_id": self.world.where["guild_id"],
            "channel_id": self.account["channel_id"],
            "session_id": "0123456789abcdef",
            "nonce": str(self.nonce),
        }
        status, body = await self.call("POST", "/interactions", base | fields)
        return status, body, str(self.nonce)

    async def drawing(self, prompt: str) -> dict[str, Any]:
        """Draw to the end; the final message."""
        await self.imagine(prompt)
        return await self.final()

    async def final(self) -> dict[str, Any]:
        """Skip to the next message with a finished picture."""
        while True:
            message = await self.event("MESSAGE_CREATE")
            if message["attachments"] and message["components"]:
                return message

    async def upload(self, filename: str, data: bytes) -> dict[str, Any]:
        """Reserve a place, PUT the bytes; the place {id, upload_url, upload_filename}."""
        files = {"files": [{"filename": filename, "file_size": len(data), "id": "0"}]}
        _, places = await self.call("POST", f"/channels/{self.account['channel_id']}/attachments", files)
        place: dict[str, Any] = places["attachments"][0]
        async with self.world.http.put(place["upload_url"], data=data) as answer:
            assert answer.status == 200
        return place

    async def fetch(self, url: str) -> tuple[int, bytes]:
        async with self.world.http.get(url) as answer:
            return answer.status, await answer.read()


def buttons_of(message: dict[str, Any]) -> list[str]:
    return [part["custom_id"] for row in message["components"] for part in row["components"] if "custom_id" in part]
