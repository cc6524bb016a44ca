"""What the drawing bot says, in the shapes that were recorded of it, and in shapes nobody has seen."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import drawing_events as e
from protocol import drawing_text as t
from protocol.drawing_events import (
    IGNORED,
    Deleted,
    Finished,
    Links,
    ModalAsked,
    Odd,
    Postponed,
    Progressed,
    Refusal,
    Stopped,
    Traced,
    Waiting,
)

APP, CHANNEL, ME = "936929561302675456", "c1", "77"
H = "0a1b2c3d-1111-2222-3333-444455556666"
OTHER = "ffffffff-1111-2222-3333-444455556666"
OBSERVER = e.Observer(frozenset({APP}), CHANNEL, ME)


def message(content: str = "", **fields: Any) -> dict[str, Any]:
    return {"id": "m1", "channel_id": CHANNEL, "author": {"id": APP, "bot": True}, "content": content} | fields


def observed(kind: str, data: Any) -> e.Observation:
    return OBSERVER.observe(kind, msgspec.json.encode(data))


def seen(content: str = "", kind: str = "MESSAGE_CREATE", **fields: Any) -> e.Observation:
    return observed(kind, message(content, **fields))


def picture(name: str, **fields: Any) -> list[dict[str, Any]]:
    return [{"url": f"https://cdn.example/attachments/1/2/{name}?ex=1&hm=2", "filename": name, **fields}]


def buttons(*custom_ids: str) -> list[dict[str, Any]]:
    return [{"type": 1, "components": [{"type": 2, "custom_id": custom_id} for custom_id in custom_ids]}]


def embed(title: str, color: int | None = t.RED, description: str = "because") -> list[dict[str, Any]]:
    return [{"title": title, "color": color, "description": description, "type": "rich"}]


def test_the_start_message_shows_nonce_interaction_and_cancel_button() -> None:
    cancel = f"MJ::CancelJob::ByJobid::{H}"
    found = seen(
        f"**a fox** - <@{ME}> (Waiting to start)",
        nonce=123,
        interaction_metadata={"id": "i1", "user": {"id": ME}},
        components=buttons(cancel),
    )
    assert found == Waiting(Links("m1", "123", "i1", H), "a fox", cancel)


def test_progress_shows_percent_preview_and_hash() -> None:
    found = seen(f"**a fox** - <@{ME}> (31%) (fast)", "MESSAGE_UPDATE", attachments=picture(f"{H}_grid_0.webp"))
    assert isinstance(found, Progressed)
    assert (found.percent, found.links.hash) == (31, H)
    assert found.preview_url is not None


@pytest.mark.parametrize(
    ("tail", "mode"),
    [
        ("(fast)", "fast"),
        ("(relaxed)", "relax"),
        ("(turbo, stealth)", "turbo"),
        ("[(Open on website for full quality)](<https://www.midjourney.com/jobs/x>) (fast)", "fast"),
        ("(fast)\n-# Create, explore, and organize on midjourney.com", "fast"),
    ],
)
def test_the_final_message_shows_picture_size_and_offers(tail: str, mode: str) -> None:
    found = seen(
        f"**a fox --v 6** - <@{ME}> {tail}",
        attachments=picture(f"user_a_fox_{H}.png", width=2048, height=1024, size=999),
        components=buttons(
            f"MJ::JOB::upsample::1::{H}", f"MJ::JOB::variation::4::{H}", f"MJ::JOB::reroll::0::{H}::SOLO"
        ),
        flags=64,
    )
    assert isinstance(found, Finished)
    assert (found.mode, found.width, found.height, found.bytes, found.flags) == (mode, 2048, 1024, 999, 64)
    assert found.links.hash == H
    assert [(offer.action, offer.index, offer.label) for offer in found.offers] == [
        ("upscale", 1, "U1"),
        ("variation", 4, "V4"),
        ("reroll", None, "Draw again"),
    ]


@pytest.mark.parametrize(
    ("head", "number"),
    [
        (f"Image #3 <@{ME}>", 3),
        (f"Upscaled (Subtle) by <@{ME}> (fast)", None),
        (f"Variations (Strong) by <@{ME}> (fast)", None),
        (f"Remix (Subtle) by <@{ME}> (fast)", None),
        (f"Pan Left by <@{ME}> (fast)", None),
        (f"Zoom Out by <@{ME}> (relaxed, stealth)", None),
    ],
)
def test_results_of_actions_are_final_and_a_numbered_one_shows_grid_and_number(head: str, number: int | None) -> None:
    reference = {"message_id": "grid", "channel_id": CHANNEL}
    found = seen(f"**a fox** - {head}", attachments=picture(f"x_{H}.png"), message_reference=reference)
    assert isinstance(found, Finished)
    assert found.links.image_number == number
    assert found.links.reference_id == "grid"


def test_an_upscale_under_way_is_progress_not_a_result() -> None:
    found = seen(f"**a fox** - Upscaling (Subtle) by <@{ME}> (46%) (fast)", attachments=picture("x.webp"))
    assert isinstance(found, Progressed)
    assert found.percent == 46


@pytest.mark.parametrize(
    "prompt",
    ["", "two ** stars", f"evil** - <@{ME}> (31%) (fast)", "lines\nof - text", f"{OTHER} (Waiting to start)", "**"],
)
def test_a_prompt_cannot_pretend_to_be_grammar(prompt: str) -> None:
    found = seen(f"**{prompt}** - <@{ME}> (fast)", attachments=picture(f"user_{OTHER}_{H}.png"))
    assert isinstance(found, Finished)
    assert found.prompt == prompt
    assert found.links.hash == H


def test_a_stopped_drawing_is_stopped_and_a_final_without_picture_odd() -> None:
    assert isinstance(seen(f"**a fox** - <@{ME}> (Stopped)"), Stopped)
    assert isinstance(seen(f"**a fox** - <@{ME}> (fast)"), Odd)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"user_words_{H}.png", H),
        (f"{H}_grid_0.webp", H),
        (f"{H}_0_0.png", H),
        (f"https://cdn.example/{H}/0_0.png?hm={OTHER}", H),
        (f"MJ::JOB::reroll::0::{H.upper()}::SOLO", H),
        ("nothing.png", None),
        (f"a{H}b.png", None),
    ],
)
def test_the_hash_is_the_last_uuid_of_the_name(name: str, expected: str | None) -> None:
    assert t.hash_in(name) == expected


@pytest.mark.parametrize(
    ("title", "code", "users", "pauses", "retry"),
    [
        ("Banned prompt detected", "banned_prompt", True, False, False),
        ("Invalid parameter", "upstream_rejected", True, False, False),
        ("Invalid prompt", "upstream_rejected", True, False, False),
        ("Invalid link!", "upstream_rejected", True, False, False),
        ("Duplicate images detected", "upstream_rejected", True, False, False),
        ("Queue full", "upstream_rejected", False, False, True),
        ("Request cancelled due to output filters", "upstream_rejected", False, False, False),
        ("Sorry! Could not complete the job!", "upstream_rejected", False, False, False),
        ("Credits exhausted", "upstream_blocked", False, True, True),
        ("Subscription required", "upstream_blocked", False, True, True),
        ("Plan Cancelled", "upstream_blocked", False, True, True),
        ("Blocked", "upstream_blocked", False, True, True),
        ("Pending mod message", "upstream_blocked", False, True, False),
        ("Tos not accepted", "upstream_blocked", False, True, False),
        ("Action needed to continue", "upstream_blocked", False, True, False),
        ("Something nobody has seen", "upstream_rejected", False, False, False),
    ],
)
def test_a_title_is_judged_by_the_table(title: str, code: str, users: bool, pauses: bool, retry: bool) -> None:
    found = seen(nonce="5", embeds=embed(title), flags=e.EPHEMERAL)
    assert found == Refusal(Links("m1", "5"), code, title, "because", users, pauses, retry)


def test_job_queued_is_no_failure() -> None:
    assert seen(nonce="5", embeds=embed("Job queued", 16_776_960)) == Postponed(Links("m1", "5"))


def test_a_refusal_may_come_as_an_edit_of_the_start_message_or_as_a_reply() -> None:
    edit = seen(f"**a fox** - <@{ME}> (Waiting to start)", "MESSAGE_UPDATE", embeds=embed("Invalid parameter"))
    assert isinstance(edit, Refusal)
    assert edit.links.message_id == "m1"
    reply = seen(embeds=embed("Invalid link"), message_reference={"message_id": "a1"})
    assert isinstance(reply, Refusal)
    assert reply.links.reference_id == "a1"
    assert isinstance(seen("Failed to process your command :(", nonce="5"), Refusal)


def test_a_captcha_pauses_the_account() -> None:
    challenge = {"id": "i1", "nonce": "5", "title": "Action required to continue", "custom_id": "x"}
    found = observed("INTERACTION_IFRAME_MODAL_CREATE", challenge)
    assert isinstance(found, Refusal)
    assert found.pauses_account


def test_interactions_are_traced_by_nonce() -> None:
    for kind in ("INTERACTION_CREATE", "INTERACTION_SUCCESS"):
        assert observed(kind, {"id": "i1", "nonce": "5"}) == Traced("5", "i1")
    failure = observed("INTERACTION_FAILURE", {"id": "i1", "nonce": "5"})
    assert isinstance(failure, Refusal)
    assert failure.links.nonce == "5"
    assert not failure.retry


def test_describe_begins_empty_and_ends_as_text() -> None:
    assert isinstance(seen(nonce="5"), Waiting)
    found = seen(
        kind="MESSAGE_UPDATE",
        embeds=[{"description": "1. a fox\n2. a dog", "type": "rich"}],
        components=buttons("MJ::Job::PicReader::1", "MJ::Job::PicReader::2", "MJ::BOOKMARK::x"),
    )
    assert isinstance(found, Finished)
    assert found.text == "1. a fox\n2. a dog"
    assert [(offer.action, offer.index) for offer in found.offers] == [("draw_description", 1), ("draw_description", 2)]


def test_the_embed_discord_adds_for_a_link_is_no_text_result() -> None:
    linked = [{"type": "image", "description": "a page"}]
    assert seen(kind="MESSAGE_UPDATE", embeds=linked) == IGNORED
    waiting = seen(f"**<https://s.mj.run/x> a fox** - <@{ME}> (Waiting to start)", embeds=linked)
    assert isinstance(waiting, Waiting)


def test_a_modal_says_which_field_it_wants() -> None:
    row = {"type": 1, "components": [{"type": 4, "custom_id": "F::prompt", "value": "a fox"}]}
    data = {"id": "42", "nonce": "5", "custom_id": f"MJ::OutpaintCustomZoomModal::{H}", "components": [row]}
    found = observed("INTERACTION_MODAL_CREATE", data)
    assert found == ModalAsked("5", "42", f"MJ::OutpaintCustomZoomModal::{H}", "F::prompt", "a fox")


@pytest.mark.parametrize(
    "fields",
    [
        {"author": {"id": "somebody"}},
        {"channel_id": "elsewhere"},
        {"interaction_metadata": {"id": "i", "user": {"id": "another"}}},
        {"content": "**a fox** - <@88> (fast)", "attachments": picture("x.png")},
        {"application_id": "another", "author": None},
    ],
)
def test_what_is_another_authors_channels_or_users_is_ignored(fields: dict[str, Any]) -> None:
    assert observed("MESSAGE_CREATE", message(f"**a fox** - <@{ME}> (Stopped)") | fields) == IGNORED


def test_a_deletion_in_our_channel_is_told() -> None:
    assert observed("MESSAGE_DELETE", {"id": "m1", "channel_id": CHANNEL}) == Deleted("m1")
    assert observed("MESSAGE_DELETE", {"id": "m1", "channel_id": "elsewhere"}) == IGNORED


def test_an_unknown_warning_is_odd_and_shows_no_text() -> None:
    found = seen("a secret prompt", embeds=embed("New kind of notice", 16_776_960))
    assert isinstance(found, Odd)
    assert "secret" not in found.why


KEYS = tuple(
    "id channel_id author content embeds title color description fields value attachments url components "  # noqa: SIM905
    "custom_id nonce interaction_metadata user message_reference message_id application_id flags".split()
)
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from([APP, f"**x** - <@{ME}>"])
JUNK = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)
KINDS = st.sampled_from(
    [
        *("MESSAGE_CREATE", "MESSAGE_UPDATE", "MESSAGE_DELETE", "INTERACTION_CREATE", "INTERACTION_SUCCESS"),
        *("INTERACTION_FAILURE", "INTERACTION_MODAL_CREATE", "INTERACTION_IFRAME_MODAL_CREATE", "GUILD_CREATE"),
    ]
)


@settings(max_examples=500, deadline=None)
@given(KINDS, JUNK, st.booleans())
def test_nothing_makes_the_observer_raise(kind: str, data: Any, is_ours: bool) -> None:
    if is_ours and isinstance(data, dict):
        data = message() | data | {"channel_id": CHANNEL, "author": {"id": APP}}
    assert isinstance(observed(kind, data), e.Observation)


@given(st.text(max_size=60))
def test_any_prompt_comes_back_whole_from_a_final_message(prompt: str) -> None:
    content = t.read_content(f"**{prompt}** - <@{ME}> (fast)")
    assert content is not None
    assert (content.prompt, content.stage, content.user_id) == (prompt, "final", ME)
