"""The drawing bot as facts/midjourney.md describes it, seen from outside."""

from __future__ import annotations

import hashlib
import io
import re
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from sim.job import script_of
from tests.sim.player import Player, World, buttons_of, play

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def texts(png: bytes) -> dict[str, str]:
    with Image.open(io.BytesIO(png)) as image:
        image.load()
        return dict(image.text)  # type: ignore[attr-defined]


def test_an_imagine_is_told_in_the_observed_order() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonce = await player.imagine("a red fox in snow")
            events = await player.until("MESSAGE_DELETE")
            names = [name for name, _ in events]
            assert names[:3] == ["INTERACTION_CREATE", "INTERACTION_SUCCESS", "MESSAGE_CREATE"]
            assert names[3:-2] == ["MESSAGE_UPDATE"] * 2
            assert names[-2:] == ["MESSAGE_CREATE", "MESSAGE_DELETE"]
            success, start, final, gone = events[1][1], events[2][1], events[-2][1], events[-1][1]
            mention = f"<@{player.ready['user']['id']}>"
            assert success["nonce"] == start["nonce"] == nonce
            assert start["content"] == f"**a red fox in snow** - {mention} (Waiting to start)"
            percents = [re.search(r"\((\d+)%\) \(fast\)$", data["content"]) for _, data in events[3:-2]]
            assert [int(found[1]) for found in percents if found] == [31, 93]
            assert final["content"] == f"**a red fox in snow** - {mention} (fast)"
            assert final["id"] != start["id"] == gone["id"]
            assert "nonce" not in final
            assert start["interaction_metadata"]["id"] == final["interaction_metadata"]["id"] == success["id"]

    play(scenario, seconds=1.0)


def test_of_old_drawings_only_their_ledger_rows_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.messages.HISTORY_LENGTH_MAX", 3)
    monkeypatch.setattr("sim.sessions.REPLAY_EVENTS_MAX", 30)
    monkeypatch.setattr("sim.bot.JOBS_MAX", 4)
    monkeypatch.setattr("sim.cdn.ATTACHMENTS_MAX", 5)

    async def scenario(world: World) -> None:
        async with world.player() as player:
            for number in range(8):
                await player.imagine(f"fox {number}")
                await player.event("MESSAGE_DELETE")
        assert world.simulator is not None
        bot, parts = world.simulator.bot, world.simulator.parts
        channel = parts.channels.messages[world.where["accounts"][0]["channel_id"]]
        events = [len(line.events) for line in parts.hub.lines.values()]
        assert 0 < len(channel) <= 3
        assert 0 < len(parts.shelf.attachments) <= 5
        assert (events, len(bot.jobs), bot.lives, bot.voice.held) == ([30], 4, {}, {})
        assert [row.outcome for row in parts.ledger.rows] == ["done"] * 8

    play(scenario, seconds=0.1)


@given(st.floats(0.01, 600.0))
def test_updates_are_half_a_second_apart_and_the_last_of_them_is_always_told(seconds: float) -> None:
    updates = [step for step in script_of("imagine", seconds) if step.do == "progress"]
    assert updates[-1].percent == 93
    assert all((later.at - earlier.at) * seconds >= 0.499 for earlier, later in pairwise(updates))


def test_a_drawing_of_the_usual_six_seconds_tells_every_percentage() -> None:
    percents = [step.percent for step in script_of("imagine", 6.0) if step.do == "progress"]
    assert percents == [0, 15, 31, 46, 62, 78, 93]


def test_the_job_hash_is_in_progress_files_the_cancel_button_and_the_final_file() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.imagine("hash")
            events = await player.until("MESSAGE_DELETE")
            final = events[-2][1]
            found = re.search(rf"_({UUID})\.png$", final["attachments"][0]["filename"])
            assert found is not None
            job = found[1]
            last = events[-3][1]
            assert last["attachments"][0]["filename"] == f"{job}_grid_0.webp"
            assert buttons_of(last) == [f"MJ::CancelJob::ByJobid::{job}"]
            expected = [f"MJ::JOB::upsample::{n}::{job}" for n in (1, 2, 3, 4)]
            expected += [f"MJ::JOB::reroll::0::{job}::SOLO"] + [f"MJ::JOB::variation::{n}::{job}" for n in (1, 2, 3, 4)]
            assert buttons_of(final) == expected

    play(scenario)


