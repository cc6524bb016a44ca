"""REST bodies hold to Discord's own schemas (an extract of discord/discord-api-spec under data/)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from tests.sim.player import World, play

SCHEMAS = json.loads((Path(__file__).parent / "data" / "discord-schemas.json").read_text())


def check(name: str, body: Any) -> None:
    """Assert that the body is valid by the named schema, saying where it is not."""
    schema = {"$ref": f"#/components/schemas/{name}", "components": SCHEMAS["components"]}
    complaints = [f"{list(e.absolute_path)}: {e.message[:200]}" for e in Draft202012Validator(schema).iter_errors(body)]
    assert not complaints, f"{name}: {complaints}"


def test_what_a_bot_asks_first_is_valid() -> None:
    async def scenario(world: World) -> None:
        headers = {"Authorization": f"Bot {world.where['bot_tokens'][0]}"}

        async def get(path: str) -> Any:
            async with world.http.get(world.where["api"] + path, headers=headers) as answer:
                return await answer.json()

        check("GatewayResponse", await get("/gateway"))
        check("GatewayBotResponse", await get("/gateway/bot"))
        check("UserPIIResponse", await get("/users/@me"))
        check("PrivateApplicationResponse", await get("/oauth2/applications/@me"))
        check("GuildWithCountsResponse", await get(f"/guilds/{world.where['guild_id']}"))
        check("GuildChannelResponse", await get(f"/channels/{world.where['channel_id']}"))
        for guild in await get("/users/@me/guilds"):
            check("MyGuildResponse", guild)

    play(scenario)


def test_messages_of_every_kind_are_valid() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            path = f"/channels/{player.account['channel_id']}/messages"
            place = await player.upload("in.png", b"bytes")
            given = {"id": "0", "filename": "in.png", "uploaded_filename": place["upload_filename"]}
            await player.call("POST", path, {"content": "said", "attachments": [given]})
            await player.press(await player.drawing("p"), "MJ::JOB::upsample::1")
            await player.final()
            await player.command("shorten", prompt="a small fox")
            await player.event("MESSAGE_UPDATE")
            await world.sim("config", {"no_delete": True})
            await player.drawing("kept")
            _, history = await player.call("GET", path)
            assert len(history) == 6
            for message in history:
                check("MessageResponse", message)

    play(scenario)


def test_refusals_are_valid() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            for answer in (
                await player.call("GET", "/channels/1"),
                await player.call("GET", "/nowhere"),
                await player.call("POST", "/interactions", {"type": 2}),
                await player.call(
                    "POST", f"/channels/{player.account['channel_id']}/messages", {"content": "x" * 2001}
                ),
            ):
                assert answer[0] >= 400
                # The schema wants whole numbers for the codes within `errors`; the documents show words, and decide.
                check("Error", answer[1])

    play(scenario)
