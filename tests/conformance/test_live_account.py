"""What needs no daemon: the real account, machine or links, with real sockets, before a real simulator."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from actors.account.line import GatewayLine
from protocol import answering, rest
from protocol.answering import Asked, Standing
from protocol.gateway import Gateway, Hangup, Identity, Ready, Reconnect, SavedSession
from protocol.gateway_sends import SEND_COUNT_MAX, SEND_RESERVE
from protocol.multipart import File
from system.discord_links import DiscordLinks
from system.links import LinkBroken, Wire
from system.zstd import COMPRESSIONS
from tests.actors.studio import Sim, run, simulator, studio
from tests.conformance.stand import PNG
from tests.sim.player import Player, World

pytestmark = [pytest.mark.live, pytest.mark.timeout(60)]

HEARTBEAT_S = 1.0
#: How long after the connection was cut the interaction is taken.
LATE_S = 7.0


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with simulator("--accounts", "3", "--bots", "1", "--pictures", "canned") as running:
        yield running


class Client:
    """The gateway machine on a real wire, without an actor: it sends what the machine says, and nothing else."""

    def __init__(self, sim: Sim, links: DiscordLinks, number: int, saved: SavedSession | None = None) -> None:
        self.account = sim.told["accounts"][number]
        self.links = links
        self.url = sim.told["gateway"] + "/?v=10&encoding=json"
        self.gateway = Gateway(Identity(self.account["token"]), self.url, random.Random(1), saved)
        self.presences = 0
        self.sent: list[int] = []
        self.heard: list[Any] = []

    async def run(self, wire: Wire, until: float) -> None:
        """Reads, beats and sends until a moment of the monotonic clock."""
        loop = asyncio.get_running_loop()
        self.gateway.connection_made(loop.time())
        reading = loop.create_task(wire.receive())
        try:
            while loop.time() < until:
                due = min(self.gateway.next_deadline() or until, until)
                await asyncio.wait({reading}, timeout=max(0.0, due - loop.time()))
                if reading.done():
                    document = reading.result()
                    assert isinstance(document, str)
                    self.gateway.receive(document.encode(), loop.time())
                    reading = loop.create_task(wire.receive())
                self.gateway.tick(loop.time())
                self.heard += self.gateway.events_received()
                while self.presences and self.gateway.send({"op": 3, "d": {"since": self.presences}}, loop.time()):
                    self.presences -= 1
                for payload in self.gateway.data_to_send():
                    self.sent.append(payload["op"])
                    wire.send(msgspec.json.encode(payload).decode())
        finally:
            reading.cancel()


def test_09_op_9_false_to_a_resume(sim: Sim) -> None:
    async def scene() -> None:
        links = DiscordLinks(sim.told["api"])
        now = asyncio.get_running_loop().time
        try:
            client = Client(sim, links, 2, SavedSession("nobody's", 5, sim.told["gateway"]))
            await client.run(await links.connect(client.url), now() + 0.5)
            (hangup,) = client.heard
            assert client.sent == [6]
            assert isinstance(hangup.then, Reconnect)
            assert (hangup.then.url, hangup.then.resume) == (client.url, False)
            await client.run(await links.connect(hangup.then.url), now() + 0.5)
            assert client.sent[:2] == [6, 2]
            assert isinstance(client.heard[1], Ready)
        finally:
            await links.close()

    run(scene())


def test_12_500_presences_are_held_back_and_no_heartbeat_is(sim: Sim) -> None:
    async def scene() -> None:
        await sim.configure(heartbeat_s=HEARTBEAT_S)
        links = DiscordLinks(sim.told["api"])
        try:
            client = Client(sim, links, 0)
            client.presences = 500
            wire = await links.connect(client.url)
            await client.run(wire, asyncio.get_running_loop().time() + 5 * HEARTBEAT_S)
            wire.drop()
        finally:
            await links.close()
            await sim.configure(heartbeat_s=41.25)
        assert not any(isinstance(event, Hangup) for event in client.heard)
        assert client.sent.count(3) == SEND_COUNT_MAX - SEND_RESERVE - 1 - client.sent[: client.sent.index(3)].count(1)
        assert client.sent.count(1) >= 4

    run(scene())


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_16_either_compression_is_read_through_damage_and_long_documents(
    sim: Sim, tmp_path: Path, compression: str
) -> None:
    defaults = GatewayLine.__init__.__defaults__
    assert defaults == (COMPRESSIONS[0],)

    async def scene() -> None:
        await sim.fault("huge_guild")
        async with studio(tmp_path, sim) as house:
            job = await house.order(f"through damaged {compression}")
            await sim.fault("bad_zlib")
            assert (await house.reaches(job, "done")).state == "done"
        rows = [row for row in await sim.ledger() if compression in row["prompt"]]
        assert [row["outcome"] for row in rows] == ["done"]

    with patch.object(GatewayLine.__init__, "__defaults__", (compression,)):
        run(scene())


@pytest.mark.parametrize(("in_flight_s", "drawn"), [(LATE_S + 1.5, 1), (0.2, 2)], ids=["waited for", "not waited for"])
def test_19_a_post_that_is_taken_late_is_drawn_twice_by_whoever_does_not_wait(
    sim: Sim, tmp_path: Path, in_flight_s: float, drawn: int
) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(in_flight_s=in_flight_s)) as house:
            await sim.fault("late_response", seconds=LATE_S)
            job = await house.order(f"taken late, {in_flight_s:g}")
            assert (await house.reaches(job, "done")).state == "done"
            async with asyncio.timeout(2 * LATE_S):
                while len(await rows()) < drawn:  # noqa: ASYNC110  another process
                    await asyncio.sleep(0.05)
            await sim.settled()
        assert len(await rows()) == drawn

    async def rows() -> list[dict[str, Any]]:
        return [row for row in await sim.ledger() if f"taken late, {in_flight_s:g}" in row["prompt"]]

    with patch("core.reconcile.TRACE_S", 0.5):
        run(scene())


def test_19_a_bot_that_answers_too_late_says_it_in_the_channel(sim: Sim) -> None:
    async def scene() -> None:
        token = sim.told["bot_tokens"][0]
        links = DiscordLinks(sim.told["api"])
        try:
            async with World.of(sim.told) as world, world.connection(1) as user:
                await user.identify()
                bot = Player(world, {"token": token, "channel_id": sim.told["channel_id"]}, user.query)
                await bot.connect()
                await bot.send(2, {"token": token, "properties": {}, "intents": 513})
                await bot.event("READY")
                in_time, late = [await ask_bot(world, user, bot) for _ in range(2)]
                assert await answered(links, token, in_time) == (Standing.DEFERRED, "PATCH")
                await asyncio.sleep(3.2)  # past the three seconds, by the simulator's clock
                assert await answered(links, token, late) == (Standing.GONE, "POST")
                answer = await links.request(rest.get_messages(late.channel_id), rest.authorization(token, "bot"))
                said = [message["content"] for message in msgspec.json.decode(answer.body)]
                assert [said.count(asked.id) for asked in (in_time, late)] == [1, 1]
                await bot.socket.close(code=4000)
        finally:
            await links.close()

    run(scene())


def test_19_a_picture_posted_as_a_form_is_there_once_when_its_answer_is_lost(sim: Sim) -> None:
    async def scene() -> None:
        links, account = DiscordLinks(sim.told["api"]), sim.told["accounts"][1]
        who = rest.authorization(account["token"], "user")
        body = {"content": "", "attachments": [{"id": "0", "filename": "fox.png"}]}
        request = rest.post_message(account["channel_id"], body, "4711", (File("fox.png", "image/png", PNG),))
        try:
            await sim.fault("lost_message")
            with pytest.raises(LinkBroken):
                await links.request(request, who)
            again = await links.request(request, who)
            history = await links.request(rest.get_messages(account["channel_id"]), who)
            (posted,) = [each for each in msgspec.json.decode(history.body) if each["attachments"]]
            assert posted["id"] == msgspec.json.decode(again.body)["id"]
            assert (await links.fetch(posted["attachments"][0]["url"], 1 << 20, 5.0)).data == PNG
        finally:
            await links.close()

    run(scene())


async def answered(links: DiscordLinks, token: str, asked: Asked) -> tuple[Standing, str]:
    """Defers twice, as after a lost answer, then says the interaction's id; how it stood, and how it was said."""
    standing = Standing.NEW
    for _ in range(2):
        standing = answering.after(standing, *await send(links, answering.defer(asked, asked.at), token))
    said = answering.say(asked, standing, {"content": asked.id}, asked.id, asked.at)
    status, _ = await send(links, said, token)
    assert status == 200
    return standing, said.method