def test_the_picture_carries_prompt_and_nonce_and_the_ledger_its_digest() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonce = await player.imagine("ein Fuchs, 狐")
            final = await player.final()
            status, png = await player.fetch(final["attachments"][0]["url"])
            assert status == 200
            assert len(png) == final["attachments"][0]["size"]
            assert texts(png) == {"limner:prompt": "ein Fuchs, 狐", "limner:nonce": nonce}
            rows = (await world.sim("ledger"))["rows"]
            assert [(row["nonce"], row["outcome"], row["message_id"]) for row in rows] == [(nonce, "done", final["id"])]
            assert rows[0]["sha256"] == hashlib.sha256(png).hexdigest()
            assert (rows[0]["kind"], rows[0]["account"], rows[0]["prompt"]) == ("imagine", "fox-01", "ein Fuchs, 狐")

    play(scenario)


def test_two_equal_prompts_give_different_pictures_each_with_its_own_nonce() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonces = {await player.imagine("the same"), await player.imagine("the same")}
            found = {}
            for _ in range(2):
                final = await player.final()
                _, png = await player.fetch(final["attachments"][0]["url"])
                found[texts(png)["limner:nonce"]] = png[-2000:]
            assert set(found) == nonces
            assert len(set(found.values())) == 2

    play(scenario, pictures="painted", seconds=0.5)


@pytest.mark.parametrize(
    ("start", "shape", "buttons"),
    [
        ("MJ::JOB::upsample::3", "**p** - Image #3 <@{me}>", "MJ::JOB::upsample_v6r1_2x_subtle::1::"),
        ("MJ::JOB::variation::2", "**p** - Variations (Strong) by <@{me}> (fast)", "MJ::JOB::upsample::1::"),
        ("MJ::JOB::reroll", "**p** - <@{me}> (fast)", "MJ::JOB::upsample::1::"),
    ],
)
def test_a_button_of_a_grid_gives_a_new_message_with_a_new_hash(start: str, shape: str, buttons: str) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            grid = await player.drawing("p")
            nonce = await player.press(grid, start)
            success = await player.event("INTERACTION_SUCCESS", nonce=nonce)
            final = await player.final()
            assert final["content"] == shape.format(me=player.ready["user"]["id"])
            assert final["message_reference"]["message_id"] == grid["id"]
            assert final["interaction_metadata"]["id"] == success["id"]
            assert any(custom_id.startswith(buttons) for custom_id in buttons_of(final))
            assert not set(buttons_of(final)) & set(buttons_of(grid))
            _, png = await player.fetch(final["attachments"][0]["url"])
            assert texts(png)["limner:nonce"] == nonce

    play(scenario)


def test_every_button_of_an_upscale_is_understood() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.press(await player.drawing("p"), "MJ::JOB::upsample::1")
            upscale = await player.final()
            me = player.ready["user"]["id"]
            for start, content in (
                ("MJ::JOB::upsample_v6r1_2x_creative", f"**p** - Upscaled (Creative) by <@{me}> (fast)"),
                ("MJ::JOB::low_variation", f"**p** - Variations (Subtle) by <@{me}> (fast)"),
                ("MJ::JOB::pan_left", f"**p** - Pan Left by <@{me}> (fast)"),
                ("MJ::Outpaint::50", f"**p** - Zoom Out by <@{me}> (fast)"),
            ):
                await player.press(upscale, start)
                assert (await player.final())["content"] == content
            nonce = await player.press(upscale, "MJ::CustomZoom")
            modal = await player.event("INTERACTION_MODAL_CREATE", nonce=nonce)
            field = modal["components"][0]["components"][0]
            row = {"type": 1, "components": [{"type": 4, "custom_id": field["custom_id"], "value": "q --zoom 2"}]}
            data = {"id": modal["id"], "custom_id": modal["custom_id"], "components": [row]}
            status, _, _ = await player.interact({"type": 5, "data": data})
            assert status == 204
            assert (await player.final())["content"] == f"**q --zoom 2** - Zoom Out by <@{me}> (fast)"

    play(scenario)


