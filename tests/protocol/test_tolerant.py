"""Typed reading of maps that may hold anything: what fits is kept, whatever stands beside it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.drawing_shapes import Attachment, Embed, Message, Person
from protocol.tolerant import Reader

READER = Reader(Message)
GOOD: dict[str, Any] = {
    "id": "9",
    "channel_id": 5,
    "author": {"id": "1"},
    "content": "words",
    "flags": 64,
    "attachments": [{"url": "https://cdn.example/a.png", "width": 4, "height": 4, "size": 9}],
    "embeds": [{"title": "Banned prompt"}],
}
WRONG = st.sampled_from([None, True, 1.5, "text", [], {}, [[]], [None], {"id": {}}, -1, [{"url": 7}], 10**30])


def read(value: Any) -> Message | None:
    return READER.read(msgspec.json.encode(value))


def test_a_map_is_read_with_its_known_fields_and_without_the_others() -> None:
    found = read(GOOD | {"mentions": [{"id": "7"}], "tts": False})
    assert found == Message(
        id="9",
        channel_id=5,
        author=Person("1"),
        content="words",
        flags=64,
        attachments=[Attachment("https://cdn.example/a.png", None, 4, 4, 9)],
        embeds=[Embed(title="Banned prompt")],
    )


@given(st.dictionaries(st.sampled_from(["nonce", "flags", "embeds", "components", "author", "interaction"]), WRONG))
def test_a_field_of_a_wrong_type_costs_no_other_field(wrong: dict[str, Any]) -> None:
    found, whole = read(GOOD | wrong), read(GOOD)
    assert found is not None
    assert whole is not None
    for name in GOOD.keys() - wrong.keys():
        assert getattr(found, name) == getattr(whole, name)


def test_what_is_wrong_deep_inside_is_left_out_alone_and_items_keep_their_places() -> None:
    picture = {"url": "https://cdn.example/a.png", "width": "wide", "size": -1}
    found = read(GOOD | {"attachments": [None, picture], "embeds": [{"title": 5, "description": "because"}]})
    assert found is not None
    assert found.attachments == [Attachment(), Attachment("https://cdn.example/a.png")]
    assert found.embeds == [Embed(description="because")]


def test_text_that_is_no_utf8_costs_its_field_alone() -> None:
    found = READER.read(b'{"id":"9","content":"\xff","author":{"id":"1","username":"\xff"}}')
    assert found == Message(id="9", author=Person("1"))


@pytest.mark.parametrize("data", [b"null", b"[]", b"7", b'"text"', b"", b"{", b"[" * 100_000, b'{"id":' * 100_000])
def test_what_is_no_map_is_none(data: bytes) -> None:
    assert READER.read(data) is None
