"""The twenty adverse scenarios, each as a test of the pure machines. docs/CONFORMANCE.md says which is which."""

from __future__ import annotations

import asyncio
import json
import random
import zlib
from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from actors.account.errands import Errands
from actors.account.uploads import BadInput, Uploads
from protocol import answering, rest
from protocol import buckets as limits
from protocol import gateway as gw
from protocol.answering import Standing
from protocol.buckets import Buckets, InvalidBudget
from protocol.gateway import Dispatch, Fatal, Greeted, Resumed, SavedSession
from protocol.gateway_sends import SEND_COUNT_MAX, SEND_WINDOW_S
from protocol.identifies import IDENTIFY_EACH_S, StartLimit, identify_wait_s
from protocol.inflate import BrokenStream
from protocol.rest import Doubtful, Refused, outcome
from system.links import Response
from system.zstd import COMPRESSIONS, stream_for
from tests.protocol.peer import BASE, RESUME_URL, Peer, fail, only_hangup, reconnect

QUERY = "/?v=9&encoding=json"
SESSION_ENDS = (1000, 1001)


def ops(peer: Peer) -> list[int]:
    return [payload["op"] for payload in peer.connect()]


def test_01_op_7_is_followed_by_a_resume_that_loses_and_doubles_nothing() -> None:
    peer = Peer().live()
    peer.dispatch(2)
    hangup = only_hangup(peer.say({"op": 7, "d": None}))
    assert hangup.close_code not in (*SESSION_ENDS, None)
    assert reconnect(hangup).url == RESUME_URL + QUERY
    assert peer.connect()[0]["d"]["seq"] == 2
    heard = [event.seq for seq in (2, 3, 3, 4) for event in peer.dispatch(seq) if isinstance(event, Dispatch)]
    assert heard == [3, 4]
    assert peer.dispatch(5, "RESUMED") == [Resumed(replayed=2)]


def test_02_op_7_instead_of_hello_spends_no_identify_and_backs_off() -> None:
    waits = []
    for seed in range(50):
        peer = Peer(seed=seed).live()
        then = reconnect(peer.lose())
        for _ in range(8):
            peer.now += then.wait_s
            assert peer.connect(hello=False) == []
            then = reconnect(only_hangup(peer.say({"op": 7, "d": None})))
            assert then.resume
        waits.append(then.wait_s)
    assert max(waits) <= 60.0
    assert sum(waits) / len(waits) > 4.0


def test_03_a_server_that_says_nothing_is_left_in_time() -> None:
    peer = Peer()
    peer.connect(hello=False)
    assert peer.gateway.next_deadline() == peer.now + gw.HELLO_S_MAX
    assert only_hangup(peer.beat(acknowledge=False)).reason == "no HELLO"


def test_04_a_swallowed_ack_ends_the_connection_by_the_next_beat() -> None:
    peer = Peer().live()
    assert peer.beat(acknowledge=False) == []
    hangup = only_hangup(peer.beat(acknowledge=False))
    assert hangup.close_code not in (*SESSION_ENDS, None)
    assert reconnect(hangup).resume


def test_05_the_next_connection_does_not_inherit_the_missing_ack() -> None:
    peer = Peer().live()
    peer.beat(acknowledge=False)
    peer.beat(acknowledge=False)
    assert ops(peer) == [6]
    peer.dispatch(2, "RESUMED")
    assert [peer.beat(acknowledge=True) for _ in range(10)] == [[]] * 10


@pytest.mark.parametrize("ready", [True, False])
def test_06_op_1_is_answered_at_once_and_the_schedule_kept(ready: bool) -> None:
    peer = Peer()
    peer.connect()
    if ready:
        peer.ready()
    due = peer.gateway.next_deadline()
    peer.say({"op": 1, "d": None})
    assert [payload["op"] for payload in peer.gateway.data_to_send()] == [1]
    assert peer.gateway.next_deadline() == due


