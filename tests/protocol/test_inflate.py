"""zlib-stream decompression: documents over frames, corruption, bombs."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.inflate import BrokenStream, Inflater


def compressed(documents: list[bytes]) -> list[bytes]:
    context = zlib.compressobj()
    return [context.compress(document) + context.flush(zlib.Z_SYNC_FLUSH) for document in documents]


@given(st.lists(st.binary(min_size=1, max_size=200), min_size=1, max_size=5), st.integers(1, 40))
def test_documents_come_out_whole_however_they_are_cut_into_frames(documents: list[bytes], cut: int) -> None:
    inflater = Inflater()
    found = []
    for stream in compressed(documents):
        frames = [stream[start : start + cut] for start in range(0, len(stream), cut)]
        found += [document for frame in frames if (document := inflater.receive(frame)) is not None]
    assert b"".join(found) == b"".join(documents)


def test_a_corrupt_byte_breaks_the_stream() -> None:
    (stream,) = compressed([b'{"op":10}' * 20])
    with pytest.raises(BrokenStream):
        Inflater().receive(b"\xff" + stream[1:])


def test_a_small_frame_that_inflates_beyond_the_limit_is_refused() -> None:
    (stream,) = compressed([b"\x00" * 10_000_000])
    assert len(stream) < 20_000
    with pytest.raises(BrokenStream):
        Inflater(document_bytes_max=1_000_000).receive(stream)


def test_a_document_that_never_ends_is_refused() -> None:
    inflater = Inflater(document_bytes_max=100)
    assert [inflater.receive(b"x" * 10) for _ in range(10)] == [None] * 10
    with pytest.raises(BrokenStream):
        inflater.receive(b"x")
