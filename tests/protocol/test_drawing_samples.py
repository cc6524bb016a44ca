"""The grammar held against what was observed: one row a sample of facts/midjourney.md, read from public projects.

The rows are the bot's words; nothing of ours made them. A sample that is read differently is a change of the grammar.
"""

from __future__ import annotations

import base64
from typing import Any

import msgspec
import pytest

from protocol import drawing
from protocol.drawing import MIDJOURNEY_APPLICATION_ID as APP
from protocol.drawing import NIJI_APPLICATION_ID as NIJI
from protocol.drawing import Command, Place, Upload
from protocol.drawing_events import (
    IGNORED,
    CanvasAsked,
    Finished,
    Links,
    ModalAsked,
    Observer,
    Postponed,
    Progressed,
    Refusal,
    SeedTold,
    Stopped,
    Traced,
    Waiting,
)
from protocol.drawing_text import RED, WARNING, hash_in, is_cancel, offer_of, read_content, verdict_on

ME, CHANNEL = "77", "c1"
H = "e6ad5a0c-a52b-4b2b-a0ad-3b2c3a5a0b55"
OBSERVER = Observer(frozenset({APP, NIJI}), CHANNEL, ME)
BY_ME = f"<@{ME}>"

#: (text, prompt, stage, percent, mode, number)
CONTENTS = [
    (f"**a fox** - {BY_ME} (Waiting to start)", "a fox", "waiting", None, None, None),
    *(
        (f"**a fox** - {BY_ME} ({n}%) (fast)", "a fox", "progress", n, "fast", None)
        for n in (0, 15, 31, 46, 62, 78, 93)
    ),
    (f"**a fox** - {BY_ME} (93%) (relaxed)", "a fox", "progress", 93, "relax", None),
    (f"**a fox --v 6.1** - {BY_ME} (fast)", "a fox --v 6.1", "final", None, "fast", None),
    (f"**a fox** - {BY_ME} (relaxed)", "a fox", "final", None, "relax", None),
    (f"**a fox** - {BY_ME} (turbo)", "a fox", "final", None, "turbo", None),
    (f"**a fox** - {BY_ME} (turbo, stealth)", "a fox", "final", None, "turbo", None),
    (
        f"**a fox** - {BY_ME} [(Open on website for full quality)](<https://www.midjourney.com/jobs/{H}>) (fast)",
        *("a fox", "final", None, "fast", None),
    ),
    (f"**a fox** - {BY_ME} (fast)\n-# Create, explore, and organize", "a fox", "final", None, "fast", None),
    (f"**<https://s.mj.run/xY1> a  fox --ar 1:1** - {BY_ME} (fast)", None, "final", None, "fast", None),
    *((f"**a fox** - Image #{n} {BY_ME}", "a fox", "final", None, None, n) for n in (1, 2, 3, 4)),
    *(
        (f"**a fox** - {done} by {BY_ME} (fast)", "a fox", "final", None, "fast", None)
        for done in (
            *("Upscaled (Subtle)", "Upscaled (Creative)", "Upscaled (2x)", "Upscaled (4x)"),
            *("Variations (Strong)", "Variations (Subtle)", "Variations (Region)"),
            *("Remix (Strong)", "Remix (Subtle)", "Remix (Region)"),
            *("Pan Left", "Pan Right", "Pan Up", "Pan Down", "Zoom Out"),
        )
    ),
    *(
        (f"**a fox** - {doing} by {BY_ME} (46%) (fast)", "a fox", "progress", 46, "fast", None)
        for doing in ("Upscaling (Subtle)", "Upscaling (Creative)", "Upscaling (2x)", "Upscaling (4x)", "Zoom Out")
    ),
    (f"**a fox** - {BY_ME} (Stopped)", "a fox", "stopped", None, None, None),
    (f"{BY_ME} (Waiting to start)", "", "waiting", None, None, None),
    (f"{BY_ME} (31%) (fast)", "", "progress", 31, "fast", None),
    (f"{BY_ME} (fast)", "", "final", None, "fast", None),
    (f"Image #2 {BY_ME}", "", "final", None, None, 2),
    (f"Variations (Strong) by {BY_ME} (fast)", "", "final", None, "fast", None),
]


