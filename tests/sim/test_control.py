"""The control routes, and that nothing a client sends makes the simulator stumble."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest

from sim.settings import Settings
from tests.sim.player import BOT_ID, World, play

JUNK: tuple[Any, ...] = (
    None,
    True,
    -1,
    3.5,
    "",
    "x" * 300,
    [],
    [[]],
    {},
    {"components": 3},
    [{"components": [1]}],
    [None],
)


def test_the_ledger_is_read_page_by_page() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            for number in range(5):
                await player.imagine(f"p{number}")
            first = await world.sim("ledger?after=0&limit=2")
            assert [row["prompt"] for row in first["rows"]] == ["p0", "p1"]
            rest = await world.sim(f"ledger?after={first['next']}&limit=10")
            assert [row["prompt"] for row in rest["rows"]] == ["p2", "p3", "p4"]
            assert rest["next"] is None
            assert set(first["rows"][0]) == {
                *("nonce", "account", "kind", "prompt", "at", "outcome", "interaction_id", "message_id", "sha256")
            }

    play(scenario)


def test_a_nonce_seen_twice_is_counted() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.imagine("one")
            player.nonce -= 1
            await player.imagine("two")
            stats = await world.sim("stats")
            assert (stats["duplicates"], stats["interactions"]) == (1, 2)

    play(scenario)


def test_the_pulse_tells_how_clients_came_and_how_late_they_beat() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.send(1, None)
            await player.op(11)
            pulse = await world.sim("pulse?forget")
            (arrival,) = pulse["arrivals"]
            assert (arrival["account"], arrival["how"], arrival["taken"]) == (player.account["name"], "identify", True)
            assert (pulse["beats"], pulse["late_s_max"]) == (1, 0.0)
            assert await world.sim("pulse") == {"arrivals": [], "beats": 0, "late_s_max": 0.0}

    play(scenario)


@pytest.mark.parametrize("body", [{"nonsense": 1}, {"seconds": "long"}, [], {"jitter": None}])
def test_a_wrong_setting_is_400_and_changes_nothing(body: Any) -> None:
    async def scenario(world: World) -> None:
        async with world.http.post(f"{world.origin}/_sim/config", json=body) as answer:
            assert answer.status == 400
            assert (await answer.json())["message"]
        assert (await world.sim("config", {}))["seconds"] == 0.2

    play(scenario)


def test_true_stands_for_a_sensible_figure() -> None:
    settings = Settings().changed({"late_delete": True, "reorder": True, "duplicate_events": 0.5})
    assert (settings.delete_after_s, settings.reorder_chance, settings.duplicate_chance) == (5.0, 0.3, 0.5)


def mutations(body: dict[str, Any], dice: random.Random) -> dict[str, Any]:
    """The body with one to three values, at any depth, replaced by junk."""
    body = copy.deepcopy(body)
    for _ in range(dice.randrange(1, 4)):
        place: Any = body
        while True:
            key = dice.choice(list(place)) if isinstance(place, dict) else dice.randrange(len(place))
            deeper = place[key]
            if isinstance(deeper, dict | list) and deeper and dice.random() < 0.7:
                place = deeper
                continue
            place[key] = copy.deepcopy(dice.choice(JUNK))
            break
    return body


def test_no_body_makes_an_interaction_fail_on_our_side() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            final = await player.drawing("p")
            base = {
                "application_id": BOT_ID,
                "guild_id": world.where["guild_id"],
                "channel_id": player.account["channel_id"],
                "session_id": "x",
                "nonce": "n",
            }
            command_id, version = player.versions["blend"]
            image = {"type": 11, "name": "image1", "value": 0}
            upload = {"id": "0", "filename": "a.png", "uploaded_filename": "1/a.png"}
            blend = {"id": command_id, "version": version, "name": "blend", "options": [image], "attachments": [upload]}
            job = final["attachments"][0]["filename"].rpartition("_")[2].removesuffix(".png")
            row = {"type": 1, "components": [{"type": 4, "value": "q"}]}
            modal = {"custom_id": f"MJ::OutpaintCustomZoomModal::{job}", "components": [row]}
            button = {"type": 3, "message_id": final["id"], "data": {"custom_id": f"MJ::JOB::reroll::0::{job}::SOLO"}}
            bodies = [base | {"type": 2, "data": blend}, base | button, base | {"type": 5, "data": modal}]
            dice = random.Random(4)
            statuses = set()
            for number in range(240):
                if number % 25 == 0:  # a new window of the rate limit
                    world.simulator.guard.limits.buckets.clear()  # type: ignore[union-attr]
                status, body = await player.call("POST", "/interactions", mutations(bodies[number % 3], dice))
                assert status in (204, 400, 403, 404), body
                statuses.add(status)
            assert {204, 400, 404} <= statuses

    play(scenario)


def test_no_body_makes_a_message_or_an_upload_fail_on_our_side() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            channel = f"/channels/{player.account['channel_id']}"
            dice = random.Random(5)
            message = {"content": "x", "nonce": "n", "attachments": [{"id": "0", "uploaded_filename": "1/x"}]}
            upload = {"files": [{"filename": "x", "file_size": 3, "id": "0"}]}
            for number in range(120):
                world.simulator.guard.limits.buckets.clear()  # type: ignore[union-attr]
                path, body = (("/messages", message), ("/attachments", upload))[number % 2]
                status, answer = await player.call("POST", channel + path, mutations(body, dice))
                assert status in (200, 400), answer

    play(scenario)


def test_no_frame_makes_the_gateway_fail_on_our_side() -> None:
    async def scenario(world: World) -> None:
        dice = random.Random(6)
        token = world.where["accounts"][0]["token"]
        frames = [
            {"op": 2, "d": {"token": token, "intents": 1, "shard": [0, 1]}},
            {"op": 6, "d": {"token": token, "session_id": "x", "seq": 1}},
            {"op": 1, "d": 1},
            {"op": 8, "d": {"guild_id": "1"}},
        ]
        for number in range(60):
            async with world.connection() as player:
                frame = mutations(frames[number % 4], dice)
                await player.send(frame["op"], frame.get("d"))
                answer = await player.frame()
                assert answer.get("op") in (0, 9, 11) or answer["close"] in (4001, 4002, 4003, 4004, 4007), frame

    play(scenario)
