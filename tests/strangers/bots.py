"""A bot of discord.py with what the scenes need: commands with options, a deferral, buttons, a form."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Coroutine
from typing import Any

import discord
from discord import app_commands

from tests.strangers.stage import PATIENCE_S


class Bot(discord.Client):
    """Its commands are registered when it logs in."""

    def __init__(self) -> None:
        super().__init__(intents=discord.Intents.all(), guild_ready_timeout=0.1)
        self.tree = app_commands.CommandTree(self)
        self.tree.command(name="tell", description="Think, then tell")(tell)
        self.tree.command(name="whisper", description="Tell one alone")(whisper)
        self.tree.command(name="measure", description="Measure a file for someone")(measure)
        self.tree.command(name="choose", description="Buttons and a form")(choose)
        self.tree.command(name="fill", description="A form at once")(fill)
        self.tree.command(name="lay", description="A layout of components")(lay)
        self.tree.context_menu(name="Quote")(quote)

    async def setup_hook(self) -> None:
        await self.tree.sync()

    def hears(self, event: str, check: Callable[..., bool] | None = None) -> Coroutine[Any, Any, Any]:
        """Listens from now on; await it for what the event says."""
        return self.wait_for(event, check=check, timeout=PATIENCE_S)

    async def enter(self, token: str) -> None:
        """Log in and be ready; its life goes on in `life`."""
        await self.login(token)
        self.life = asyncio.create_task(self.connect())
        await asyncio.wait_for(self.wait_until_ready(), PATIENCE_S)

    async def leave(self) -> None:
        await self.close()
        await self.life


async def tell(interaction: discord.Interaction, text: str) -> None:
    await interaction.response.defer(thinking=True)
    await interaction.edit_original_response(content=f"thought: {text}")
    await interaction.followup.send("and more")


MOODS = [app_commands.Choice(name="Kind", value="kind"), app_commands.Choice(name="Dry", value="dry")]


@app_commands.choices(mood=MOODS)
async def whisper(interaction: discord.Interaction, mood: app_commands.Choice[str]) -> None:
    await interaction.response.send_message(f"only you: {mood.value}", ephemeral=True)
    await interaction.edit_original_response(content=f"only you: very {mood.value}")


async def measure(interaction: discord.Interaction, file: discord.Attachment, owner: discord.Member) -> None:
    data = await file.read()
    await interaction.response.send_message(f"{owner.display_name}: {len(data)} bytes, {file.width} px")


async def choose(interaction: discord.Interaction) -> None:
    await interaction.response.send_message("Choose", view=Buttons())


async def fill(interaction: discord.Interaction) -> None:
    await interaction.response.send_modal(Form())


async def lay(interaction: discord.Interaction) -> None:
    file = discord.File(io.BytesIO(b"words"), "words.txt")
    await interaction.response.send_message(view=Layout(), file=file)


async def quote(interaction: discord.Interaction, message: discord.Message) -> None:
    await interaction.response.send_message(f"> {message.content}")


class Form(discord.ui.Modal, title="A form"):
    name = discord.ui.TextInput(label="Name", custom_id="name")

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"Hello {self.name.value}")


class Layout(discord.ui.LayoutView):
    def __init__(self) -> None:
        super().__init__()
        section = discord.ui.Section("Beside", accessory=discord.ui.Thumbnail("https://example.com/a.png"))
        file = discord.ui.File("attachment://words.txt")
        self.add_item(discord.ui.Container(discord.ui.TextDisplay("# Title"), section, file))


class Buttons(discord.ui.View):
    @discord.ui.button(label="Change", custom_id="change")
    async def change(self, interaction: discord.Interaction, button: discord.ui.Button[Buttons]) -> None:
        button.label = "Changed"
        await interaction.response.edit_message(content="Chosen", view=self)

    @discord.ui.button(label="Form", custom_id="form")
    async def form(self, interaction: discord.Interaction, button: discord.ui.Button[Buttons]) -> None:
        await interaction.response.send_modal(Form())