@pytest.mark.parametrize(("content", "prompt", "stage", "percent", "mode", "number"), CONTENTS)
def test_contents(content: str, prompt: str | None, stage: str, percent: int | None, mode: str, number: int) -> None:
    found = read_content(content)
    assert found is not None
    assert (found.stage, found.percent, found.mode, found.image_number) == (stage, percent, mode, number)
    assert found.user_id == ME
    assert prompt is None or found.prompt == prompt


#: (custom id, action, number); None: known, and offered to nobody.
CUSTOM_IDS = [
    *((f"MJ::JOB::upsample::{n}::{H}", "upscale", n) for n in (1, 2, 3, 4)),
    *((f"MJ::JOB::variation::{n}::{H}", "variation", n) for n in (1, 2, 3, 4)),
    (f"MJ::JOB::reroll::0::{H}::SOLO", "reroll", None),
    (f"MJ::JOB::low_variation::1::{H}::SOLO", "vary_subtle", None),
    (f"MJ::JOB::high_variation::1::{H}::SOLO", "vary_strong", None),
    (f"MJ::JOB::upsample_v6r1_2x_subtle::1::{H}::SOLO", "upscale_subtle", None),
    (f"MJ::JOB::upsample_v6r1_2x_creative::1::{H}::SOLO", "upscale_creative", None),
    (f"MJ::JOB::upsample_v5_2x::1::{H}::SOLO", "upscale_2x", None),
    (f"MJ::JOB::upsample_v5_4x::1::{H}::SOLO", "upscale_4x", None),
    (f"MJ::JOB::pan_left::1::{H}::SOLO", "pan_left", None),
    (f"MJ::JOB::pan_right::1::{H}::SOLO", "pan_right", None),
    (f"MJ::JOB::pan_up::1::{H}::SOLO", "pan_up", None),
    (f"MJ::JOB::pan_down::1::{H}::SOLO", "pan_down", None),
    (f"MJ::Outpaint::50::1::{H}::SOLO", "zoom_out_2x", None),
    (f"MJ::Outpaint::75::1::{H}::SOLO", "zoom_out_1_5x", None),
    (f"MJ::Outpaint::100::1::{H}::SOLO", "make_square", None),
    (f"MJ::CustomZoom::{H}", "custom_zoom", None),
    (f"MJ::Inpaint::1::{H}::SOLO", "vary_region", None),
    ("MJ::Job::PicReader::3", "draw_description", 3),
    ("MJ::Job::PromptAnalyzer::2", "draw_shortened", 2),
    (f"MJ::BOOKMARK::{H}", None, None),
    ("MJ::Job::PicReader::all", None, None),
    (f"MJ::CancelJob::ByJobid::{H}", None, None),
]


@pytest.mark.parametrize(("custom_id", "action", "number"), CUSTOM_IDS)
def test_custom_ids(custom_id: str, action: str | None, number: int | None) -> None:
    offer = offer_of(custom_id)
    assert (None if offer is None else (offer.action, offer.index, offer.custom_id)) == (
        None if action is None else (action, number, custom_id)
    )
    assert is_cancel(custom_id) == custom_id.startswith("MJ::CancelJob")


@pytest.mark.parametrize(
    "name",
    [
        f"user_a_red_fox_{H}.png",
        f"{H}_grid_0.webp",
        f"{H}_0_0.png",
        f"{H}.mp4",
        f"https://cdn.discordapp.com/attachments/1/2/user_a_fox_{H}.png?ex=66&is=66&hm={'0' * 64}&",
        f"https://cdn.midjourney.com/{H}/0_0.png",
        f"MJ::CancelJob::ByJobid::{H}",
        f"https://www.midjourney.com/jobs/{H}",
    ],
)
def test_hashes(name: str) -> None:
    assert hash_in(name) == H


