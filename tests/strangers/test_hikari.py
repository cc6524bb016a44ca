"""hikari, unmodified, takes `limner sim` for Discord: the strictest parser of what it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import hikari
import pytest

from tests.sim.player import Player, World
from tests.strangers.stage import PATIENCE_S, Stage, limner_sim, press, use

pytestmark = pytest.mark.live


class Solo(Stage):
    """One bot of hikari, which is started; its slash command answers with what it was told."""

    async def enter(self) -> None:
        self.bot = hikari.GatewayBot(
            self.where["bot_tokens"][0], rest_url=self.where["api"], intents=hikari.Intents.ALL, banner=None, logs=None
        )
        self.bot.listen()(self.on_command)
        self.bot.listen()(self.on_button)
        started = self.hears(hikari.StartedEvent)
        joined = self.hears(hikari.GuildAvailableEvent)
        await self.bot.start()
        await started
        self.guild = (await joined).guild
        self.application = await self.bot.rest.fetch_application()
        builder = self.bot.rest.slash_command_builder("echo", "Say it again")
        builder.add_option(hikari.CommandOption(type=hikari.OptionType.STRING, name="text", description="What"))
        await self.bot.rest.set_application_commands(self.application, [builder], guild=self.guild)

    async def leave(self) -> None:
        await self.bot.close()

    def hears(self, event: type[Any], check: Any = None) -> asyncio.Future[Any]:
        """Listens from the next turn of the loop on."""
        return asyncio.ensure_future(self.bot.wait_for(event, timeout=PATIENCE_S, predicate=check))

    async def on_command(self, event: hikari.CommandInteractionCreateEvent) -> None:
        asked = event.interaction
        await asked.create_initial_response(hikari.ResponseType.DEFERRED_MESSAGE_CREATE)
        row = self.bot.rest.build_message_action_row()
        row.add_interactive_button(hikari.ButtonStyle.PRIMARY, "again", label="Again")
        await asked.edit_initial_response(f"echo: {asked.options[0].value}", component=row)
        await asked.execute("for you alone", flags=hikari.MessageFlag.EPHEMERAL)

    async def on_button(self, event: hikari.ComponentInteractionCreateEvent) -> None:
        response = hikari.ResponseType.MESSAGE_UPDATE
        await event.interaction.create_initial_response(response, "once more", components=[])


@pytest.fixture(scope="module")
def solo() -> Iterator[Solo]:
    with limner_sim("--bots", "1") as where, pytest.MonkeyPatch.context() as patch:
        patch.setattr(hikari.urls, "CDN_URL", where["cdn"])
        solo = Solo(where)
        solo.runner.run(solo.enter())
        yield solo
        solo.runner.run(solo.leave())
        solo.runner.close()


def test_it_starts_and_knows_the_guild(solo: Solo) -> None:
    async def scene(world: World, guest: Player) -> None:
        assert str(solo.guild.id) == world.where["guild_id"]
        assert int(world.where["channel_id"]) in solo.guild.get_channels()
        assert (await solo.bot.rest.fetch_my_user()).id == solo.application.id
        guild = await solo.bot.rest.fetch_guild(solo.guild)
        member = await solo.bot.rest.fetch_member(guild, int(guest.ready["user"]["id"]))
        assert member.username == guest.account["name"]
        assert len(await solo.bot.rest.fetch_roles(guild)) == 1
        assert [command.name for command in await fetched_commands(solo)] == ["echo"]

    solo.play(scene)


async def fetched_commands(solo: Solo) -> Any:
    return await solo.bot.rest.fetch_application_commands(solo.application, solo.guild)


def test_it_hears_and_says_and_attaches(solo: Solo) -> None:
    async def scene(world: World, guest: Player) -> None:
        channel = world.where["channel_id"]
        heard = solo.hears(hikari.GuildMessageCreateEvent, lambda event: event.content == "hello there")
        await guest.call("POST", f"/channels/{channel}/messages", {"content": "hello there"})
        message = (await heard).message
        assert message.author.username == guest.account["name"]

        answer = await message.respond("hello you", attachment=hikari.Bytes(b"plain words", "words.txt"), reply=True)
        assert await (await solo.bot.rest.fetch_message(int(channel), answer)).attachments[0].read() == b"plain words"
        await answer.edit("hello you too")
        assert (await guest.event("MESSAGE_UPDATE", id=str(answer.id)))["content"] == "hello you too"
        await answer.add_reaction("👍")
        await answer.delete()
        await guest.event("MESSAGE_DELETE", id=str(answer.id))

    solo.play(scene)


def test_it_reads_what_the_drawing_bot_says(solo: Solo) -> None:
    async def scene(world: World, guest: Player) -> None:
        done = solo.hears(hikari.GuildMessageCreateEvent, lambda event: event.message.attachments)
        await guest.imagine("a fox for hikari")
        message = (await done).message
        assert "a fox for hikari" in message.content
        assert [component.label for component in message.components[1]] == ["V1", "V2", "V3", "V4"]
        assert len(await message.attachments[0].read()) == message.attachments[0].size

    solo.play(scene)


def test_its_slash_command_is_deferred_edited_and_followed_up(solo: Solo) -> None:
    async def scene(world: World, guest: Player) -> None:
        given = {"type": 3, "name": "text", "value": "cuckoo"}
        nonce = await use(guest, str(solo.application.id), "echo", given)
        promise = await guest.event("MESSAGE_CREATE", nonce=nonce)
        assert (await guest.event("MESSAGE_UPDATE", id=promise["id"]))["content"] == "echo: cuckoo"
        assert (await guest.event("MESSAGE_CREATE", content="for you alone"))["flags"] & 64
        await press(guest, promise | {"flags": 0}, "again")
        assert (await guest.event("MESSAGE_UPDATE", id=promise["id"], content="once more"))["components"] == []

    solo.play(scene)


@pytest.mark.parametrize("fault", ["reconnect", "drop_all", "invalid_true"])
def test_it_resumes_and_misses_nothing(solo: Solo, fault: str) -> None:
    async def scene(world: World, guest: Player) -> None:
        before = await world.sim("stats")
        resumed = solo.hears(hikari.ShardResumedEvent)
        heard = solo.hears(hikari.GuildMessageCreateEvent, lambda event: event.content == f"during {fault}")
        await asyncio.gather(world.sim("faults", {"fault": fault, "account": "bot-01"}))
        await guest.call("POST", f"/channels/{world.where['channel_id']}/messages", {"content": f"during {fault}"})
        await resumed
        await heard
        after = await world.sim("stats")
        assert after["resumes"] == before["resumes"] + 1
        assert after["identifies"] == before["identifies"]

    solo.play(scene)