def test_a_cancelled_drawing_is_stopped_and_frees_its_place() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonce = await player.imagine("stop me")
            progress = await player.event("MESSAGE_UPDATE")
            cancel = await player.press(progress, "MJ::CancelJob")
            while not progress["content"].endswith("(Stopped)"):
                progress = await player.event("MESSAGE_UPDATE")
            assert progress["components"] == []
            rows = {row["nonce"]: row for row in (await world.sim("ledger"))["rows"]}
            assert (rows[nonce]["outcome"], rows[cancel]["kind"], rows[cancel]["outcome"]) == (
                "cancelled",
                "cancel",
                "done",
            )
            assert (await world.sim("stats"))["running"] == {"fox-01": 0}

    play(scenario, seconds=5.0)


def test_the_fourth_drawing_is_queued_and_starts_when_one_has_ended() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            for number in range(3):
                await player.imagine(f"p{number}")
            nonce = await player.imagine("p3")
            queued = await player.event("MESSAGE_CREATE", nonce=nonce)
            assert queued["flags"] == 64
            assert queued["embeds"][0]["title"] == "Job queued"
            contents = [(await player.final())["content"] for _ in range(4)]
            assert contents[3].startswith("**p3**")
            assert (await world.sim("stats"))["running_peak"] == {"fox-01": 3}
            _, history = await player.call("GET", f"/channels/{player.account['channel_id']}/messages")
            assert all(not message["flags"] & 64 for message in history)

    play(scenario)


def test_a_full_queue_is_refused_in_an_embed() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonces = [await player.imagine(f"p{number}") for number in range(14)]
            refusal = await player.event("MESSAGE_CREATE", nonce=nonces[-1])
            assert refusal["embeds"][0]["title"] == "Queue full"
            assert (await world.sim("ledger"))["rows"][-1]["outcome"] == "failed"

    play(scenario, seconds=30.0)


def test_history_has_no_nonce_no_ephemeral_message_and_no_a_once_b_exists() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.command("turbo")
            await player.imagine("p")
            final = (await player.until("MESSAGE_DELETE"))[-2][1]
            _, history = await player.call("GET", f"/channels/{player.account['channel_id']}/messages?limit=100")
            assert [message["id"] for message in history] == [final["id"]]
            assert "nonce" not in history[0]

    play(scenario)


def test_describe_shows_the_uploaded_image() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.command("turbo")
            place = await player.upload("in.png", b"bytes")
            data = {
                "id": player.versions["describe"][0],
                "version": player.versions["describe"][1],
                "name": "describe",
                "type": 1,
                "options": [{"type": 11, "name": "image", "value": 0}],
                "attachments": [{"id": "0", "filename": "in.png", "uploaded_filename": place["upload_filename"]}],
            }
            assert (await player.interact({"type": 2, "data": data}))[0] == 204
            update = await player.event("MESSAGE_UPDATE")
            assert await player.fetch(update["embeds"][0]["image"]["url"]) == (200, b"bytes")

    play(scenario)


def test_an_envelope_on_a_result_is_answered_with_its_seed_in_a_direct_message() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            final = await player.drawing("p")
            path = f"/channels/{final['channel_id']}/messages/{final['id']}/reactions/%E2%9C%89%EF%B8%8F/@me"
            assert await player.call("PUT", path) == (204, None)
            letter = await player.event("MESSAGE_CREATE")
            assert "guild_id" not in letter
            assert re.search(rf"\*\*Job ID\*\*: {UUID}\n\*\*seed\*\* \d+$", letter["content"])
            acked = await player.call("POST", f"/channels/{letter['channel_id']}/messages/{letter['id']}/ack", {})
            assert acked == (200, {"token": None})

    play(scenario)


def test_info_tells_the_chosen_mode() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonce = await player.command("relax")
            assert (await player.event("MESSAGE_CREATE", nonce=nonce[2]))["flags"] == 64
            await player.command("info")
            update = await player.event("MESSAGE_UPDATE")
            assert "**Job Mode**: Relaxed" in update["embeds"][0]["description"]

    play(scenario)


