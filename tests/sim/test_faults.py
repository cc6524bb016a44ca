"""Each fault does what its name says, as often as it was asked for, to whom it was meant."""

from __future__ import annotations

import asyncio
import json
import zlib
from typing import Any

import aiohttp
import pytest

from sim.faults import ARMED, CLOSE, SUDDEN, Faults, Order, is_known, names
from sim.identity import Account
from tests.sim.player import World, play

FOX = Account("1", "fox-01", "t", "c")
HERON = Account("2", "heron-02", "t", "c")
CONTRACT_NAMES = """
reconnect reconnect_no_hello no_hello no_ack op1 reset_in_replay invalid_true invalid_false close_CODE
dead_resume_url resume_1006 drop_all bad_zlib huge_guild unknown_events r429_user r429_shared r429_global
r429_html lost_response bad_gateway slow cdn_404 cdn_truncated put_fails stale_version banned_prompt
invalid_parameter moderated job_queued queue_full blocked captcha credits_exhausted never_finishes
"""
CONTRACT = CONTRACT_NAMES.split()
OURS = ["late_response", "lost_message", "no_starts_left", "op1_early", "unauthorized"]


def test_the_names_are_those_of_the_contract_and_some_of_ours() -> None:
    assert set(names()) == {*CONTRACT, *OURS}
    assert all(is_known(name) for name in CONTRACT if name != "close_CODE")
    assert is_known("close_4009")
    assert not is_known("close_CODE")
    assert not set(ARMED) & set(SUDDEN)
    assert CLOSE.fullmatch("close_999") is None


def test_a_fault_strikes_count_times_and_only_its_account() -> None:
    faults = Faults()
    faults.arm(Order("slow", count=2), FOX.id)
    assert [
        faults.take("slow", HERON),
        faults.take("slow", FOX),
        faults.take("slow", FOX),
        faults.take("slow", FOX),
    ] == [
        False,
        True,
        True,
        False,
    ]


def test_a_fault_with_seconds_and_no_count_strikes_until_then() -> None:
    faults = Faults()
    faults.arm(Order("no_ack", seconds=1000), None)
    assert all(faults.take("no_ack", FOX) for _ in range(5))
    faults = Faults()
    faults.arm(Order("no_ack", seconds=-1), None)
    assert not faults.take("no_ack", FOX)


@pytest.mark.parametrize(
    "body", [{"fault": "nonsense"}, {"fault": "close_CODE"}, {"fault": "slow", "account": "nobody"}, {}, {"fault": 1}]
)
def test_an_unknown_fault_or_account_is_400(body: dict[str, Any]) -> None:
    async def scenario(world: World) -> None:
        async with world.http.post(f"{world.origin}/_sim/faults", json=body) as answer:
            told = await answer.json()
            assert answer.status == 400
            assert "reconnect" in told.get("faults", []) or "fox-01" in told.get("accounts", [])

    play(scenario)


@pytest.mark.parametrize(
    ("fault", "op", "d"),
    [("reconnect", 7, None), ("op1", 1, None), ("invalid_true", 9, True), ("invalid_false", 9, False)],
)
def test_a_sudden_fault_is_sent_to_the_live_connection(fault: str, op: int, d: Any) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            told = await world.sim("faults", {"fault": fault, "account": "fox-01"})
            assert told == {"fault": fault, "struck": 1}
            assert (await player.op(op))["d"] is d

    play(scenario)


def test_a_close_code_strikes_now_and_its_rest_at_the_next_resume() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "close_4000", "count": 2})
            assert await player.frame() == {"close": 4000}
            await player.resume()
            assert await player.frame() == {"close": 4000}
            await player.resume()
            await player.event("RESUMED")

    play(scenario)


def test_a_session_said_invalid_cannot_be_resumed() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "invalid_false"})
            await player.op(9)
            await player.socket.close(code=4000)
            await player.resume()
            assert (await player.op(9))["d"] is False

    play(scenario)


def test_a_lost_response_was_taken_all_the_same() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.drawing("learn the version")
            await world.sim("faults", {"fault": "lost_response"})
            with pytest.raises(aiohttp.ClientError):
                await player.imagine("lost")
            await player.event("MESSAGE_CREATE", nonce=str(player.nonce))
            row = (await world.sim("ledger?after=1"))["rows"][0]
            assert (row["nonce"], row["prompt"]) == (str(player.nonce), "lost")

    play(scenario)


def test_a_late_response_is_taken_after_the_client_was_cut_off() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.drawing("learn the version")
            await world.sim("faults", {"fault": "late_response", "seconds": 0.3})
            with pytest.raises(aiohttp.ClientError):
                await player.imagine("late")
            assert (await world.sim("ledger?after=1"))["rows"] == []
            await player.event("MESSAGE_CREATE", nonce=str(player.nonce))
            row = (await world.sim("ledger?after=1"))["rows"][0]
            assert (row["nonce"], row["prompt"]) == (str(player.nonce), "late")

    play(scenario)


