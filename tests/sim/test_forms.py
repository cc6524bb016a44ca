"""What the drawing bot opens before it draws, and what else it says as observed, seen from outside."""

from __future__ import annotations

import base64
import io
from typing import Any

import pytest
from PIL import Image

from sim.embeds import NOTICES
from tests.sim.player import BOT_ID, Player, World, buttons_of, play


def fill(modal: dict[str, Any], value: str) -> dict[str, Any]:
    """The answer to a modal."""
    field = modal["components"][0]["components"][0]["custom_id"]
    row = {"type": 1, "components": [{"type": 4, "custom_id": field, "value": value}]}
    return {"type": 5, "data": {"id": modal["id"], "custom_id": modal["custom_id"], "components": [row]}}


def png(color: str = "white") -> bytes:
    sink = io.BytesIO()
    Image.new("RGB", (8, 8), color).save(sink, "PNG")
    return sink.getvalue()


async def single(player: Player) -> dict[str, Any]:
    """An upscaled picture's message."""
    await player.press(await player.drawing("p"), "MJ::JOB::upsample::1")
    return await player.final()


async def described(player: Player, command: str) -> dict[str, Any]:
    """The told message of a describe or shorten, with its numbers."""
    options = {"link": "https://example.org/x.png"} if command == "describe" else {"prompt": "a very red old fox"}
    _, _, nonce = await player.command(command, **options)
    start = await player.event("MESSAGE_CREATE", nonce=nonce)
    return await player.event("MESSAGE_UPDATE", id=start["id"])


@pytest.mark.parametrize(
    ("command", "button", "form", "field"),
    [
        ("describe", "MJ::Job::PicReader::2", "MJ::Picreader::Modal::2", "MJ::Picreader::Modal::PromptField"),
        ("shorten", "MJ::Job::PromptAnalyzer::1", "MJ::ImagineModal::", "MJ::ImagineModal::new_prompt"),
    ],
)
def test_a_number_under_a_description_opens_a_form_whose_answer_is_an_imagine(
    command: str, button: str, form: str, field: str
) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            told = await described(player, command)
            nonce = await player.press(told, button)
            modal = await player.event("INTERACTION_MODAL_CREATE", nonce=nonce)
            assert modal["custom_id"].startswith(form)
            shown = modal["components"][0]["components"][0]
            assert shown["custom_id"] == field
            assert shown["value"] in told["embeds"][0]["description"]
            status, _, second = await player.interact(fill(modal, shown["value"]))
            assert status == 204
            start = await player.event("MESSAGE_CREATE", nonce=second)
            assert start["content"].startswith(f"**{shown['value']}** - <@")
            assert any(custom_id.startswith("MJ::JOB::upsample::1") for custom_id in buttons_of(await player.final()))
            status, body, _ = await player.interact(fill(modal, "again"))
            assert (status, body["code"]) == (400, 50035)

    play(scenario)


def test_an_account_that_remixes_is_asked_for_a_new_prompt_first() -> None:
    async def scenario(world: World) -> None:
        await world.sim("config", {"remix": True})
        async with world.player() as player:
            grid = await player.drawing("p")
            nonce = await player.press(grid, "MJ::JOB::variation::3")
            modal = await player.event("INTERACTION_MODAL_CREATE", nonce=nonce)
            assert modal["custom_id"].startswith("MJ::RemixModal::")
            assert modal["custom_id"].endswith("::3::1")
            await player.interact(fill(modal, "q"))
            me = player.ready["user"]["id"]
            assert (await player.final())["content"] == f"**q** - Remix (Strong) by <@{me}> (fast)"

    play(scenario)


def test_a_painted_region_is_drawn_under_the_interaction_of_its_press_and_without_a_nonce() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonce = await player.press(await single(player), "MJ::Inpaint::1")
            success = await player.event("INTERACTION_SUCCESS", nonce=nonce)
            page = await player.event("INTERACTION_IFRAME_MODAL_CREATE", nonce=nonce)
            token = page["custom_id"].removeprefix("MJ::iframe::")
            url = world.where["apps"].format(application_id=BOT_ID) + "/inpaint/api/submit-job"
            body = {"customId": token, "mask": base64.b64encode(png()).decode(), "prompt": "a hat", "userId": "0"}
            async with world.http.post(url, json=body | {"mask": "bm9uZQ=="}) as answer:
                assert answer.status == 400
            async with world.http.post(url, json=body) as answer:
                assert (answer.status, await answer.json()) == (200, {"status": "success"})
            start = await player.event("MESSAGE_CREATE")
            assert "nonce" not in start
            assert start["interaction_metadata"]["id"] == success["id"]
            final = await player.final()
            me = player.ready["user"]["id"]
            assert final["content"] == f"**a hat** - Variations (Region) by <@{me}> (fast)"
            assert final["interaction_metadata"]["id"] == success["id"]
            async with world.http.post(url, json=body) as answer:
                assert answer.status == 404
            row = next(row for row in (await world.sim("ledger"))["rows"] if row["nonce"] == nonce)
            assert (row["kind"], row["outcome"], row["message_id"]) == ("inpaint", "done", final["id"])

    play(scenario)


def test_show_tells_a_result_once_more_with_its_own_nonce() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player, world.player(1) as other:
            grid = await player.drawing("p")
            job = next(custom_id for custom_id in buttons_of(grid)).rpartition("::")[2]
            _, _, nonce = await player.command("show", job_id=job)
            shown = await player.event("MESSAGE_CREATE", nonce=nonce)
            assert (shown["content"], shown["id"] == grid["id"]) == (grid["content"], False)
            assert buttons_of(shown) == buttons_of(grid)
            assert shown["attachments"][0]["filename"] == grid["attachments"][0]["filename"]
            _, _, nonce = await other.command("show", job_id=job)
            refusal = await other.event("MESSAGE_CREATE", nonce=nonce)
            assert refusal["embeds"][0]["title"] == "Invalid prompt"

    play(scenario)


@pytest.mark.parametrize("name", NOTICES)
def test_every_notice_can_be_had_instead_of_a_drawing(name: str) -> None:
    async def scenario(world: World) -> None:
        await world.sim("config", {"notice": name})
        async with world.player() as player:
            nonce = await player.imagine("p")
            said = await player.event("MESSAGE_CREATE", nonce=nonce)
            notice = NOTICES[name]
            assert said["flags"] == 64
            assert (said["embeds"][0]["title"] if said["embeds"] else said["content"]) == (notice.title or notice.text)

    play(scenario)


def test_the_same_picture_twice_and_no_picture_at_all_are_refused() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            files = [await player.upload(f"{n}.png", png()) for n in range(2)]
            listed = [
                {"id": str(n), "filename": f"{n}.png", "uploaded_filename": file["upload_filename"]}
                for n, file in enumerate(files)
            ]
            await player.command("describe", link="https://example.org/x.png")  # learns the versions
            command_id, version = player.versions["blend"]
            options = [{"type": 11, "name": f"image{n + 1}", "value": n} for n in range(2)]
            data = {"version": version, "id": command_id, "name": "blend", "type": 1, "options": options}
            _, _, nonce = await player.interact({"type": 2, "data": data | {"attachments": listed}})
            said = await player.event("MESSAGE_CREATE", nonce=nonce)
            assert said["embeds"][0]["title"] == "Duplicate images detected"
            _, _, nonce = await player.command("describe")
            assert (await player.event("MESSAGE_CREATE", nonce=nonce))["embeds"][0]["title"] == "Invalid link"

    play(scenario)