def test_describe_and_shorten_end_as_an_update_with_an_embed() -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            await player.command("shorten", prompt="a very really small red fox in the snow")
            start = await player.event("MESSAGE_CREATE")
            update = await player.event("MESSAGE_UPDATE", id=start["id"])
            assert "small red fox snow" in update["embeds"][0]["description"]
            await player.command("describe", link="https://example.com/x.png")
            start = await player.event("MESSAGE_CREATE")
            update = await player.event("MESSAGE_UPDATE", id=start["id"])
            assert buttons_of(update) == [f"MJ::Job::PicReader::{n}" for n in range(1, 5)]
            assert [row["outcome"] for row in (await world.sim("ledger"))["rows"]] == ["done", "done"]

    play(scenario)


@pytest.mark.parametrize(("prompt", "title"), [("  ", "Invalid prompt"), ("a fox --sparkle 3", "Invalid parameter")])
def test_a_bad_prompt_is_refused_by_the_bot_with_the_nonce(prompt: str, title: str) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            nonce = await player.imagine(prompt)
            refusal = await player.event("MESSAGE_CREATE", nonce=nonce)
            assert (refusal["flags"], refusal["embeds"][0]["title"]) == (64, title)

    play(scenario)


@pytest.mark.parametrize(("flag", "mode"), [("--relax", "relaxed"), ("--turbo", "turbo"), ("--fast", "fast")])
def test_the_mode_flag_is_told_and_taken_out_of_the_shown_prompt(flag: str, mode: str) -> None:
    async def scenario(world: World) -> None:
        async with world.player() as player:
            final = await player.drawing(f"p --ar 1:1 {flag}")
            assert final["content"] == f"**p --ar 1:1** - <@{player.ready['user']['id']}> ({mode})"

    play(scenario)


async def configured(world: World, player: Player, **settings: Any) -> list[tuple[str, dict[str, Any]]]:
    """The events of one drawing under these settings, up to a marker asked for when it had ended or failed."""
    changed = await world.sim("config", settings)
    assert {name: changed[name] for name in settings} == settings
    await player.imagine("see https://example.com/a.png now")
    seen: list[tuple[str, dict[str, Any]]] = []
    while not seen or not (seen[-1][1].get("embeds") or any("upsample" in str(d) for _, d in seen)):
        frame = await player.op(0)
        seen.append((frame["t"], frame["d"]))
    await player.send(8, {"guild_id": world.where["guild_id"], "query": "", "limit": 0})
    return seen + await player.until("GUILD_MEMBERS_CHUNK")


def test_settings_change_what_the_bot_sends() -> None:
    async def final_of(world: World, **settings: Any) -> tuple[list[str], dict[str, Any]]:
        async with world.player() as player:
            events = await configured(world, player, **settings)
            finals = [d for n, d in events if n == "MESSAGE_CREATE" and d["components"]]
            return [name for name, _ in events], finals[-1] if finals else {}

    def check(verdict: Any, **settings: Any) -> None:
        async def scenario(world: World) -> None:
            names, final = await final_of(world, **settings)
            assert verdict(names, final)

        play(scenario)

    check(lambda names, final: final["nonce"] == "1001", final_nonce=True)
    check(lambda names, final: "interaction_metadata" not in final, drop_metadata=True)
    check(lambda names, final: "**see  <https://s.mj.run/" in final["content"], rewrite_prompts=True)
    check(lambda names, final: names.count("MESSAGE_UPDATE") == 2, duplicate_events=True)
    check(lambda names, final: "MESSAGE_DELETE" not in names, late_delete=30)
    check(lambda names, final: not final and "MESSAGE_DELETE" not in names, fail_rate=1.0)
    check(lambda names, final: names.index("INTERACTION_SUCCESS") > 0 and bool(final), reorder=1.0)


def test_a_late_deletion_comes_after_the_final_message() -> None:
    async def scenario(world: World) -> None:
        await world.sim("config", {"late_delete": 0.3})
        async with world.player() as player:
            await player.drawing("p")
            _, history = await player.call("GET", f"/channels/{player.account['channel_id']}/messages")
            assert len(history) == 2
            await player.event("MESSAGE_DELETE")

    play(scenario)
