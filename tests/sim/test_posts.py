"""What bots write: limits of a message, files, replies, edits, and who hears how much of it (rules 16, 24, 26-29)."""

from __future__ import annotations

import io
import json
from typing import Any

import aiohttp
import pytest
from PIL import Image

from tests.sim.player import Player, World, play
from tests.sim.shop import Shop, served

V2 = 1 << 15


def row(*custom_ids: str) -> dict[str, Any]:
    return {"type": 1, "components": [{"type": 2, "style": 1, "label": "L", "custom_id": one} for one in custom_ids]}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"content": "x" * 2001}, "content"),
        ({"embeds": [{"title": "t"}] * 11}, "embeds"),
        ({"embeds": [{"description": "x" * 4000, "footer": {"text": "y" * 2001}}]}, "embeds"),
        ({"components": [row("a")] * 6}, "components"),
        ({"components": [row(*"abcdef")]}, "components"),
        ({"components": [row("a", "a")]}, "components"),
        ({"components": [row("x" * 101)]}, "components"),
        ({"components": [{"type": 1, "components": [{"type": 2, "label": "x" * 81}]}]}, "components"),
        ({"components": [{"type": 17}], "flags": V2, "content": "both"}, "content"),
        ({"attachments": [{"id": "0", "uploaded_filename": "1/none.png"}]}, "attachments"),
        ({"content": "x", "message_reference": {"message_id": "1"}}, "message_reference"),
    ],
)
def test_what_discord_does_not_take_is_50035_and_says_where(body: dict[str, Any], field: str) -> None:
    async def scenario(shop: Shop) -> None:
        status, answer = await say(shop, body)
        assert (status, answer["code"], list(answer["errors"])) == (400, 50035, [field])

    served(scenario)


async def say(shop: Shop, body: dict[str, Any]) -> tuple[int, Any]:
    return await shop.bot.call("POST", f"/channels/{shop.world.where['channel_id']}/messages", body)


def png(width: int, height: int) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height)).save(sink, "PNG")
    return sink.getvalue()


def form_of(body: dict[str, Any], *files: tuple[str, bytes]) -> aiohttp.FormData:
    form = aiohttp.FormData({"payload_json": json.dumps(body)}, quote_fields=False)
    for number, (name, data) in enumerate(files):
        form.add_field(f"files[{number}]", data, filename=name)
    return form


def test_files_of_a_form_are_kept_until_an_edit_leaves_them_out() -> None:
    async def scenario(shop: Shop) -> None:
        headers = {"Authorization": shop.bot.account["token"]}
        url = f"{shop.world.where['api']}/channels/{shop.world.where['channel_id']}/messages"
        form = form_of({"content": "two"}, ("a b.png", png(3, 2)), ("words.txt", b"words"))
        async with shop.world.http.post(url, data=form, headers=headers) as answer:
            first, second = (message := await answer.json())["attachments"]
        assert (first["filename"], first["width"], first["height"]) == ("a_b.png", 3, 2)
        assert "width" not in second
        assert await shop.user.fetch(second["url"]) == (200, b"words")
        body = {"attachments": [{"id": second["id"]}, {"id": "0", "description": "new"}]}
        async with shop.world.http.patch(
            f"{url}/{message['id']}", data=form_of(body, ("c.txt", b"c")), headers=headers
        ) as answer:
            edited = await answer.json()
        assert [one["filename"] for one in edited["attachments"]] == ["words.txt", "c.txt"]
        assert edited["content"] == "two"
        _, bare = await shop.bot.call("PATCH", url.partition("/api/v10")[2] + f"/{message['id']}", {"attachments": []})
        assert bare["attachments"] == []

    served(scenario)


def test_a_file_that_is_too_large_is_40005() -> None:
    async def scenario(shop: Shop) -> None:
        url = f"{shop.world.where['api']}/channels/{shop.world.where['channel_id']}/messages"
        form = form_of({}, ("big.bin", bytes((10 << 20) + 1)))
        async with shop.world.http.post(url, data=form, headers={"Authorization": shop.bot.account["token"]}) as answer:
            assert (answer.status, (await answer.json())["code"]) == (413, 40005)

    served(scenario)


def test_mentions_are_those_that_were_allowed() -> None:
    async def scenario(shop: Shop) -> None:
        user = shop.user.ready["user"]["id"]
        for allowed, told in ((None, [user]), ({"parse": []}, []), ({"parse": [], "users": [user]}, [user])):
            _, message = await say(shop, {"content": f"<@{user}>", "allowed_mentions": allowed})
            assert [one["id"] for one in message["mentions"]] == told

    served(scenario)


def test_another_authors_message_can_be_neither_changed_nor_taken_away() -> None:
    async def scenario(shop: Shop) -> None:
        _, message = await say(shop, {"content": "mine"})
        path = f"/channels/{message['channel_id']}/messages/{message['id']}"
        assert [(await shop.user.call(method, path, {"content": "yours"}))[0] for method in ("PATCH", "DELETE")] == [
            403
        ] * 2

    served(scenario)


@pytest.mark.parametrize(("intents", "heard"), [(1 << 9, ""), (1 << 9 | 1 << 15, "to all"), (1 << 12, None)])
def test_a_bot_hears_what_its_intents_let_it(intents: int, heard: str | None) -> None:
    async def scenario(world: World) -> None:
        bot = Player(world, {"token": world.where["bot_tokens"][0]}, "?v=10")
        await bot.connect()
        await bot.send(2, {"token": bot.account["token"], "intents": intents, "properties": {}})
        bot_id = (await bot.event("READY"))["application"]["id"]
        async with world.player() as user:
            channel = f"/channels/{world.where['channel_id']}/messages"
            await user.call("POST", channel, {"content": "to all"})
            direct = str(int(user.ready["user"]["id"]) + 2)
            await user.call("POST", f"/channels/{direct}/messages", {"content": f"to you, <@{bot_id}>"})
            await user.call("POST", channel, {"content": f"and to you, <@{bot_id}>"})
            seen = [(await bot.event("MESSAGE_CREATE"))["content"] for _ in range(1 if heard is None else 2)]
        expected = [f"to you, <@{bot_id}>"] if heard is None else [heard, f"and to you, <@{bot_id}>"]
        assert seen == expected
        await bot.socket.close(code=4000)

    play(scenario)
