"""REST: bodies, errors, limits and uploads, seen from outside."""

from __future__ import annotations

import json
from typing import Any

import aiohttp
import pytest

from tests.sim.player import BOT_ID, World, play


def test_json_answers_name_their_type_without_a_charset() -> None:
    async def scenario(world: World) -> None:
        for path in ("/gateway", "/users/@me"):
            async with world.http.get(world.where["api"] + path) as answer:
                assert answer.headers["Content-Type"] == "application/json"

    play(scenario)


@pytest.mark.parametrize("prefix", ["/api", "/api/v9", "/api/v10"])
def test_each_api_prefix_is_served(prefix: str) -> None:
    async def scenario(world: World) -> None:
        headers = {"Authorization": f"Bot {world.where['bot_tokens'][0]}"}
        async with world.http.get(world.origin + prefix + "/gateway/bot", headers=headers) as answer:
            body = await answer.json()
            assert body["url"] == world.where["gateway"]
            assert body["session_start_limit"]["max_concurrency"] == 1

    play(scenario)


@pytest.mark.parametrize("header", ["", "wrong", "Bot wrong", "Bot {user}", "{bot}"])
def test_a_wrong_token_is_401(header: str) -> None:
    async def scenario(world: World) -> None:
        token = header.format(user=world.where["accounts"][0]["token"], bot=world.where["bot_tokens"][0])
        async with world.http.get(world.where["api"] + "/users/@me", headers={"Authorization": token}) as answer:
            assert (answer.status, await answer.json()) == (401, {"message": "401: Unauthorized", "code": 0})

    play(scenario)


def test_a_stale_version_is_50035_with_the_observed_code() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.imagine("p")
            await world.sim("faults", {"fault": "stale_version"})
            status, body, _ = await player.command("imagine", prompt="p")
            assert (status, body["code"]) == (400, 50035)
            error = body["errors"]["data"]["_errors"][0]["code"]
            assert error == "INTERACTION_APPLICATION_COMMAND_INVALID_VERSION"
            player.versions.clear()
            await player.imagine("p")
            outcomes = [row["outcome"] for row in (await world.sim("ledger"))["rows"]]
            assert outcomes[1:] == ["refused", "accepted"]

    play(scenario, seconds=30.0)


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"application_id": "1"}, 404, 10002),
        ({"channel_id": "1"}, 404, 10003),
        ({"guild_id": "1"}, 404, 10004),
        ({"type": 4}, 400, 50035),
        ({"session_id": None}, 400, 50035),
        ({"data": None}, 400, 50035),
        ({"data": {"id": "1"}}, 404, 10063),
        ({"nonce": "1" * 26}, 400, 50035),
        ({"type": 3, "message_id": "1", "data": {"custom_id": "x"}}, 404, 10008),
        ({"type": 5, "data": {"custom_id": "x"}}, 400, 50035),
    ],
)
def test_a_malformed_interaction_is_refused_with_discords_code(change: dict[str, Any], status: int, code: int) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            got, body, _ = await player.interact({"type": 2, "data": {}} | change)
            assert (got, body["code"]) == (status, code)

    play(scenario)


def test_anothers_channel_is_403() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            other = world.where["accounts"][1]["channel_id"]
            assert (await player.interact({"type": 2, "channel_id": other, "data": {}}))[0] == 403
            status, body = await player.call("GET", f"/channels/{other}/messages")
            assert (status, body["code"]) == (403, 50001)

    play(scenario)


def test_an_unknown_button_is_a_failed_component_validation() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            final = await player.drawing("p")
            fields = {"type": 3, "message_id": final["id"], "data": {"custom_id": "MJ::JOB::upsample::9::x"}}
            status, body, _ = await player.interact(fields)
            assert (status, body["code"]) == (400, 50035)
            assert body["errors"]["data"]["custom_id"]["_errors"][0]["code"] == "COMPONENT_VALIDATION_FAILED"

    play(scenario)