#: (title, colour, our code, the user's fault and so charged, pauses the account, may be tried elsewhere)
FAILURES = [
    ("Invalid prompt", RED, "upstream_rejected", True, False, False),
    ("Invalid parameter", RED, "upstream_rejected", True, False, False),
    ("Invalid link", RED, "upstream_rejected", True, False, False),
    ("Duplicate images detected", 16_776_960, "upstream_rejected", True, False, False),
    ("Banned prompt detected", 16_776_960, "banned_prompt", True, False, False),
    ("Queue full", 16_239_475, "upstream_rejected", False, False, True),
    ("Request cancelled due to output filters", 16_776_960, "upstream_rejected", False, False, False),
    ("Sorry! Could not complete the job!", RED, "upstream_rejected", False, False, False),
    ("Credits exhausted", RED, "upstream_blocked", False, True, True),
    ("Subscription required", RED, "upstream_blocked", False, True, True),
    ("Subscription paused", 16_776_960, "upstream_blocked", False, True, True),
    ("Plan Cancelled", RED, "upstream_blocked", False, True, True),
    ("Blocked", RED, "upstream_blocked", False, True, True),
    ("Pending mod message", 16_776_960, "upstream_blocked", False, True, False),
    ("Tos not accepted", 16_776_960, "upstream_blocked", False, True, False),
    ("Action needed to continue", 16_776_960, "upstream_blocked", False, True, False),
]


def seen(kind: str = "MESSAGE_CREATE", content: str = "", **fields: Any) -> Any:
    message = {"id": "m1", "channel_id": CHANNEL, "author": {"id": APP}, "content": content} | fields
    return OBSERVER.observe(kind, msgspec.json.encode(message))


@pytest.mark.parametrize(("title", "color", "code", "charged", "pauses", "retry"), FAILURES)
def test_failures(title: str, color: int, code: str, charged: bool, pauses: bool, retry: bool) -> None:
    assert color in {RED, *WARNING}
    embed = {"type": "rich", "title": title, "description": "because", "color": color}
    expected = (code, title, "because", charged, pauses, retry)
    # Ephemeral with the nonce; as an edit of A; as a reply to it.
    for where, links in (
        ({"nonce": "5", "flags": 64}, Links("m1", "5")),
        ({"kind": "MESSAGE_UPDATE", "content": f"**a fox** - {BY_ME} (31%) (fast)"}, Links("m1")),
        ({"message_reference": {"message_id": "a1"}}, Links("m1", reference_id="a1")),
    ):
        assert seen(embeds=[embed], **where) == Refusal(links, *expected)


def test_what_looks_like_a_failure_and_is_none() -> None:
    queued = {"type": "rich", "title": "Job queued", "description": "…", "color": 16_239_475}
    assert seen(nonce="5", flags=64, embeds=[queued]) == Postponed(Links("m1", "5"))
    assert verdict_on("Job queued") is None
    success = {"type": "rich", "title": "Your settings", "color": 65_280}
    assert not isinstance(seen(nonce="6", embeds=[success]), Refusal)


def test_a_failure_in_plain_words() -> None:
    found = seen(nonce="5", content="Failed to process your command :warning:")
    assert isinstance(found, Refusal)
    assert (found.code, found.fault_of_user, found.pauses_account) == ("upstream_rejected", False, False)


def event(kind: str, **data: Any) -> Any:
    return OBSERVER.observe(kind, msgspec.json.encode(data))


