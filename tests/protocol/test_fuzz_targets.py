"""What the network may say and no parser may break on, without a fuzzer: seeds, findings, and changes to both.

`make fuzz` searches further; what it finds is kept in tests/fuzz/found and held here.
"""

from __future__ import annotations

import json
import time
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.inflate import BrokenStream, Inflater
from tests.fuzz.changes import changes
from tests.fuzz.seeds import documents, ready, seeds_of
from tests.fuzz.targets import TARGETS, Listener

FOUND = Path(__file__).parents[1] / "fuzz" / "found"
HUGE_BYTES = 3 << 20
CPU_S_MAX = 2.0


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_and_finding_is_survived(name: str) -> None:
    found = [path.read_bytes() for path in sorted((FOUND / name).glob("*"))]
    for data in (b"", *seeds_of(name), *found):
        TARGETS[name](data)


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_seeds_with_bytes_changed_cut_and_doubled_are_survived(name: str, data: st.DataObject) -> None:
    seed = bytearray(data.draw(st.sampled_from(seeds_of(name))))
    places = st.integers(0, max(len(seed) - 1, 0))
    for place, byte in data.draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        seed[place] = byte
    start, end = sorted((data.draw(places), data.draw(places)))
    TARGETS[name](bytes(data.draw(st.sampled_from([seed, seed[:end], seed[start:], seed + seed[start:end]]))))


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=300))
def test_any_bytes_are_survived(name: str, data: bytes) -> None:
    TARGETS[name](data)


def test_every_field_of_every_event_may_be_anything() -> None:
    tried = 0
    for changed in changes(json.loads(ready())):
        Listener().hear(changed)
    for document in documents():
        listener = Listener()
        listener.hear(ready())
        for changed in changes(json.loads(document)):
            listener.hear(changed)
            tried += 1
    assert tried > 3_000


LIMITS = ("Limit", "Remaining", "Reset", "Reset-After", "Bucket", "Global", "Scope")
FIGURES = st.sampled_from(
    ["", "0", "1", "-1", "1.5", "nan", "inf", "-inf", "1e999", "9" * 400, "\u00b2", "true", "shared"]
)
BODIES = st.sampled_from(
    [b"", b"<html>429</html>", b"null", b"[]", b'{"retry_after":"soon"}', b'{"retry_after":1e999}']
)
RETRIES = st.sampled_from(
    [b'{"retry_after":-5,"global":1}', b'{"retry_after":true}', b'{"retry_after":' + b"9" * 5_000 + b"}"]
)


@settings(max_examples=200, deadline=None)
@given(
    st.integers(100, 599) | st.just(429),
    st.dictionaries(st.sampled_from([f"X-RateLimit-{name}" for name in LIMITS] + ["Retry-After"]), FIGURES),
    BODIES | RETRIES,
)
def test_any_limits_of_a_rest_answer_are_survived(status: int, headers: dict[str, str], body: bytes) -> None:
    head = "\n".join([str(status), *(f"{name}: {value}" for name, value in headers.items())])
    TARGETS["answer"](head.encode("latin-1", "replace") + b"\n\n" + body)


@pytest.mark.parametrize("filling", ["x", "[a](", "** - ", " ", "(", "\n-# ", "Aa ", "99999999-", "\u2603"])
def test_a_message_of_three_mebibytes_costs_no_more_than_a_moment(filling: str) -> None:
    huge = filling * (HUGE_BYTES // len(filling.encode()))
    (update,) = [json.loads(document) for document in documents() if b"Waiting to start" in document]
    listener = Listener()
    listener.hear(ready())
    began = time.process_time()
    huge_fields: list[dict[str, Any]] = [
        *({field: huge} for field in ("content", "nonce", "id", "padding")),
        {"attachments": [{"url": huge}]},
        {"components": [{"components": [{"custom_id": huge}]}]},
        {"embeds": [{"title": huge}]},
    ]
    for seq, fields in enumerate(huge_fields, start=100):
        listener.hear(json.dumps(update | {"s": seq, "d": update["d"] | fields}).encode())
    assert time.process_time() - began < CPU_S_MAX
    assert listener.gateway.save() is not None


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2_000), st.integers(1, 255), st.integers(0, 2_000))
def test_a_corrupt_or_truncated_stream_gives_whole_documents_or_breaks(place: int, change: int, cut: int) -> None:
    deflate, inflater, out = zlib.compressobj(), Inflater(1 << 20), 0
    frames = [bytearray(deflate.compress(each) + deflate.flush(zlib.Z_SYNC_FLUSH)) for each in documents()]
    stream = bytearray(b"".join(frames))
    stream[place % len(stream)] ^= change
    try:
        for start in range(0, len(stream) - cut, 100):
            out += len(inflater.receive(bytes(stream[start : start + 100])) or b"")
    except BrokenStream:
        return
    # A change that the stream's own coding hides: still no more came out than what it stands for can hold.
    assert out <= 1 << 20


def test_a_bomb_is_refused_before_it_fills_memory() -> None:
    deflate = zlib.compressobj(9)
    bomb = deflate.compress(bytes(64 << 20)) + deflate.flush(zlib.Z_SYNC_FLUSH)
    assert len(bomb) < 100_000
    with pytest.raises(BrokenStream):
        Inflater(1 << 20).receive(bomb)