def test_an_interaction_may_come_as_the_form_field_payload_json() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.imagine("learn the version")
            command_id, version = player.versions["imagine"]
            option = {"type": 3, "name": "prompt", "value": "by form"}
            data = {"id": command_id, "version": version, "name": "imagine", "type": 1, "options": [option]}
            body = {
                "type": 2,
                "application_id": BOT_ID,
                "channel_id": player.account["channel_id"],
                "session_id": "x",
                "data": data,
            }
            form = aiohttp.FormData({"payload_json": json.dumps(body)})
            headers = {"Authorization": player.account["token"]}
            async with world.http.post(world.where["api"] + "/interactions", data=form, headers=headers) as answer:
                assert answer.status == 204

    play(scenario)


def test_a_spent_bucket_is_429_with_headers_via_and_retry_after() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            headers = {"Authorization": player.account["token"]}
            url = f"{world.where['api']}/channels/{player.account['channel_id']}/messages"
            remaining = []
            while True:
                async with world.http.get(url, headers=headers) as answer:
                    remaining.append(int(answer.headers["X-RateLimit-Remaining"]))
                    assert len(remaining) <= int(answer.headers["X-RateLimit-Limit"]) + 1
                    if answer.status == 429:
                        body = await answer.json()
                        assert answer.headers["Via"]
                        assert answer.headers["X-RateLimit-Scope"] == "user"
                        assert 0 < body["retry_after"] <= float(answer.headers["Retry-After"])
                        assert body["global"] is False
                        break
            assert remaining == [*range(len(remaining) - 2, -1, -1), 0]
            assert (await world.sim("stats"))["rate_limited"] == 1

    play(scenario)


def test_an_uploaded_file_becomes_an_attachment_and_is_served_as_it_was() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            channel = f"/channels/{player.account['channel_id']}"
            place = await player.upload("in.png", b"bytes")
            given = {"id": "0", "filename": "in.png", "uploaded_filename": place["upload_filename"]}
            status, message = await player.call("POST", f"{channel}/messages", {"attachments": [given]})
            assert status == 200
            assert await player.fetch(message["attachments"][0]["url"]) == (200, b"bytes")

    play(scenario)


def test_a_nonce_is_echoed_and_enforced() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            path = f"/channels/{player.account['channel_id']}/messages"
            body = {"content": "hello", "nonce": "n1", "enforce_nonce": True}
            _, first = await player.call("POST", path, body)
            _, again = await player.call("POST", path, body)
            assert first["id"] == again["id"]
            assert (await player.event("MESSAGE_CREATE", nonce="n1"))["id"] == first["id"]
            _, history = await player.call("GET", path)
            assert len(history) == 1

    play(scenario)


@pytest.mark.parametrize(
    ("body", "code"), [({"content": "x" * 2001}, 50035), ({}, 50006), ({"nonce": "n" * 26}, 50035)]
)
def test_a_bad_message_is_refused(body: dict[str, Any], code: int) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            status, answer = await player.call("POST", f"/channels/{player.account['channel_id']}/messages", body)
            assert (status, answer["code"]) == (400, code)

    play(scenario)


def test_history_is_paged_by_before_and_after() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            path = f"/channels/{player.account['channel_id']}/messages"
            ids = [(await player.call("POST", path, {"content": str(n)}))[1]["id"] for n in range(4)]

            async def page(query: str) -> list[str]:
                return [message["id"] for message in (await player.call("GET", f"{path}?{query}"))[1]]

            assert await page("limit=2") == [ids[3], ids[2]]
            assert await page(f"before={ids[2]}&limit=1") == [ids[1]]
            assert await page(f"after={ids[0]}&limit=2") == [ids[2], ids[1]]
            assert (await player.call("GET", f"{path}?limit=101"))[0] == 400

    play(scenario)


def test_an_unknown_route_is_404_in_discords_words() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            assert await player.call("GET", "/nothing/here") == (404, {"message": "404: Not Found", "code": 0})

    play(scenario)
