"""Bodies of Discord's answers: what is documented is read, and nothing raises."""

from __future__ import annotations

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.answers import commands_in, message_ids, messages_in, picture_urls_in, user_id_in

BROKEN = [b"", b"<html>", b"null", b"7", b"[]", b"{}", b"[" * 100_000, b'{"id":{}}', b"\xff", b'{"id":' + b"9" * 5_000]


def test_a_user_is_known_by_id() -> None:
    assert user_id_in(b'{"id":"80351110224678912","username":"Nelly"}') == "80351110224678912"


def test_a_page_of_history_is_read_message_by_message() -> None:
    page = messages_in(b'[{"id":"5","content":"x"},{"id":7},{"id":"seven"},7,{"id":"3"}]')
    assert len(page) == 5
    assert message_ids(page) == [5, 7, 3]


def test_a_messages_pictures_are_its_attachments_with_an_address() -> None:
    body = json.dumps({"attachments": [{"url": "https://cdn.example/a.png"}, {"url": 7}, None]})
    assert picture_urls_in(body.encode()) == ["https://cdn.example/a.png"]


def test_commands_are_those_of_the_application() -> None:
    entry = {"id": "1", "application_id": "9", "version": "2", "name": "imagine", "type": 1}
    index = {"application_commands": [entry, entry | {"application_id": "8", "name": "other"}, 7]}
    assert set(commands_in(json.dumps(index).encode(), "9")) == {"imagine"}


@pytest.mark.parametrize("body", BROKEN)
def test_a_body_that_is_not_as_documented_holds_nothing(body: bytes) -> None:
    assert user_id_in(body) is None
    assert commands_in(body, "9") == {}
    assert message_ids(messages_in(body)) == []
    assert picture_urls_in(body) == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "attachments", "url", "application_commands", "name"]), inner)
    ),
    max_leaves=10,
)


@given(JSON | st.binary(max_size=40))
def test_nothing_that_discord_answers_raises(answer: object) -> None:
    body = answer if isinstance(answer, bytes) else msgspec.json.encode(answer)
    assert isinstance(user_id_in(body), str | None)
    assert all(isinstance(number, int) for number in message_ids(messages_in(body)))
    assert all(isinstance(url, str) for url in picture_urls_in(body))
    assert isinstance(commands_in(body, "9"), dict)
