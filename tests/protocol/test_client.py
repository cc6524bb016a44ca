"""Frames in both encodings: what is read, what is refused and with which code, and that nothing else escapes."""

from __future__ import annotations

import json
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import client as c
from protocol.client import JSON, MSGPACK, ClientMistake


def refused(data: bytes | str, subprotocol: str = JSON, **limits: int) -> ClientMistake:
    with pytest.raises(ClientMistake) as caught:
        c.decode(data, subprotocol, **limits)
    return caught.value


def draw(**fields: Any) -> str:
    return json.dumps({"type": "draw", "ref": "r", "prompt": "a fox"} | fields)


@pytest.mark.parametrize("subprotocol", c.SUBPROTOCOLS)
@pytest.mark.parametrize(
    "frame",
    [
        c.Auth("k"),
        c.Draw("r", "a fox", "relax", "imagine", ("u1", "https://x/y.png")),
        c.Draw("r", "", "fast", "describe", ("u1",)),
        c.Act("r", "j", "upscale", 2),
        c.Act("r", "j", "vary_region", None, "a hat", ("p1",)),
        c.Cancel("j"),
        c.Jobs("j9", 200),
        c.Resume(7),
        c.Ping(),
    ],
)
def test_every_client_frame_survives_both_encodings(frame: c.ClientFrame, subprotocol: str) -> None:
    data = c.encode(frame, subprotocol)
    assert isinstance(data, bytes if subprotocol == MSGPACK else str)
    assert c.decode(data, subprotocol) == frame


PICTURE = c.Picture("p", "/images/p", "/images/p/thumb", 1024, 1024, 99)


@pytest.mark.parametrize("subprotocol", c.SUBPROTOCOLS)
@pytest.mark.parametrize(
    "frame",
    [
        c.Welcome("U1", "free", c.Quota(100, 3, c.rfc3339(0)), 5, "limner/0.1"),
        c.Accepted(1, "r", "j", 1, None),
        c.Queued(1, "j", 3, 12.5),
        c.Started(2, "j"),
        c.Progress(2, "j", 46),
        c.Done(3, "j", (PICTURE,), (c.Action("upscale", 1, "U1"),), 61.5),
        c.Failed(3, "j", "banned_prompt", "no", True),
        c.Cancelled(3, "j", "cancelled", "as asked", False),
        c.Error("bad_frame", "what to do"),
        c.Notice("draining", "soon"),
        c.JobsPage((c.Job("j", None, "queued", "imagine", "a fox", "fast"),), None),
        c.Resumed(3),
        c.Reset(3),
        c.Pong(),
    ],
)
def test_every_server_frame_survives_both_encodings_and_the_store(frame: c.ServerFrame, subprotocol: str) -> None:
    assert c.decode_server(c.encode(frame, subprotocol), subprotocol) == frame
    assert c.server_frame(c.to_map(frame)) == frame


def test_the_maps_have_exactly_the_fields_of_the_contract() -> None:
    error = {"type": "error", "code": "bad_frame", "message": "x", "ref": None, "job": None}
    assert c.to_map(c.Error("bad_frame", "x")) == error
    job = c.to_map(c.JobsPage((c.Job("j", "r", "done", "imagine", "p", "fast"),)))["jobs"][0]
    assert " ".join(job) == (
        "job ref status kind prompt mode position eta_s percent images actions code message charged created_at "
        "finished_at parent history"
    )


def test_unknown_fields_are_ignored_and_null_is_absent() -> None:
    assert c.decode(draw(mode=None, extra={"deep": [1]}), JSON) == c.Draw("r", "a fox")