def test_07_a_reset_in_the_replay_is_resumed_from_the_last_event_received() -> None:
    peer = Peer(SavedSession("s0", 10, RESUME_URL))
    heard: list[int] = []
    for last in (12, 14, 16):
        assert ops(peer) == [6]
        heard += [e.seq for seq in range(11, last + 1) for e in peer.dispatch(seq) if isinstance(e, Dispatch)]
        assert reconnect(peer.lose()).resume
    assert heard == list(range(11, 17))
    assert peer.connect()[0]["d"]["seq"] == 16


def test_08_op_9_true_is_resumed() -> None:
    peer = Peer().live()
    assert reconnect(only_hangup(peer.say({"op": 9, "d": True}))).resume
    assert ops(peer) == [6]


def test_09_op_9_false_to_a_resume_clears_the_session_and_asks_before_it_identifies_at_the_base_url() -> None:
    peer = Peer(SavedSession("s0", 10, RESUME_URL), gated=True)
    assert ops(peer) == [6]
    then = reconnect(only_hangup(peer.say({"op": 9, "d": False})))
    assert (then.url, then.resume) == (BASE, False)
    assert 1.0 <= then.wait_s <= 5.0
    assert peer.connect(hello=False) == []
    assert peer.say({"op": 10, "d": {"heartbeat_interval": 41250}}) == [Greeted()]
    assert peer.gateway.data_to_send() == []
    peer.gateway.identify(peer.now)
    assert [payload["op"] for payload in peer.gateway.data_to_send()] == [2]


@pytest.mark.parametrize("code", [4007, 4009])
def test_10_a_session_that_is_over_is_followed_by_one_identify(code: int) -> None:
    peer = Peer().live()
    assert reconnect(peer.lose(code)).url == BASE
    assert ops(peer) == [2]
    peer.ready(session_id="s2")
    assert peer.gateway.save() == SavedSession("s2", 1, RESUME_URL)


@pytest.mark.parametrize("code", [4004, 4010, 4011, 4012, 4013, 4014])
def test_11_a_fatal_close_is_the_end(code: int) -> None:
    peer = Peer().live()
    hangup = peer.lose(code)
    assert isinstance(hangup.then, Fatal)
    assert peer.connect() == []
    peer.gateway.connect_failed(peer.now)
    peer.gateway.tick(peer.now + 1e6)
    assert peer.gateway.events_received() == []


def test_12_4008_is_resumed_and_500_presences_keep_the_limit_and_every_beat() -> None:
    peer = Peer().live()
    assert reconnect(peer.lose(4008)).resume
    peer.connect()
    peer.dispatch(2, "RESUMED")
    for _ in range(500):
        assert peer.gateway.send({"op": 3, "d": {}}, peer.now)
    start, sent = peer.now, [(peer.now, 6)]
    while peer.now < start + 300:
        sent += [(peer.now, payload["op"]) for payload in peer.gateway.data_to_send()]
        assert peer.beat(acknowledge=True) == []
    assert sum(op == 3 for _, op in sent) == 500
    assert sum(op == 1 for _, op in sent) >= 7
    for when, _ in sent:
        assert sum(when - SEND_WINDOW_S < other <= when for other, _ in sent) <= SEND_COUNT_MAX


def test_13_a_dead_resume_url_is_left_for_an_identify_at_the_base_url() -> None:
    peer = Peer().live()
    dialled = [reconnect(peer.lose())]
    while dialled[-1].url != BASE:
        dialled.append(fail(peer))
    peer.connect(hello=False)  # the base URL answers
    dialled.append(reconnect(only_hangup(peer.gateway.events_received())))
    dialled.append(fail(peer))
    assert [to.resume for to in dialled] == [True] * gw.UNREACHED_MAX + [False, True, False]
    assert ops(peer) == [2]


def test_14_a_session_that_no_resume_revives_for_90_s_costs_bounded_resumes_and_one_identify() -> None:
    for seed in range(50):
        peer = Peer(seed=seed).live()
        then, resumes = reconnect(peer.lose(1006)), 0
        while then.resume:
            peer.now += then.wait_s
            assert ops(peer) == [6]
            resumes += 1
            then = reconnect(peer.lose())
        assert resumes == gw.RESUME_TRIES_MAX
        assert then.url == BASE