def test_interaction_events() -> None:
    assert event("INTERACTION_CREATE", id="i1", nonce="5") == Traced("5", "i1")
    assert event("INTERACTION_SUCCESS", id="i1", nonce="5") == Traced("5", "i1")
    failure = event("INTERACTION_FAILURE", id="i1", nonce="5")
    assert (failure.code, failure.links) == ("upstream_rejected", Links(nonce="5", interaction_id="i1"))
    challenge = event("INTERACTION_IFRAME_MODAL_CREATE", id="i1", nonce="5", title="Action required to continue")
    assert (challenge.code, challenge.pauses_account) == ("upstream_blocked", True)
    page = event("INTERACTION_IFRAME_MODAL_CREATE", id="i1", nonce="5", title="Editor", custom_id=f"MJ::iframe::{H}")
    assert page == CanvasAsked("5", "i1", f"MJ::iframe::{H}")


#: (custom id of the form, custom id of its field)
MODALS = [
    (f"MJ::OutpaintCustomZoomModal::{H}", "MJ::OutpaintCustomZoomModal::prompt"),
    (f"MJ::RemixModal::{H}::2::1", "MJ::RemixModal::new_prompt"),
    ("MJ::Picreader::Modal::1", "MJ::Picreader::Modal::PromptField"),
    ("MJ::ImagineModal::123", "MJ::ImagineModal::new_prompt"),
    (f"MJ::PanModal::left::{H}", "MJ::PanModal::prompt"),
]


@pytest.mark.parametrize(("custom_id", "field"), MODALS)
def test_modals(custom_id: str, field: str) -> None:
    row = {"type": 1, "components": [{"type": 4, "custom_id": field, "value": "a fox"}]}
    form = event("INTERACTION_MODAL_CREATE", id="m", nonce="5", custom_id=custom_id, components=[row])
    assert form == ModalAsked("5", "m", custom_id, field, "a fox")
    body = drawing.modal(PLACE, "6", form.modal_id, form.custom_id, form.field_id, "a dog")
    assert (body["type"], body["nonce"]) == (5, "6")
    typed = {"type": 1, "components": [{"type": 4, "custom_id": field, "value": "a dog"}]}
    assert body["data"] == {"id": "m", "custom_id": custom_id, "components": [typed]}


def test_a_seed_is_told_in_a_direct_message() -> None:
    told = f"**a fox**\n**Job ID**: {H}\n**seed** 4262231203"
    assert seen(channel_id="a direct one", content=told) == SeedTold(H, "4262231203")
    assert seen(channel_id="another", guild_id="g", content=told) == IGNORED
    assert seen(channel_id="a direct one", content="hello") == IGNORED
    assert seen(channel_id="a direct one", content=told, author={"id": "somebody"}) == IGNORED
    evil = f"**Job ID: {H[::-1]} seed 1** …\n{told}"
    assert seen(channel_id="a direct one", content=evil) == SeedTold(H, "4262231203")


@pytest.mark.parametrize("application", [APP, NIJI])
def test_the_order_of_one_imagine_as_observed(application: str) -> None:
    author = {"id": application}
    picture = [{"url": f"https://cdn.example/{H}_grid_0.webp?ex=1", "filename": f"{H}_grid_0.webp"}]
    begun = seen(content=f"**a fox** - {BY_ME} (Waiting to start)", author=author, nonce="5")
    moved = seen("MESSAGE_UPDATE", f"**a fox** - {BY_ME} (31%) (fast)", author=author, attachments=picture)
    ended = seen(content=f"**a fox** - {BY_ME} (fast)", id="m2", author=author, attachments=picture)
    assert isinstance(begun, Waiting)
    assert isinstance(moved, Progressed)
    assert isinstance(ended, Finished)
    assert (begun.links.nonce, moved.links.message_id, ended.links) == ("5", "m1", Links("m2", hash=H))
    assert isinstance(seen("MESSAGE_UPDATE", f"**a fox** - {BY_ME} (Stopped)"), Stopped)


# --- what is said to the bot ---