async def send(links: DiscordLinks, request: rest.Request | None, token: str) -> tuple[int, int | None]:
    """Status and code of Discord's answer to a bot."""
    assert request is not None
    answer = await links.request(request, rest.authorization(token, "bot"))
    found = msgspec.json.decode(answer.body) if answer.body else {}
    return answer.status, found.get("code")


async def ask_bot(world: World, user: Player, bot: Player) -> Asked:
    """A user asks the bot by a slash command; the interaction as the bot hears it."""
    headers = {"Authorization": f"Bot {bot.account['token']}"}
    async with world.http.get(f"{world.where['api']}/users/@me", headers=headers) as answer:
        bot_id = (await answer.json())["id"]
    command = {"name": "draw", "type": 1, "description": "Draws", "options": []}
    url = f"{world.where['api']}/applications/{bot_id}/commands"
    async with world.http.put(url, json=[command], headers=headers) as answer:
        (known,) = await answer.json()
    data = {"id": known["id"], "version": known["version"], "name": "draw", "type": 1, "options": []}
    fields = {"type": 2, "data": data, "application_id": bot_id, "channel_id": world.where["channel_id"]}
    status, _, _ = await user.interact(fields)
    assert status == 204
    created = await bot.event("INTERACTION_CREATE")
    return Asked(created["id"], created["token"], bot_id, created["channel_id"], at=0.0)