def test_15_two_hundred_dropped_at_once_come_back_apart_and_identify_one_by_one() -> None:
    waits = sorted(reconnect(Peer(seed=seed).live().lose()).wait_s for seed in range(200))
    assert waits[0] < 0.05
    assert waits[-1] > 0.9
    assert all(after - before < 0.1 for before, after in pairwise(waits))
    granted: list[float] = []
    for now in (0.0, 0.1, 0.2):
        granted.append(now + identify_wait_s(granted, now, None))
    assert granted == pytest.approx([0.0, IDENTIFY_EACH_S, IDENTIFY_EACH_S])  # each asks again when its wait is over
    assert identify_wait_s([], 0.0, StartLimit(0, 3_600.0)) == 3_600.0


def compressed(compression: str, documents: list[bytes]) -> list[bytes]:
    if compression == "zlib-stream":
        deflate = zlib.compressobj()
        return [deflate.compress(document) + deflate.flush(zlib.Z_SYNC_FLUSH) for document in documents]
    zstd = pytest.importorskip("backports.zstd")
    press = zstd.ZstdCompressor()
    return [press.compress(document, mode=zstd.ZstdCompressor.FLUSH_BLOCK) for document in documents]


@pytest.mark.parametrize("compression", COMPRESSIONS)
def test_16_one_long_stream_is_read_and_a_corrupt_one_is_left_for_a_fresh_one(compression: str) -> None:
    documents = [json.dumps({"op": 0, "s": number, "d": "x" * number}).encode() for number in range(300)]
    frames = compressed(compression, documents)
    stream = stream_for(compression)
    assert [stream.receive(frame) for frame in frames] == documents
    if compression == "zlib-stream":
        pieces = [piece for frame in frames for piece in (frame[:5], frame[5:])]
        stream = stream_for(compression)
        assert [document for piece in pieces if (document := stream.receive(piece))] == documents
    stream = stream_for(compression)
    stream.receive(frames[0])
    with pytest.raises(BrokenStream):
        stream.receive(b"\xff" * 4 + frames[1][4:])
    assert stream_for(compression).receive(frames[0]) == documents[0]


def test_17_what_is_huge_unknown_doubled_or_late_is_survived() -> None:
    peer = Peer().live()
    assert len(peer.dispatch(2, "GUILD_CREATE", name="x" * (3 << 20))) == 1
    for payload in ({"op": 99, "d": [1], "novel": {}}, {"op": 11, "extra": None}, {"op": 0, "t": 5, "s": "6"}):
        assert not any(isinstance(event, Dispatch | gw.Hangup) for event in peer.say(payload))
    assert [type(event) for event in peer.dispatch(3, "SOMETHING_NEW", deep=[[None]])] == [Dispatch]
    assert peer.dispatch(3, "SOMETHING_NEW") == peer.dispatch(2, "GUILD_CREATE") == []
    assert peer.gateway.save() == SavedSession("s1", 3, RESUME_URL)


READ, OTHER = rest.get_messages("1"), rest.get_messages("2")
CALLBACK = rest.post_callback("1", "t", {})


@pytest.mark.parametrize(
    ("headers", "body", "waits"),
    [
        ({"X-RateLimit-Scope": "user", "X-RateLimit-Remaining": "3"}, {"retry_after": 3.0}, (3.0, 0.0, 0.0)),
        ({"X-RateLimit-Scope": "shared"}, {"retry_after": 3.0}, (3.0, 0.0, 0.0)),
        ({"X-RateLimit-Scope": "global"}, {"retry_after": 3.0, "global": True}, (3.0, 3.0, 0.0)),
        ({"Retry-After": "3"}, "<html>", (3.0, 3.0, 3.0)),
    ],
    ids=["user", "shared", "global", "html"],
)
def test_18_a_429_is_waited_for_by_those_it_is_meant_for(
    headers: dict[str, str], body: Any, waits: tuple[float, float, float]
) -> None:
    buckets = Buckets()
    buckets.answered(READ, 429, headers, body.encode() if isinstance(body, str) else json.dumps(body).encode(), 0.0)
    assert tuple(buckets.delay(request, 0.0) for request in (READ, OTHER, CALLBACK)) == waits