def test_a_drawing_that_never_finishes_can_be_cancelled() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "never_finishes", "account": "fox-01"})
            await player.imagine("stuck")
            progress: dict[str, Any] = {"content": ""}
            while "(93%)" not in progress["content"]:
                progress = await player.event("MESSAGE_UPDATE")
            await player.drawing("another overtakes it")
            await player.press(progress, "MJ::CancelJob")
            while not progress["content"].endswith("(Stopped)"):
                progress = await player.event("MESSAGE_UPDATE")
            assert (await world.sim("ledger"))["rows"][0]["outcome"] == "cancelled"

    play(scenario)


@pytest.mark.parametrize(
    ("fault", "title"),
    [
        ("banned_prompt", "Banned prompt detected"),
        ("invalid_parameter", "Invalid parameter"),
        ("queue_full", "Queue full"),
        ("credits_exhausted", "Credits exhausted"),
        ("blocked", "Blocked"),
        ("job_queued", "Job queued"),
    ],
)
def test_a_refusal_of_the_bot_is_an_ephemeral_embed_with_the_nonce(fault: str, title: str) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": fault})
            nonce = await player.imagine("p")
            refusal = await player.event("MESSAGE_CREATE", nonce=nonce)
            assert (refusal["flags"], refusal["embeds"][0]["title"]) == (64, title)
            if fault == "job_queued":
                assert (await player.final())["components"]

    play(scenario)


def test_a_moderated_drawing_ends_in_a_reply_without_a_nonce() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "moderated"})
            nonce = await player.imagine("p")
            start = await player.event("MESSAGE_CREATE", nonce=nonce)
            reply = await player.event("MESSAGE_CREATE")
            assert reply["message_reference"]["message_id"] == start["id"]
            assert reply["embeds"][0]["title"] == "Request cancelled due to output filters"
            assert (await world.sim("ledger"))["rows"][0]["outcome"] == "failed"

    play(scenario)


def test_a_captcha_is_an_iframe_modal_with_the_observed_title() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "captcha"})
            nonce = await player.imagine("p")
            modal = await player.event("INTERACTION_IFRAME_MODAL_CREATE", nonce=nonce)
            assert modal["title"] == "Action required to continue"

    play(scenario)


@pytest.mark.parametrize(
    ("fault", "status", "scope"),
    [
        ("r429_user", 429, "user"),
        ("r429_shared", 429, "shared"),
        ("r429_global", 429, "global"),
        ("r429_html", 429, None),
    ],
)
def test_a_429_names_its_scope(fault: str, status: int, scope: str | None) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": fault})
            headers = {"Authorization": player.account["token"]}
            async with world.http.get(f"{world.where['api']}/users/@me", headers=headers) as answer:
                assert (answer.status, answer.headers.get("X-RateLimit-Scope")) == (status, scope)
                assert ("Via" in answer.headers) == (scope is not None)

    play(scenario)


def test_a_bad_gateway_did_not_take_the_interaction() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.drawing("learn the version")
            await world.sim("faults", {"fault": "bad_gateway"})
            headers = {"Authorization": player.account["token"]}
            async with world.http.post(f"{world.where['api']}/interactions", json={}, headers=headers) as answer:
                assert answer.status == 502
            assert (await world.sim("stats"))["interactions"] == 1

    play(scenario)


def test_pictures_can_be_missing_or_cut_short() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            url = (await player.drawing("p"))["attachments"][0]["url"]
            await world.sim("faults", {"fault": "cdn_404"})
            assert (await player.fetch(url))[0] == 404
            await world.sim("faults", {"fault": "cdn_truncated"})
            with pytest.raises(aiohttp.ClientPayloadError):
                await player.fetch(url)
            assert (await player.fetch(url))[0] == 200

    play(scenario)


def test_a_new_connection_can_be_met_by_op_7_or_by_nothing() -> None:
    async def scenario(world: World) -> None:
        await world.sim("faults", {"fault": "reconnect_no_hello"})
        async with world.connection() as player:
            assert player.hello["op"] == 7
        await world.sim("faults", {"fault": "no_hello"})
        await world.sim("config", {"heartbeat_s": 0.1})
        async with world.connection() as player:
            assert player.hello == {"close": 4009}

    play(scenario)


def test_a_resume_can_be_cut_at_once_or_in_its_replay() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            seq = player.seq
            await player.drawing("p")
            await player.socket.close(code=4000)
            await world.sim("faults", {"fault": "resume_1006"})
            await player.resume(seq)
            assert (await player.frame())["close"] == 1006
            await world.sim("faults", {"fault": "reset_in_replay"})
            await player.resume(seq)
            assert (await player.frame())["t"] == "INTERACTION_CREATE"
            assert (await player.frame())["close"] == 1006
            await player.resume()
            names = [name for name, _ in await player.until("RESUMED")]
            assert names[0] == "INTERACTION_SUCCESS"

    play(scenario)