@pytest.mark.parametrize(
    ("data", "ref"),
    [
        ("", None),
        ("[]", None),
        ("{}", None),
        ('{"type": 5}', None),
        ('{"type": "paint", "ref": "r7"}', "r7"),
        (draw(ref=""), None),
        (draw(ref="x" * 65), None),
        (draw(ref="a\nb"), None),
        (draw(ref="ends\n"), None),
        (draw(mode="slow"), "r"),
        (draw(kind="paint"), "r"),
        (draw(prompt=7), "r"),
        (draw(images=["u"] * 6), "r"),
        ('{"type": "act", "ref": "r", "job": "j", "action": "upscale", "index": 5}', "r"),
        ('{"type": "act", "ref": "r", "job": "j", "action": "upscale", "index": true}', "r"),
        ('{"type": "cancel"}', None),
        ('{"type": "jobs", "limit": 201}', None),
        ('{"type": "jobs", "limit": 0}', None),
        ('{"type": "resume", "after": -1}', None),
        ('{"type": "resume", "after": 9223372036854775808}', None),
        ('{"type": "resume", "after": 1.5}', None),
    ],
)
def test_what_is_no_known_frame_is_a_bad_frame_that_keeps_a_legible_ref(data: str, ref: str | None) -> None:
    mistake = refused(data)
    assert (mistake.code, mistake.ref) == ("bad_frame", ref)
    assert mistake.message


@pytest.mark.parametrize(
    "fields",
    [
        {"prompt": "  "},
        {"prompt": "x" * 11},
        {"prompt": "nul\x00"},
        {"kind": "blend", "images": ["u1"]},
        {"kind": "describe", "images": []},
        {"kind": "shorten", "images": ["u1"]},
        {"images": ["http://plain.example/x.png"]},
    ],
)
def test_a_frame_that_is_known_but_cannot_be_drawn_is_a_bad_prompt(fields: dict[str, Any]) -> None:
    mistake = refused(draw(**fields), prompt_chars=10)
    assert (mistake.code, mistake.ref) == ("bad_prompt", "r")


def test_the_prompt_limit_counts_characters_and_the_frame_limit_bytes() -> None:
    assert isinstance(c.decode(draw(prompt="ü" * 10), JSON, prompt_chars=10), c.Draw)
    assert refused(draw(), frame_bytes=10).code == "bad_frame"


@pytest.mark.parametrize(
    "data",
    [
        b"\x81",
        b"\xc1",
        msgpack.packb({"type": "ping"}) + b"\x00",
        msgpack.packb({"type": "ping", 1: 2}),
        msgpack.packb({"type": "ping", "at": msgpack.ExtType(5, b"x")}),
        msgpack.packb({"type": "ping", "at": msgpack.Timestamp(1)}),
        b"\x81\xa4type\xa2\xff\xff",
        b"\x91" * 5000,
        b"\xdf\xff\xff\xff\xff",
        '{"type": "ping"}',
    ],
)
def test_msgpack_is_read_strictly(data: bytes | str) -> None:
    assert refused(data, MSGPACK).code == "bad_frame"


def test_no_message_repeats_what_was_sent() -> None:
    mistake = refused(draw(mode="my secret prompt"))
    assert "secret" not in str(mistake)
    assert "secret" not in repr(c.Auth("secret"))


def frame_or_code(data: bytes, subprotocol: str) -> c.ClientFrame | str:
    try:
        return c.decode(data, subprotocol)
    except ClientMistake as mistake:
        return mistake.code


@given(st.binary(max_size=200), st.sampled_from(c.SUBPROTOCOLS))
def test_any_bytes_are_a_frame_or_a_client_mistake(data: bytes, subprotocol: str) -> None:
    found = frame_or_code(data, subprotocol)
    assert found in ("bad_frame", "bad_prompt") or isinstance(found, c.ClientFrame)


PLAIN = st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=5)
FIELDS = st.sampled_from(["ref", "prompt", "mode", "kind", "images", "job", "action", "index", "after", "limit", "key"])


@given(st.sampled_from(list(c.CLIENT_FRAMES)), st.dictionaries(FIELDS, PLAIN | st.lists(PLAIN, max_size=3)))
def test_any_fields_are_a_frame_or_a_client_mistake(kind: str, fields: dict[str, Any]) -> None:
    found = frame_or_code(msgpack.packb({"type": kind} | fields), MSGPACK)
    assert found in ("bad_frame", "bad_prompt") or type(found) is c.CLIENT_FRAMES[kind]