def test_18_answers_that_ban_an_address_stop_far_below_ten_thousand() -> None:
    budget = InvalidBudget()
    accounts = [Buckets(budget) for _ in range(200)]
    now, invalid = 0.0, 0
    while now < limits.INVALID_WINDOW_S:
        for buckets in accounts:
            if buckets.delay(READ, now) <= 0:
                buckets.answered(READ, 401, {}, b"{}", now)
                invalid += 1
        now += 1.0
    assert invalid <= limits.INVALID_COUNT_MAX < 10_000


ASKED = answering.Asked("1", "s3cret", "app", "chan", at=100.0)


def test_19_an_interaction_is_deferred_first_and_its_answer_falls_back_to_the_channel() -> None:
    deferred = answering.defer(ASKED, 100.1)
    assert deferred is not None
    assert (deferred.json, deferred.interaction_callback) == ({"type": 5}, True)
    assert answering.defer(ASKED, 104.0) is None
    for status, code, standing in [
        (204, None, Standing.DEFERRED),
        (400, 40060, Standing.DEFERRED),
        (404, 10062, Standing.GONE),
        (502, None, Standing.NEW),
        (None, None, Standing.NEW),
    ]:
        assert answering.after(Standing.NEW, status, code) is standing
    body = {"content": "done"}
    edit = answering.say(ASKED, Standing.DEFERRED, body, "n", 200.0)
    assert (edit.method, edit.major) == ("PATCH", "app")
    late = answering.say(ASKED, Standing.DEFERRED, body, "n", 100.0 + 15 * 60)
    gone = answering.say(ASKED, Standing.GONE, body, "n", 101.0)
    assert late == gone == rest.post_message("chan", body, "n")
    assert (gone.json["nonce"], gone.json["enforce_nonce"]) == ("n", True)
    assert "s3cret" not in repr(ASKED) + repr(deferred) + repr(edit)


def test_19_no_answer_is_no_refusal_and_a_401_is_the_account_s() -> None:
    assert outcome(None, {}, b"", "timeout") == Doubtful("timeout")
    assert outcome(502, {}, b"<html>") == Doubtful("HTTP 502", answered=True)
    refused = outcome(401, {}, b'{"message": "401: Unauthorized", "code": 0}')
    assert isinstance(refused, Refused)
    assert refused.kind == "token"


class Calls:
    """Discord's answers, and what was asked."""

    def __init__(self, status: int, body: Any) -> None:
        self.answer = Response(status, {}, msgspec.json.encode(body))
        self.asked: list[rest.Request] = []

    async def read(self, request: rest.Request) -> Response:
        self.asked.append(request)
        return self.answer


OWNER: Any = SimpleNamespace(wall=lambda: 0.0, dice=random.Random(1), process=None)
ACCOUNT: Any = SimpleNamespace(channel_id="800", kind="user")


def test_20_an_upload_that_discord_finds_too_large_fails_the_job_cleanly() -> None:
    async def get(path: str) -> bytes:
        return b"\x89PNG\r\n\x1a\n" + bytes(16)

    process = SimpleNamespace(config=SimpleNamespace(limits=SimpleNamespace(upload_bytes=1 << 20)))
    process.pictures = SimpleNamespace(get=get)
    owner: Any = SimpleNamespace(**vars(OWNER) | {"process": process})
    calls: Any = Calls(400, {"code": 40005, "message": "Request entity too large"})
    job: Any = SimpleNamespace(id="j", user="u", images_in=("up1",))
    with pytest.raises(BadInput, match="does not take"):
        asyncio.run(Uploads(owner, ACCOUNT, calls).slots(job))
    assert len(calls.asked) == 1


def test_20_an_expired_address_is_replaced_by_reading_the_message_again() -> None:
    fresh = "https://cdn.example/a.png?ex=1&is=2&hm=3"
    calls: Any = Calls(200, {"id": "77", "attachments": [{"url": fresh}]})
    assert asyncio.run(Errands(OWNER, ACCOUNT, calls).picture_url("77")) == (fresh, None)
    assert calls.asked == [rest.get_message("800", "77")]
    gone: Any = Calls(404, {"code": 10008, "message": "Unknown Message"})
    assert asyncio.run(Errands(OWNER, ACCOUNT, gone).picture_url("77")) == (None, "HTTP 404")