def test_what_nobody_knows_can_be_sent() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "unknown_events"})
            assert (await player.op(99))["novel"] == [1]
            assert await player.event("SOMETHING_NEW")

    play(scenario)


def test_acks_can_be_withheld() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "no_ack", "account": "fox-01"})
            await player.send(1, None)
            await player.send(3, {})
            await player.send(1, None)
            await world.sim("faults", {"fault": "op1"})
            assert [(await player.frame())["op"] for _ in range(2)] == [11, 1]

    play(scenario)


def test_a_dead_resume_url_is_told_and_the_base_url_still_resumes() -> None:
    async def scenario(world: World) -> None:
        await world.sim("faults", {"fault": "dead_resume_url"})
        async with world.player() as player:
            await player.socket.close(code=4000)
            with pytest.raises(aiohttp.ClientConnectorError):
                await player.resume()
            player.ready["resume_gateway_url"] = world.where["gateway"]
            await player.resume()
            await player.event("RESUMED")

    play(scenario)


def test_a_frame_can_be_damaged() -> None:
    async def scenario(world: World) -> None:
        async with world.connection(query="?v=9&encoding=json&compress=zlib-stream") as player:
            await world.sim("faults", {"fault": "bad_zlib"})
            with pytest.raises(zlib.error):
                await player.identify()

    play(scenario)


def test_a_guild_can_be_huge() -> None:
    async def scenario(world: World) -> None:
        await world.sim("faults", {"fault": "huge_guild"})
        async with world.connection() as player:
            await player.identify()
            assert len(json.dumps(await player.event("GUILD_CREATE"))) > 3 << 20

    play(scenario)


def test_every_connection_can_be_dropped_and_resumes() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            assert (await world.sim("faults", {"fault": "drop_all"}))["struck"] == 2
            for one in (player, other):
                assert (await one.frame())["close"] == 1006
                await one.resume()
                await one.event("RESUMED")

    play(scenario)


def test_an_upload_can_fail_and_an_answer_be_slow() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await world.sim("faults", {"fault": "put_fails"})
            files = {"files": [{"filename": "x.png", "file_size": 1, "id": "0"}]}
            _, places = await player.call("POST", f"/channels/{player.account['channel_id']}/attachments", files)
            async with world.http.put(places["attachments"][0]["upload_url"], data=b"x") as answer:
                assert answer.status == 500
            await world.sim("faults", {"fault": "slow", "seconds": 30})
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(player.call("GET", "/users/@me"), 0.2)
            assert (await player.call("GET", "/users/@me"))[0] == 200

    play(scenario)


def test_a_heartbeat_can_be_asked_for_before_anyone_is_known() -> None:
    async def scenario(world: World) -> None:
        await world.sim("faults", {"fault": "op1_early"})
        async with world.connection() as player:
            assert player.hello["op"] == 10
            assert (await player.frame())["op"] == 1
            await player.send(1, None)
            assert (await player.frame())["op"] == 11
            await player.identify()

    play(scenario)


def test_a_message_can_be_posted_and_its_answer_lost_and_the_nonce_finds_it() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            path = f"/channels/{player.account['channel_id']}/messages"
            body = {"content": "once", "nonce": "77", "enforce_nonce": True}
            await world.sim("faults", {"fault": "lost_message"})
            with pytest.raises(aiohttp.ClientError):
                await player.call("POST", path, body)
            status, message = await player.call("POST", path, body)
            assert (status, message["content"]) == (200, "once")
            _, history = await player.call("GET", path)
            assert [each["id"] for each in history if each["content"] == "once"] == [message["id"]]

    play(scenario)


def test_a_token_can_be_refused_and_be_good_again() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            await world.sim("faults", {"fault": "unauthorized", "account": "fox-01"})
            assert (await other.call("GET", "/users/@me"))[0] == 200
            assert [(await player.call("GET", "/users/@me"))[0] for _ in range(2)] == [401, 200]

    play(scenario)


def test_a_day_s_identifies_can_be_said_to_be_spent() -> None:
    async def scenario(world: World) -> None:
        headers = {"Authorization": f"Bot {world.where['bot_tokens'][0]}"}
        await world.sim("faults", {"fault": "no_starts_left", "seconds": 7})
        limits = []
        for _ in range(2):
            async with world.http.get(f"{world.where['api']}/gateway/bot", headers=headers) as answer:
                limits.append((await answer.json())["session_start_limit"])
        assert [limit["remaining"] for limit in limits] == [0, 1000]
        assert limits[0]["reset_after"] == 7_000

    play(scenario)
