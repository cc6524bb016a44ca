"""A message with files is a form that any server's parser reads back."""

from __future__ import annotations

import email.parser
import email.policy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.multipart import File, encode


def read_back(content_type: str, body: bytes) -> list[tuple[str, str | None, str, bytes]]:
    """(name, filename, media type, data) of each part, by the standard library's parser."""
    message = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(
        f"Content-Type: {content_type}\r\n\r\n".encode() + body
    )
    return [
        (
            str(part.get_param("name", header="content-disposition")),
            part.get_filename(),
            part.get_content_type(),
            part.get_payload(decode=True),
        )
        for part in message.iter_parts()
    ]


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20), max_size=3), st.lists(st.binary(max_size=60)))
def test_payload_and_files_come_back_as_they_were(payload: dict[str, str], bodies: list[bytes]) -> None:
    # The parser that reads them back takes a line's end before the boundary for the boundary's: so do servers.
    files = tuple(File(f"{number}.png", "image/png", b"\x89PNG" + data + b".") for number, data in enumerate(bodies))
    (_, _, _, document), *parts = read_back(*encode(payload, files))
    assert json.loads(document) == payload
    found = [(name, filename, kind) for name, filename, kind, _ in parts]
    assert found == [(f"files[{number}]", f"{number}.png", "image/png") for number in range(len(bodies))]


def test_the_bytes_of_a_file_are_sent_as_they_are() -> None:
    data = bytes(range(256)) * 3
    _, body = encode({}, (File("x.png", "image/png", data),))
    assert data in body


@pytest.mark.parametrize("name", ['a"; filename="b', "a\r\nX-Evil: 1", "a\nb"])
def test_a_filename_cannot_leave_its_header(name: str) -> None:
    content_type, body = encode({}, (File(name, "image/png", b"x"),))
    head = body.partition(b"files[0]")[2].partition(b"\r\n\r\n")[0]
    assert head.count(b"\r\n") == 1
    assert len(read_back(content_type, body)) == 2


def test_no_representation_holds_the_bytes() -> None:
    assert repr(File("secret.png", "image/png", b"abc")) == "File(image/png, 3 bytes)"