def test_an_http_order_is_the_frame_that_asks_for_the_same() -> None:
    body = b'{"prompt": "a fox", "mode": "relax", "webhook": "https://x/hook"}'
    assert c.decode_order(body, "key") == (c.Draw("key", "a fox", "relax"), "https://x/hook")
    body = b'{"parent": "j", "action": "upscale", "index": 2}'
    assert c.decode_order(body, "key") == (c.Act("key", "j", "upscale", 2), None)


@pytest.mark.parametrize(
    ("body", "ref", "code"),
    [
        (b"", "r", "bad_frame"),
        (b"{}", "r", "bad_prompt"),
        (b'{"prompt": "x"}', "r" * 65, "bad_frame"),
        (b'{"parent": "j"}', "r", "bad_frame"),
        (b'{"action": "upscale", "prompt": "x"}', "r", "bad_frame"),
    ],
)
def test_an_http_order_is_checked_as_a_frame_is(body: bytes, ref: str, code: str) -> None:
    with pytest.raises(ClientMistake) as caught:
        c.decode_order(body, ref)
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("action", "images", "is_fit"),
    [
        ("vary_region", ["p1"], True),
        ("vary_region", ["https://example.org/mask.png"], True),
        ("vary_region", [], False),
        ("vary_region", ["p1", "p2"], False),
        ("vary_region", ["http://example.org/mask.png"], False),
        ("upscale", ["p1"], False),
    ],
)
def test_a_region_takes_one_mask_and_no_other_act_any_picture(action: str, images: list[str], is_fit: bool) -> None:
    frame = {"type": "act", "ref": "r", "job": "j", "action": action, "images": images}
    body = json.dumps({"action": action, "parent": "j", "images": images}).encode()
    if is_fit:
        assert c.decode(json.dumps(frame), c.JSON) == c.Act("r", "j", action, images=tuple(images))
        assert c.decode_order(body, "r")[0] == c.Act("r", "j", action, images=tuple(images))
    else:
        for read in (lambda: c.decode(json.dumps(frame), c.JSON), lambda: c.decode_order(body, "r")):
            with pytest.raises(c.ClientMistake) as mistake:
                read()
            assert mistake.value.code == "bad_prompt"


def test_times_are_utc_with_milliseconds_and_come_back() -> None:
    assert c.rfc3339(1_786_017_600.0) == "2026-08-06T12:00:00.000Z"
    assert c.unix_time("2026-08-06T12:00:00.250Z") == 1_786_017_600.25


@pytest.mark.parametrize("body", [b"{", b"[1]", b"null", b"\xff", b"x" * 70_000])
def test_a_body_that_is_no_order_is_refused_in_the_words_of_http(body: bytes) -> None:
    with pytest.raises(c.ClientMistake) as refused:
        c.decode_order(body, "key")
    assert refused.value.code == "bad_frame"
    words = refused.value.message
    assert "body" in words
    assert not any(notion in words for notion in ("type", "frame", "map"))


@pytest.mark.parametrize("data", [b"{", b"[1]", b"null"])
def test_a_frame_that_is_none_is_told_that_it_needs_a_type(data: bytes) -> None:
    with pytest.raises(c.ClientMistake, match="with a `type`"):
        c.decode(data, c.JSON)


def test_a_problem_names_code_and_status_and_when_to_come_back() -> None:
    found = c.problem("quota_exceeded", "used up", retry_after_s=12.2)
    assert found.status == found.body["status"] == 429
    assert set(found.body) == {"type", "title", "status", "code", "detail"}
    assert found.headers == {"Content-Type": "application/problem+json", "Retry-After": "13"}
    assert "Retry-After" not in c.problem("not_found", "no such job").headers


CONTRACT_STATUSES = {
    400: "bad_frame bad_prompt",
    401: "unauthenticated",
    403: "forbidden banned_prompt",
    404: "not_found",
    409: "not_cancellable ref_conflict",
    429: "quota_exceeded too_many_jobs rate_limited",
    503: "queue_full draining no_account",
    500: "internal",
}


def test_the_statuses_are_those_of_the_contract() -> None:
    for status, names in CONTRACT_STATUSES.items():
        for name in names.split():
            assert c.CODES[name].status == status
            assert c.CODES[name].retry_after is (status in (429, 503))
            assert not c.CODES[name].in_job
