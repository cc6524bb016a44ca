"""What is said to the drawing bot."""

from __future__ import annotations

import pytest

from protocol import drawing as d
from protocol.drawing import Command, MissingCommand, Place, Upload

APP = d.MIDJOURNEY_APPLICATION_ID
PLACE = Place(APP, "g", "c", "session")
INDEX = {
    "application_commands": [
        {"id": "1", "version": "11", "name": "imagine", "application_id": APP, "type": 1, "options": []},
        {"id": "2", "version": "12", "name": "blend", "application_id": APP},
        {"id": "3", "version": "13", "name": "describe", "application_id": APP},
        {"id": "4", "version": "14", "name": "imagine", "application_id": "another"},
        {"id": 5, "name": "broken"},
        "broken",
    ]
}
COMMANDS = d.learn_commands(INDEX, APP)


def test_commands_are_learnt_for_this_bot_only() -> None:
    assert COMMANDS["imagine"] == Command("1", "11", "imagine", APP)
    assert set(COMMANDS) == {"imagine", "blend", "describe"}


@pytest.mark.parametrize("index", [None, [], {}, {"application_commands": 5}])
def test_an_index_that_is_none_teaches_nothing(index: object) -> None:
    assert d.learn_commands(index, APP) == {}


def test_imagine_carries_nonce_version_and_prompt() -> None:
    assert d.imagine(PLACE, COMMANDS, "n1", "a fox --fast") == {
        "type": 2,
        "application_id": APP,
        "guild_id": "g",
        "channel_id": "c",
        "session_id": "session",
        "nonce": "n1",
        "data": {
            "version": "11",
            "id": "1",
            "name": "imagine",
            "type": 1,
            "options": [{"type": 3, "name": "prompt", "value": "a fox --fast"}],
            "attachments": [],
        },
    }


def test_a_command_the_guild_does_not_have_is_missing() -> None:
    with pytest.raises(MissingCommand):
        d.shorten(PLACE, COMMANDS, "n", "words")


def test_blend_and_describe_refer_to_their_uploads_by_number() -> None:
    uploads = (Upload("a.png", "up/a"), Upload("b.png", "up/b"))
    data = d.blend(PLACE, COMMANDS, "n", uploads)["data"]
    assert data["options"] == [
        {"type": 11, "name": "image1", "value": 0},
        {"type": 11, "name": "image2", "value": 1},
    ]
    assert data["attachments"][1] == {"id": "1", "filename": "b.png", "uploaded_filename": "up/b"}
    assert d.describe(PLACE, COMMANDS, "n", uploads[0])["data"]["options"] == [
        {"type": 11, "name": "image", "value": 0}
    ]


def test_a_press_names_message_flags_and_button() -> None:
    body = d.press(PLACE, "n", "m", "MJ::JOB::upsample::2::h", flags=64)
    assert (body["type"], body["message_id"], body["message_flags"]) == (3, "m", 64)
    assert body["data"] == {"component_type": 2, "custom_id": "MJ::JOB::upsample::2::h"}


def test_a_modal_is_answered_with_its_one_field() -> None:
    body = d.modal(PLACE, "n", "42", "MJ::OutpaintCustomZoomModal::h", "field::prompt", "a fox --zoom 2")
    assert body["type"] == 5
    assert body["data"]["components"][0]["components"][0]["value"] == "a fox --zoom 2"


def test_the_granted_mode_replaces_a_mode_in_the_prompt() -> None:
    assert d.imagine_prompt("a fox --turbo  --ar 1:1\n--Fast", "relax") == "a fox --ar 1:1 --relax"
    assert d.imagine_prompt("fox", "fast", ("https://x/1.png",)) == "https://x/1.png fox --fast"
    assert d.imagine_prompt("a--turbo --turbocharged", "fast") == "a--turbo --turbocharged --fast"
