"""What an account sets with the drawing bot holds for it alone, and is shown by the colour of buttons."""

from __future__ import annotations

from typing import Any

from tests.sim.player import Player, World, play


def chosen(message: dict[str, Any]) -> set[str]:
    """The labels of the green buttons."""
    return {part["label"] for row in message["components"] for part in row["components"] if part["style"] == 3}


async def settings_of(player: Player) -> dict[str, Any]:
    _, _, nonce = await player.command("settings")
    shown = await player.event("MESSAGE_CREATE", nonce=nonce)
    return await player.event("MESSAGE_UPDATE", id=shown["id"])


async def prefer(player: Player, name: str) -> tuple[int, Any]:
    await player.command("info")  # the player learns the versions with its first command
    command_id, version = player.versions["prefer"]
    option = {"type": 1, "name": name, "options": []}
    data = {"id": command_id, "version": version, "name": "prefer", "type": 1, "options": [option]}
    status, body, _ = await player.interact({"type": 2, "data": data})
    return status, body


def test_settings_show_what_is_chosen_and_buttons_change_it() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            message = await settings_of(player)
            assert chosen(message) == {"Fast mode"}
            await player.press(message, "MJ::Settings::Relax")
            message = await player.event("MESSAGE_UPDATE", id=message["id"])
            assert chosen(message) == {"Relax mode"}
            assert "(relaxed)" in (await player.drawing("p"))["content"]
            await player.press(message, "MJ::Settings::Remix")
            message = await player.event("MESSAGE_UPDATE", id=message["id"])
            assert chosen(message) == {"Relax mode", "Remix mode"}
            await player.press(message, "MJ::Settings::Reset")
            assert chosen(await player.event("MESSAGE_UPDATE", id=message["id"])) == {"Fast mode"}

    play(scenario)


def test_prefer_remix_lets_a_variation_open_a_form_and_of_that_account_alone() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            assert await prefer(player, "remix") == (204, None)
            await player.event("MESSAGE_UPDATE", content="Remix mode turned on! Click a variation to remix its prompt.")
            nonce = await player.press(await player.drawing("p"), "MJ::JOB::variation::1")
            await player.event("INTERACTION_MODAL_CREATE", nonce=nonce)
            await other.press(await other.drawing("q"), "MJ::JOB::variation::1")
            assert "Variations" in (await other.final())["content"]

    play(scenario)


def test_an_unknown_preference_is_refused() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            status, body = await prefer(player, "everything")
            assert (status, body["code"]) == (400, 50035)

    play(scenario)


def test_the_answer_to_a_press_comes_after_its_204() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            hub = world.simulator.parts.hub  # type: ignore[union-attr]
            (line,) = [line for line in hub.lines.values() if line.session.account_id == player.ready["user"]["id"]]
            before = line.session.seq
            await player.command("fast")
            assert line.session.seq > before  # kept with the interaction, in its transaction
            await player.event("INTERACTION_SUCCESS")

    play(scenario)