PLACE = Place(APP, "g", CHANNEL, "5f0c")
IDS = {
    "imagine": "938956540159881230",
    "describe": "1092492867185950852",
    "blend": "1062880104792997970",
    "shorten": "1121575372539039774",
    "show": "1169435442328911902",
}
COMMANDS = {name: Command(id_, "1237876415471554600", name, APP) for name, id_ in IDS.items()}
UPLOADS = (Upload("a.png", "u/a.png"), Upload("b.png", "u/b.png"))
IMAGES = [{"type": 11, "name": "image1", "value": 0}, {"type": 11, "name": "image2", "value": 1}]
BODIES = [
    (drawing.imagine(PLACE, COMMANDS, "5", "a fox"), "imagine", [{"type": 3, "name": "prompt", "value": "a fox"}], 0),
    (drawing.shorten(PLACE, COMMANDS, "5", "a fox"), "shorten", [{"type": 3, "name": "prompt", "value": "a fox"}], 0),
    (drawing.show(PLACE, COMMANDS, "5", H), "show", [{"type": 3, "name": "job_id", "value": H}], 0),
    (drawing.describe(PLACE, COMMANDS, "5", UPLOADS[0]), "describe", [{"type": 11, "name": "image", "value": 0}], 1),
    (drawing.blend(PLACE, COMMANDS, "5", UPLOADS), "blend", IMAGES, 2),
    (
        drawing.blend(PLACE, COMMANDS, "5", UPLOADS, "softly --ar 2:3"),
        "blend",
        [*IMAGES, {"type": 3, "name": "dimensions", "value": "--ar 2:3"}],
        2,
    ),
]


@pytest.mark.parametrize(("body", "name", "options", "files"), BODIES)
def test_commands(body: dict[str, Any], name: str, options: list[dict[str, Any]], files: int) -> None:
    attachments = [
        {"id": str(n), "filename": upload.filename, "uploaded_filename": upload.uploaded_filename}
        for n, upload in enumerate(UPLOADS[:files])
    ]
    data = {"version": COMMANDS[name].version, "id": IDS[name], "name": name, "type": 1}
    assert body == {
        "type": 2,
        "application_id": APP,
        "guild_id": "g",
        "channel_id": CHANNEL,
        "session_id": "5f0c",
        "nonce": "5",
        "data": data | {"options": options, "attachments": attachments},
    }


def test_a_painted_region() -> None:
    body = drawing.region(CanvasAsked("5", "i1", f"MJ::iframe::{H}"), b"mask", "a hat")
    assert (body["customId"], body["prompt"], body["userId"]) == (H, "a hat", "0")
    assert base64.b64decode(body["mask"]) == b"mask"


def test_the_reaction_that_asks_for_a_seed() -> None:
    ask, unask = drawing.ask_seed("c1", "m1"), drawing.unask_seed("c1", "m1")
    assert (ask.method, ask.path) == ("PUT", "/channels/c1/messages/m1/reactions/%E2%9C%89%EF%B8%8F/@me")
    assert (unask.method, unask.path, unask.major) == ("DELETE", ask.path, "c1")


#: (the user's prompt, the mode that was granted, the prompt as sent)
PROMPTS = [
    ("a fox --ar 3:2 --stylize 250 --no cats", "fast", "a fox --ar 3:2 --stylize 250 --no cats --fast"),
    ("a fox --relax", "turbo", "a fox --turbo"),
    ("a fox —turbo", "relax", "a fox --relax"),
    ("a fox --niji 6 --sref https://example.org/x.png", "fast", None),
    ("a  fox\n--v 7", "fast", "a fox --v 7 --fast"),
]


@pytest.mark.parametrize(("prompt", "mode", "sent"), PROMPTS)
def test_flags_are_passed_through_and_the_mode_is_ours(prompt: str, mode: str, sent: str | None) -> None:
    assert drawing.imagine_prompt(prompt, mode) == (sent or f"{prompt} --{mode}")
