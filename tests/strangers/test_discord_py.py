"""discord.py, unmodified, takes `limner sim` for Discord: only its base URLs are set."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import discord
import pytest
import yarl
from PIL import Image

from tests.sim.player import Player, World
from tests.strangers.bots import Bot
from tests.strangers.stage import Stage, ask, limner_sim, press, use

pytestmark = pytest.mark.live

COMMAND_USED, MENU_USED = discord.MessageType.chat_input_command, discord.MessageType.context_menu_command


class Cast(Stage):
    """Two bots, which are ready."""

    async def enter(self) -> None:
        self.first, self.second = Bot(), Bot()
        pairs = zip((self.first, self.second), self.where["bot_tokens"], strict=True)
        await asyncio.gather(*(bot.enter(token) for bot, token in pairs))

    async def leave(self) -> None:
        await asyncio.gather(self.first.leave(), self.second.leave())

    @property
    def channel(self) -> discord.TextChannel:
        """The common channel, as the first bot knows it."""
        found = self.first.get_channel(int(self.where["channel_id"]))
        assert isinstance(found, discord.TextChannel)
        return found

    @property
    def application_id(self) -> str:
        return str(self.first.application_id)


@pytest.fixture(scope="module")
def cast() -> Iterator[Cast]:
    with limner_sim("--bots", "2") as where, pytest.MonkeyPatch.context() as patch:
        patch.setattr(discord.http.Route, "BASE", where["api"])
        patch.setattr(discord.gateway.DiscordWebSocket, "DEFAULT_GATEWAY", yarl.URL(where["gateway"]))
        patch.setattr(discord.Asset, "BASE", where["cdn"])
        cast = Cast(where)
        cast.runner.run(cast.enter())
        yield cast
        cast.runner.run(cast.leave())
        cast.runner.close()


def picture(width: int = 8, height: int = 4) -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(sink, "PNG")
    return sink.getvalue()


def says(text: str) -> Any:
    return lambda message: message.content == text


def test_a_bot_is_ready_and_knows_the_guild(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        (guild,) = cast.first.guilds
        assert guild.id == int(world.where["guild_id"])
        assert {cast.first.user.id, cast.second.user.id} <= {member.id for member in guild.members}
        assert guild.me.guild_permissions.send_messages
        fetched = await cast.first.fetch_guild(guild.id)
        assert fetched.name == guild.name
        assert (await guild.fetch_member(cast.second.user.id)).name == cast.second.user.name
        asked = await guild.query_members(user_ids=[cast.second.user.id])
        assert [member.id for member in asked] == [cast.second.user.id]
        assert [role.is_default() for role in await guild.fetch_roles()] == [True]
        assert {channel.id for channel in await guild.fetch_channels()} == {channel.id for channel in guild.channels}
        assert (await cast.first.application_info()).id == cast.first.user.id

    cast.play(scene)


def test_what_one_bot_says_the_other_hears(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        hears = cast.second.hears("message", says("good day"))
        embed = discord.Embed(title="T", description="D", colour=0x00FF00).add_field(name="n", value="v")
        said = await cast.channel.send("good day", embed=embed, nonce="n-1")
        heard = await hears
        assert (heard.id, heard.author.id, heard.embeds[0].title) == (said.id, cast.first.user.id, "T")
        assert heard.guild.get_member(heard.author.id) is not None

        hears = cast.first.hears("message", says("and to you"))
        await heard.reply("and to you")
        answer = await hears
        assert answer.type is discord.MessageType.reply
        assert answer.reference.resolved.id == said.id
        assert [one.content async for one in cast.channel.history(limit=2)] == ["and to you", "good day"]

    cast.play(scene)


def test_a_message_is_changed_reacted_to_and_taken_away(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        hears = cast.second.hears("typing")
        async with cast.channel.typing():
            assert (await hears)[1].id == cast.first.user.id
        hears = cast.second.hears("message", says("draft"))
        said = await cast.channel.send("draft")
        heard = await hears

        hears = cast.second.hears("message_edit")
        await said.edit(content="final")
        assert [one.content for one in await hears] == ["draft", "final"]

        hears = cast.first.hears("reaction_add")
        await heard.add_reaction("👍")
        reaction, user = await hears
        assert (str(reaction.emoji), user.id) == ("👍", cast.second.user.id)
        assert (await cast.channel.fetch_message(said.id)).reactions[0].count == 1
        await heard.remove_reaction("👍", cast.second.user)

        hears = cast.second.hears("message_delete")
        await said.delete()
        assert (await hears).id == said.id
        with pytest.raises(discord.NotFound):
            await cast.channel.fetch_message(said.id)

    cast.play(scene)


def test_a_file_is_sent_and_read_back_from_the_cdn(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        data = picture()
        hears = cast.second.hears("message", lambda message: message.attachments)
        file = discord.File(io.BytesIO(data), "a picture.png", description="teal")
        await cast.channel.send(file=file, embed=discord.Embed().set_image(url="attachment://a_picture.png"))
        heard = await hears
        (attachment,) = heard.attachments
        assert await attachment.read() == data
        assert (attachment.filename, attachment.width, attachment.description) == ("a_picture.png", 8, "teal")
        assert heard.embeds[0].image.url.startswith(world.where["cdn"])

    cast.play(scene)


def test_a_user_and_a_bot_talk_alone(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        user = cast.first.get_user(int(guest.ready["user"]["id"]))
        await user.send("a word with you")
        channel_id = (await guest.event("MESSAGE_CREATE", content="a word with you"))["channel_id"]
        hears = cast.first.hears("message", says("yes?"))
        status, _ = await guest.call("POST", f"/channels/{channel_id}/messages", {"content": "yes?"})
        assert status == 200
        assert isinstance((await hears).channel, discord.DMChannel)

    cast.play(scene)


def test_a_slash_command_is_deferred_edited_and_followed_up(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        hears = cast.second.hears("message", says("and more"))
        nonce = await use(guest, cast.application_id, "tell", {"type": 3, "name": "text", "value": "42"})
        created = await guest.event("INTERACTION_CREATE", nonce=nonce)
        await guest.event("INTERACTION_SUCCESS", id=created["id"])
        promise = await guest.event("MESSAGE_CREATE", nonce=nonce)
        assert promise["flags"] & 128
        told = await guest.event("MESSAGE_UPDATE", id=promise["id"])
        assert (told["content"], told["flags"]) == ("thought: 42", 0)
        assert told["interaction_metadata"]["id"] == created["id"]
        more = await guest.event("MESSAGE_CREATE", content="and more")
        assert more["message_reference"]["message_id"] == promise["id"]
        assert (await hears).type is discord.MessageType.reply
        assert (await cast.channel.fetch_message(int(promise["id"]))).type is COMMAND_USED

    cast.play(scene)


def test_an_ephemeral_answer_is_seen_by_one_alone(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        nonce = await use(guest, cast.application_id, "whisper", {"type": 3, "name": "mood", "value": "dry"})
        secret = await guest.event("MESSAGE_CREATE", nonce=nonce)
        assert (secret["content"], secret["flags"] & 64) == ("only you: dry", 64)
        assert (await guest.event("MESSAGE_UPDATE", id=secret["id"]))["content"] == "only you: very dry"
        hears = cast.second.hears("message")
        await cast.channel.send("in the open")
        assert (await hears).content == "in the open"
        assert secret["id"] not in {str(one.id) async for one in cast.channel.history(limit=5)}

    cast.play(scene)


def test_options_are_resolved_to_members_and_files(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        data = picture(width=31)
        place = await guest.upload("wide.png", data)
        given = {"id": "0", "filename": "wide.png", "uploaded_filename": place["upload_filename"]}
        owner = {"type": 6, "name": "owner", "value": guest.ready["user"]["id"]}
        file = {"type": 11, "name": "file", "value": "0"}
        await use(guest, cast.application_id, "measure", file, owner, attachments=[given])
        name = guest.account["name"]
        await guest.event("MESSAGE_CREATE", content=f"{name}: {len(data)} bytes, 31 px")

        said = await cast.channel.send("quotable")
        await use(guest, cast.application_id, "Quote", target_id=str(said.id))
        answer = await guest.event("MESSAGE_CREATE", content="> quotable")
        assert (await cast.channel.fetch_message(int(answer["id"]))).type is MENU_USED

    cast.play(scene)


def test_buttons_change_their_message_and_open_a_form(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        await use(guest, cast.application_id, "choose")
        message = await guest.event("MESSAGE_CREATE", content="Choose")
        await press(guest, message, "form")
        form = await guest.event("INTERACTION_MODAL_CREATE", title="A form")
        line = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "Wren"}]}
        data = {"id": form["id"], "custom_id": form["custom_id"], "components": [line]}
        await ask(guest, cast.application_id, 5, data)
        await guest.event("MESSAGE_CREATE", content="Hello Wren")
        await press(guest, message, "change")
        changed = await guest.event("MESSAGE_UPDATE", content="Chosen")
        assert (changed["id"], changed["components"][0]["components"][0]["label"]) == (message["id"], "Changed")

    cast.play(scene)


def test_a_form_is_opened_by_a_command_and_a_layout_shown(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        await use(guest, cast.application_id, "fill")
        form = await guest.event("INTERACTION_MODAL_CREATE", title="A form")
        line = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "Crane"}]}
        hears = cast.second.hears("message", says("Hello Crane"))
        await ask(
            guest, cast.application_id, 5, {"id": form["id"], "custom_id": form["custom_id"], "components": [line]}
        )
        assert (await hears).interaction_metadata.modal_interaction.id == int(form["id"])

        hears = cast.second.hears("message", lambda message: message.flags.components_v2)
        await use(guest, cast.application_id, "lay")
        (container,) = (await hears).components
        text, _, file = container.children
        assert (text.content, file.name, file.size) == ("# Title", "words.txt", 5)
        assert await guest.fetch(file.media.url) == (200, b"words")

    cast.play(scene)


@pytest.mark.parametrize("fault", ["reconnect", "drop_all", "close_4000"])
def test_a_lost_connection_is_resumed_and_nothing_missed(cast: Cast, fault: str) -> None:
    async def scene(world: World, guest: Player) -> None:
        before = await world.sim("stats")
        resumed = cast.second.hears("resumed")
        heard = cast.second.hears("message", says(f"said during {fault}"))
        assert (await world.sim("faults", {"fault": fault, "account": "bot-02"}))["struck"] == 1
        await cast.channel.send(f"said during {fault}")
        await resumed
        await heard
        after = await world.sim("stats")
        assert after["resumes"] == before["resumes"] + 1
        assert after["identifies"] == before["identifies"]

    cast.play(scene)


def test_a_429_is_waited_out(cast: Cast) -> None:
    async def scene(world: World, guest: Player) -> None:
        before = (await world.sim("stats"))["rate_limited"]
        await world.sim("faults", {"fault": "r429_user", "account": "bot-01"})
        said = await cast.channel.send("patience")
        assert said.content == "patience"
        assert (await world.sim("stats"))["rate_limited"] == before + 1

    cast.play(scene)
