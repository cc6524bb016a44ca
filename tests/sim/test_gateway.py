"""The gateway by Discord's documents (facts/discord.md, "Protocol facts"), seen from outside."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.sim.player import World, play


def test_hello_ready_and_the_guild_come_in_this_order() -> None:
    async def scenario(world: World) -> None:
        async with world.connection() as player:
            assert player.hello["op"] == 10
            assert player.hello["d"]["heartbeat_interval"] == 41250
            await player.send(1, None)
            assert (await player.frame())["op"] == 11
            ready = await player.identify()
            assert ready["guilds"] == [{"id": world.where["guild_id"], "unavailable": True}]
            guild = await player.event("GUILD_CREATE")
            assert player.account["channel_id"] in [channel["id"] for channel in guild["channels"]]

    play(scenario)


def test_zlib_stream_is_one_stream_of_flushed_messages() -> None:
    async def scenario(world: World) -> None:
        async with world.player(query="?v=9&encoding=json&compress=zlib-stream") as player:
            final = await player.drawing("p")
            assert final["attachments"]

    play(scenario)


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("no json", 4002),
        ('{"op": 1, "d": null, "pad": "' + "x" * 4096 + '"}', 4002),
        ('{"op": 77, "d": null}', 4001),
        ('{"op": "x", "d": null}', 4001),
        ('{"op": 3, "d": {}}', 4003),
        ('{"op": 2, "d": {"token": "wrong"}}', 4004),
        ('{"op": 2, "d": {}}', 4002),
        ('{"op": 6, "d": {"token": "wrong", "session_id": "x", "seq": 1}}', 4004),
    ],
)
def test_a_breach_of_the_protocol_is_closed_with_its_code(said: str, code: int) -> None:
    async def scenario(world: World) -> None:
        async with world.connection() as player:
            await player.socket.send_str(said)
            assert await player.frame() == {"close": code}

    play(scenario)


def test_a_second_identify_is_closed_4005() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.send(2, {"token": player.account["token"]})
            assert await player.frame() == {"close": 4005}

    play(scenario)


def test_an_unknown_version_is_closed_4012() -> None:
    async def scenario(world: World) -> None:
        async with world.connection(query="?v=5&encoding=json") as player:
            assert player.hello == {"close": 4012}

    play(scenario)


def test_the_121st_send_within_a_minute_is_closed_4008() -> None:
    async def scenario(world: World) -> None:
        async with world.connection() as player:
            for _ in range(121):
                await player.send(1, None)
            acks = 0
            while (frame := await player.frame()).get("op") == 11:
                acks += 1
            assert frame == {"close": 4008}
            assert acks <= 120

    play(scenario)


def test_silence_is_closed_4009_and_ends_the_session() -> None:
    async def scenario(world: World) -> None:
        await world.sim("config", {"heartbeat_s": 0.1})
        async with world.player() as player:
            assert await player.frame() == {"close": 4009}
            await player.resume()
            assert (await player.op(9))["d"] is False

    play(scenario)


def test_resume_replays_what_was_missed_in_order_then_says_resumed() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            await player.imagine("p")
            start = await player.event("MESSAGE_CREATE")
            seq = player.seq or 0
            assert player.socket._response.connection is not None  # type: ignore[union-attr]
            player.socket._response.connection.transport.abort()  # type: ignore[union-attr]
            await other.drawing("meanwhile")
            await player.resume(seq)
            events = []
            while not events or events[-1]["t"] != "RESUMED":
                events.append(await player.op(0))
            assert [event["s"] for event in events] == list(range(seq + 1, seq + 1 + len(events)))
            assert events[-2]["d"]["id"] == start["id"]
            assert (await world.sim("stats"))["resumes"] == 1

    play(scenario)


def test_an_earlier_resumed_is_not_replayed_as_the_end_of_a_later_replay() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            seq = player.seq
            for _ in range(2):
                await player.socket.close(code=4000)
                await player.resume(seq)
                await player.event("RESUMED")
            await player.drawing("p")
            await player.socket.close(code=4000)
            await player.resume(seq)
            names = [name for name, _ in await player.until("RESUMED")]
            assert names.count("RESUMED") == 1
            assert names[0] == "INTERACTION_CREATE"

    play(scenario)


@pytest.mark.parametrize("code", [1000, 1001])
def test_a_session_closed_with_1000_or_1001_cannot_be_resumed(code: int) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.socket.close(code=code)
            await player.resume()
            assert (await player.op(9))["d"] is False
            await player.identify()
            assert player.ready["session_id"]

    play(scenario)


def test_a_sequence_never_sent_is_closed_4007() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.socket.close(code=4000)
            await player.resume(seq=10_000)
            assert await player.frame() == {"close": 4007}

    play(scenario)


def test_another_accounts_session_cannot_be_resumed() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            await player.socket.close(code=4000)
            await player.resume(session_id=other.ready["session_id"])
            assert (await player.op(9))["d"] is False

    play(scenario)


def test_a_replay_longer_than_the_buffer_is_op_9_false(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.sessions.REPLAY_EVENTS_MAX", 5)

    async def scenario(world: World) -> None:
        async with world.player() as player:
            seq = player.seq
            await player.drawing("p")
            await player.socket.close(code=4000)
            await player.resume(seq)
            assert (await player.op(9))["d"] is False

    play(scenario)


def test_a_connection_that_falls_behind_what_is_kept_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.sessions.REPLAY_EVENTS_MAX", 5)

    async def scenario(world: World) -> None:
        async with world.player() as player:
            assert world.simulator is not None
            hub = world.simulator.parts.hub
            for number in range(7):  # at once, so that the connection cannot keep up
                hub.say(hub.lines[player.ready["session_id"]], "NEWS", {"number": number})
            assert await player.frame() == {"close": 4000}

    play(scenario)


def test_a_player_sees_neither_the_channel_nor_the_nonce_of_another() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            await player.drawing("mine")
            await other.call(
                "POST", f"/channels/{world.where['channel_id']}/messages", {"content": "all", "nonce": "n"}
            )
            common = await player.event("MESSAGE_CREATE", content="all")
            assert "nonce" not in common
            assert (await other.until("MESSAGE_CREATE", nonce="n"))[0][1]["content"] == "all"

    play(scenario)


async def bot_frames(world: World, identify: dict[str, Any], count: int) -> list[Any]:
    """The first frames (or the close code) that a bot gets after HELLO."""
    async with world.http.ws_connect(world.where["gateway"] + "?v=10&encoding=json") as socket:
        await socket.receive()
        await socket.send_str(json.dumps({"op": 2, "d": {"token": world.where["bot_tokens"][0], **identify}}))
        got: list[Any] = []
        for _ in range(count):
            message = await socket.receive(timeout=5)
            got.append(
                json.loads(message.data)
                if isinstance(message.data, str) and message.data[:1] == "{"
                else socket.close_code
            )
        return got


def test_a_bot_needs_intents() -> None:
    async def scenario(world: World) -> None:
        assert await bot_frames(world, {}, 1) == [4013]

    play(scenario)


def test_a_bot_that_identifies_twice_in_five_seconds_gets_op_9() -> None:
    async def scenario(world: World) -> None:
        ready, guild = await bot_frames(world, {"intents": 1}, 2)
        assert (ready["t"], guild["t"]) == ("READY", "GUILD_CREATE")
        assert ready["d"]["application"]["id"]
        (refused,) = await bot_frames(world, {"intents": 1}, 1)
        assert (refused["op"], refused["d"]) == (9, False)

    play(scenario)


def test_a_bot_without_the_message_content_intent_sees_empty_messages() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            url = world.where["gateway"] + "?v=10&encoding=json"
            async with world.http.ws_connect(url) as socket:
                token = world.where["bot_tokens"][0]
                await socket.send_str(json.dumps({"op": 2, "d": {"token": token, "intents": 1 | 1 << 9}}))
                while json.loads((await socket.receive(timeout=5)).data)["t"] != "GUILD_CREATE":
                    pass
                await player.call("POST", f"/channels/{world.where['channel_id']}/messages", {"content": "secret"})
                frame = json.loads((await socket.receive(timeout=5)).data)
                assert (frame["t"], frame["d"]["content"]) == ("MESSAGE_CREATE", "")

    play(scenario)


def test_every_frame_has_all_four_fields() -> None:
    async def scenario(world: World) -> None:
        async with world.connection() as player:
            await player.send(1, None)
            for frame in (player.hello, await player.frame()):
                assert frame.keys() == {"op", "d", "s", "t"}

    play(scenario)
