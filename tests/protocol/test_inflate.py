"""Transport decompression: documents over frames, corruption, bombs."""

from __future__ import annotations

import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.inflate import BrokenStream, Inflater, ZstdInflater


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


class Fault(Exception):
    """What the stand-in for a zstd library raises."""


class Context:
    """A decompressor with the manners of `compression.zstd`: what does not fit is kept for the next call."""

    def __init__(self) -> None:
        self.kept = b""
        self.eof = False

    @property
    def needs_input(self) -> bool:
        return not self.kept

    def decompress(self, data: bytes, max_length: int = -1) -> bytes:
        if data == b"corrupt":
            raise Fault
        self.eof = data == b"end"
        whole = data * 10
        self.kept = whole[max_length:]
        return whole[:max_length]


def test_a_frame_of_zstd_stream_is_a_document() -> None:
    inflater = ZstdInflater(Context, Fault)
    assert [inflater.receive(frame) for frame in (b"a", b"bc", b"")] == [b"a" * 10, b"bc" * 10, None]


@pytest.mark.parametrize(("frame", "why"), [(b"corrupt", "corrupt"), (b"end", "ended"), (b"x" * 11, "too large")])
def test_a_zstd_stream_that_is_corrupt_or_ends_or_swells_is_broken(frame: bytes, why: str) -> None:
    with pytest.raises(BrokenStream, match=why):
        ZstdInflater(Context, Fault, document_bytes_max=100).receive(frame)


def test_a_small_zstd_frame_that_inflates_beyond_the_limit_is_refused() -> None:
    zstd = pytest.importorskip("backports.zstd")
    press = zstd.ZstdCompressor()
    frame = press.compress(b"\x00" * 10_000_000, mode=zstd.ZstdCompressor.FLUSH_BLOCK)
    assert len(frame) < 2_000
    with pytest.raises(BrokenStream, match="too large"):
        ZstdInflater(zstd.ZstdDecompressor, zstd.ZstdError, document_bytes_max=1_000_000).receive(frame)
