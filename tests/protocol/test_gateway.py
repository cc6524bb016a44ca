"""The gateway machine against the documented protocol and the faults that broke other clients."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol import gateway as gw
from protocol import gateway_backoff as backoff
from protocol.close_codes import CLOSE_CODES, Then
from protocol.gateway import (
    Dispatch,
    Fatal,
    Hangup,
    Identity,
    Ready,
    Reconnect,
    Resumed,
    SavedSession,
    Strange,
)
from protocol.gateway_sends import PAYLOAD_BYTES_MAX, SEND_COUNT_MAX
from tests.protocol.peer import BASE, INTERVAL_S, RESUME_URL, TOKEN, Peer, fail, only_hangup, reconnect


def test_the_first_connection_identifies_at_the_base_url_after_hello() -> None:
    peer = Peer()
    assert peer.gateway.connect_to() == Reconnect(BASE, resume=False, wait_s=0.0)
    assert peer.connect(hello=False) == []
    peer.say({"op": 10, "d": {"heartbeat_interval": 41250}})
    (identify,) = peer.gateway.data_to_send()
    assert identify["op"] == 2
    assert identify["d"]["token"] == TOKEN
    assert identify["d"]["intents"] == 513


def test_those_who_start_together_connect_spread_over_the_time_they_are_given_and_an_only_one_at_once() -> None:
    waits = sorted(Peer(seed=seed).gateway.connect_to(4.0).wait_s for seed in range(200))
    assert 0.0 <= waits[0] < 0.2
    assert 3.8 < waits[-1] <= 4.0
    assert max(sum(at <= wait < at + 0.1 for wait in waits) for at in waits) < 20
    assert Peer().gateway.connect_to() == Reconnect(BASE, False, 0.0)


def test_ready_gives_the_session_and_later_events_are_dispatched_once() -> None:
    peer = Peer()
    peer.connect()
    assert peer.ready() == [Ready("s1", RESUME_URL)]
    assert peer.dispatch(2, id="m") == [Dispatch(2, "MESSAGE_CREATE", msgspec.Raw(b'{"id":"m"}'))]
    assert peer.dispatch(2, id="m") == []
    assert peer.dispatch(1, id="l") == []
    assert peer.gateway.save() == SavedSession("s1", 2, RESUME_URL)


def test_a_saved_seq_is_never_ahead_of_the_handled_events() -> None:
    peer = Peer().live()
    peer.dispatch(5)
    assert peer.gateway.save(handled_seq=3) == SavedSession("s1", 3, RESUME_URL)
    assert peer.gateway.save(handled_seq=9) == SavedSession("s1", 5, RESUME_URL)


def test_a_saved_session_is_resumed_at_its_url_with_the_query_of_the_base() -> None:
    peer = Peer(SavedSession("s0", 41, RESUME_URL))
    assert peer.gateway.connect_to() == Reconnect("wss://resume-1.example/?v=9&encoding=json", True, 0.0)
    assert peer.connect() == [{"op": 6, "d": {"token": TOKEN, "session_id": "s0", "seq": 41}}]
    peer.dispatch(42)
    peer.dispatch(43)
    assert peer.dispatch(44, "RESUMED") == [Resumed(replayed=2)]


@pytest.mark.parametrize("seed", range(20))
def test_the_first_heartbeat_is_jittered_and_the_next_come_each_interval(seed: int) -> None:
    peer = Peer(seed=seed).live()
    first = peer.gateway.next_deadline()
    assert first is not None
    assert 1000.0 <= first <= 1000.0 + INTERVAL_S
    peer.beat(acknowledge=True)
    assert peer.gateway.data_to_send() == [{"op": 1, "d": 1}]
    assert peer.gateway.next_deadline() == pytest.approx(first + INTERVAL_S)


def test_a_heartbeat_without_ack_by_the_next_one_closes_to_resume() -> None:
    peer = Peer().live()
    assert peer.beat(acknowledge=False) == []
    hangup = only_hangup(peer.beat(acknowledge=False))
    assert hangup.close_code == 4000
    assert reconnect(hangup).resume


def test_a_missing_ack_is_not_carried_to_the_next_connection() -> None:
    peer = Peer().live()
    peer.beat(acknowledge=False)
    peer.beat(acknowledge=False)
    peer.connect()
    peer.dispatch(2, "RESUMED")
    assert peer.beat(acknowledge=True) == []
    assert peer.beat(acknowledge=True) == []


def test_a_heartbeat_request_is_answered_at_once_and_keeps_the_schedule() -> None:
    peer = Peer()
    peer.connect()
    due = peer.gateway.next_deadline()
    peer.say({"op": 1, "d": None})
    assert peer.gateway.data_to_send() == [{"op": 1, "d": None}]
    assert peer.gateway.next_deadline() == due
    peer.ready()
    assert peer.beat(acknowledge=True) == []


def test_a_server_that_never_says_hello_is_left_without_spending_an_identify() -> None:
    peer = Peer()
    assert peer.connect(hello=False) == []
    peer.now += gw.HELLO_S_MAX
    peer.gateway.tick(peer.now)
    hangup = only_hangup(peer.gateway.events_received())
    assert reconnect(hangup) == Reconnect(BASE, False, reconnect(hangup).wait_s)
    assert peer.gateway.data_to_send() == []


def test_a_server_that_never_says_ready_is_left() -> None:
    peer = Peer()
    peer.connect()
    events: list[gw.Event] = []
    while not events:
        events = peer.beat(acknowledge=True)
    assert only_hangup(events).reason == "no READY or RESUMED"
    assert peer.now == pytest.approx(1000.0 + gw.ANSWER_S_MAX)


@pytest.mark.parametrize("hello", [True, False])
def test_a_reconnect_request_resumes_also_instead_of_hello(hello: bool) -> None:
    peer = Peer(SavedSession("s0", 41, RESUME_URL))
    peer.connect(hello)
    hangup = only_hangup(peer.say({"op": 7, "d": None}))
    assert hangup.close_code == 4000
    assert reconnect(hangup).resume


def test_invalid_session_true_resumes_and_false_identifies_at_the_base_url() -> None:
    peer = Peer().live()
    then = reconnect(only_hangup(peer.say({"op": 9, "d": True})))
    assert then.resume
    peer.connect()
    then = reconnect(only_hangup(peer.say({"op": 9, "d": False})))
    assert then.url == BASE
    assert not then.resume
    assert then.wait_s >= 1.0
    assert [payload["op"] for payload in peer.connect()] == [2]


@pytest.mark.parametrize("code", [None, 1000, 1006, 1011, 4000, 4001, 4002, 4005, 4008, 4999])
def test_resumable_closes_resume(code: int | None) -> None:
    assert reconnect(Peer().live().lose(code)).resume


@pytest.mark.parametrize("code", [4003, 4007, 4009])
def test_closes_of_a_dead_session_identify_anew(code: int) -> None:
    then = reconnect(Peer().live().lose(code))
    assert then.url == BASE
    assert not then.resume


@pytest.mark.parametrize("code", [code for code, close in CLOSE_CODES.items() if close.then is Then.FATAL])
def test_fatal_closes_end_the_machine(code: int) -> None:
    peer = Peer().live()
    hangup = peer.lose(code)
    assert isinstance(hangup.then, Fatal)
    assert hangup.then.code == code
    assert peer.connect() == []
    assert peer.gateway.next_deadline() is None


def test_a_loss_reported_after_our_own_hangup_is_no_news() -> None:
    peer = Peer().live()
    only_hangup(peer.say({"op": 7}))
    peer.gateway.connection_lost(4000, peer.now)
    assert peer.gateway.events_received() == []


def test_a_reset_in_the_middle_of_a_replay_resumes_from_the_last_received_seq() -> None:
    peer = Peer(SavedSession("s0", 10, RESUME_URL))
    peer.connect()
    peer.dispatch(11)
    assert reconnect(peer.lose()).resume
    (resume,) = peer.connect()
    assert resume["d"]["seq"] == 11
    assert peer.dispatch(11) == []
    assert len(peer.dispatch(12)) == 1


def test_a_dead_resume_url_is_left_for_the_base_url_after_bounded_tries() -> None:
    peer = Peer().live()
    dialled = [reconnect(peer.lose()).url]
    while dialled[-1] != BASE:
        dialled.append(fail(peer).url)
    assert len(dialled) == gw.UNREACHED_MAX + 1
    assert peer.connect(hello=False) == []
    then = reconnect(only_hangup(peer.gateway.events_received()))
    assert then.resume, "the network is there: one last try"
    then = fail(peer)
    assert (then.url, then.resume) == (BASE, False)
    assert [payload["op"] for payload in peer.connect()] == [2]
    assert peer.now - 1000.0 <= 15.0


def test_a_network_that_is_gone_for_minutes_takes_no_session_along() -> None:
    peer = Peer().live()
    then = reconnect(peer.lose())
    while peer.now < 1000.0 + gw.SESSION_KEPT_S_MAX - backoff.BACKOFF_S_MAX:
        then = fail(peer)
    while not then.resume:
        peer.connect(hello=False)
        then = reconnect(only_hangup(peer.gateway.events_received()))
    assert [payload["op"] for payload in peer.connect()] == [6]
    assert peer.dispatch(2, "RESUMED") == [Resumed(replayed=0)]


def test_a_network_that_is_gone_for_longer_than_discord_keeps_a_session_ends_it() -> None:
    peer = Peer().live()
    then = reconnect(peer.lose())
    while peer.now < 1000.0 + gw.SESSION_KEPT_S_MAX + backoff.BACKOFF_S_MAX:
        then = fail(peer)
    assert then.url == BASE
    assert peer.gateway.save() is None


def test_a_resume_url_that_is_the_base_url_is_no_reason_to_give_the_session_up() -> None:
    peer = Peer(SavedSession("s0", 41, BASE))
    for _ in range(5):
        assert fail(peer).resume


def test_a_session_that_closes_right_after_each_resumed_gets_bounded_resumes_then_one_identify() -> None:
    peer = Peer().live()
    then = reconnect(peer.lose())
    resumes = 0
    while then.resume:
        assert [payload["op"] for payload in peer.connect()] == [6]
        peer.dispatch(2 + resumes, "RESUMED")
        resumes += 1
        peer.now += 1.0
        then = reconnect(peer.lose(4000))
    assert resumes == gw.RESUME_TRIES_MAX
    assert then.url == BASE


@pytest.mark.parametrize("asked", [{"op": 7, "d": None}, {"op": 9, "d": True}])
def test_a_session_that_the_server_asks_to_come_again_is_resumed_however_often(asked: dict[str, Any]) -> None:
    peer = Peer().live()
    for number in range(3 * gw.RESUME_TRIES_MAX):
        assert reconnect(only_hangup(peer.say(asked))).resume
        peer.connect()
        peer.dispatch(2 + number, "RESUMED")


def test_a_resume_url_that_only_asks_to_come_again_is_left_when_discord_keeps_the_session_no_longer() -> None:
    peer = Peer().live()
    then, tries = reconnect(peer.lose()), 0
    while then.resume:
        peer.now += then.wait_s
        peer.connect(hello=False)
        then, tries = reconnect(only_hangup(peer.say({"op": 7}))), tries + 1
    assert gw.SESSION_KEPT_S_MAX <= peer.now - 1000.0 < gw.SESSION_KEPT_S_MAX + backoff.BACKOFF_S_MAX
    assert gw.RESUME_TRIES_MAX < tries < 40
    assert then.url == BASE


def test_being_asked_to_come_again_instead_of_hello_is_no_try_of_a_resume() -> None:
    peer = Peer().live()
    peer.lose()
    for _ in range(2 * gw.RESUME_TRIES_MAX):
        peer.connect(hello=False)
        assert reconnect(only_hangup(peer.say({"op": 7}))).resume
    sent = []
    for _ in range(gw.RESUME_TRIES_MAX + 1):
        sent += [payload["op"] for payload in peer.connect()]
        peer.lose(4000)
    assert sent == [6] * gw.RESUME_TRIES_MAX + [2]


def test_a_replay_that_is_cut_again_and_again_goes_on_as_long_as_it_moves() -> None:
    peer = Peer().live()
    peer.lose()
    for number in range(3 * gw.RESUME_TRIES_MAX):
        assert [payload["op"] for payload in peer.connect()] == [6]
        peer.dispatch(2 + number)
        assert reconnect(peer.lose()).resume


def test_leaving_to_resume_is_no_failure_however_often() -> None:
    peer = Peer().live()
    for number in range(3 * gw.RESUME_TRIES_MAX):
        peer.gateway.leave(peer.now)
        hangup = only_hangup(peer.gateway.events_received())
        assert hangup.close_code == gw.CLOSE_TO_RESUME
        assert reconnect(hangup).resume
        assert reconnect(hangup).wait_s <= backoff.BACKOFF_S_BASE
        peer.connect()
        peer.dispatch(2 + number, "RESUMED")
    peer.gateway.leave(peer.now)
    peer.gateway.leave(peer.now)
    only_hangup(peer.gateway.events_received())


def test_a_gated_machine_asks_before_it_identifies_and_beats_meanwhile() -> None:
    peer = Peer(gated=True)
    assert peer.connect(hello=False) == []
    assert peer.say({"op": 10, "d": {"heartbeat_interval": 41250}}) == [gw.Greeted()]
    peer.say({"op": 1})
    assert peer.gateway.data_to_send() == [{"op": 1, "d": None}]
    peer.gateway.identify(peer.now)
    peer.gateway.identify(peer.now)
    assert [payload["op"] for payload in peer.gateway.data_to_send()] == [2]
    peer.gateway.put_off(60.0, peer.now)
    assert peer.ready() == [Ready("s1", RESUME_URL)]


def test_an_identify_that_is_not_allowed_now_is_put_off_without_a_connection() -> None:
    peer = Peer(gated=True)
    peer.connect()
    peer.gateway.events_received()
    peer.gateway.put_off(3_600.0, peer.now)
    hangup = only_hangup(peer.gateway.events_received())
    assert hangup.close_code == gw.CLOSE_TO_RESUME
    assert reconnect(hangup) == Reconnect(BASE, False, 3_600.0)
    peer.gateway.identify(peer.now)
    assert peer.gateway.data_to_send() == []


def test_a_resume_asks_nobody() -> None:
    peer = Peer(SavedSession("s0", 41, RESUME_URL), gated=True)
    assert [payload["op"] for payload in peer.connect()] == [6]
    assert peer.gateway.events_received() == []


def test_a_server_that_closes_every_resume_gets_bounded_resumes_then_one_identify() -> None:
    peer = Peer().live()
    peer.lose()
    sent = []
    for _ in range(gw.RESUME_TRIES_MAX + 1):
        sent += [payload["op"] for payload in peer.connect()]
        peer.lose(4000)
    assert sent == [6] * gw.RESUME_TRIES_MAX + [2]


def test_backoff_grows_to_its_cap_and_is_forgotten_only_after_a_stable_session() -> None:
    def mean_wait_s(failures: int, stable: bool) -> float:
        waits = []
        for seed in range(200):
            peer = Peer(seed=seed)
            for _ in range(failures):
                peer.live()
                peer.now += 1
                peer.lose(4009)
            peer.live()
            peer.now += backoff.STABLE_S if stable else backoff.STABLE_S / 2
            waits.append(reconnect(peer.lose()).wait_s)
        assert max(waits) <= backoff.BACKOFF_S_MAX
        return sum(waits) / len(waits)

    assert mean_wait_s(0, stable=False) < 1.0
    assert mean_wait_s(12, stable=False) > 20.0
    assert mean_wait_s(12, stable=True) < 1.0


def test_five_hundred_presences_never_exceed_the_limit_and_never_starve_a_heartbeat() -> None:
    peer = Peer().live()
    peer.gateway.data_to_send()
    sent: list[tuple[float, int]] = []
    for _ in range(500):
        assert peer.gateway.send({"op": 3, "d": {}}, peer.now)
    start = peer.now
    while peer.now < start + 400:
        sent += [(peer.now, payload["op"]) for payload in peer.gateway.data_to_send()]
        assert peer.beat(acknowledge=True) == []
    times = [when for when, _ in sent]
    assert sum(op == 3 for _, op in sent) == 500
    assert sum(op == 1 for _, op in sent) >= 9
    # IDENTIFY was one more send at the start of the window.
    assert all(sum(when - 60 < other <= when for other in times) <= 119 for when in times)


def test_a_flood_of_heartbeat_requests_stays_below_the_limit() -> None:
    peer = Peer().live()
    for _ in range(1000):
        peer.say({"op": 1})
    assert len(peer.gateway.data_to_send()) <= SEND_COUNT_MAX


def test_a_payload_above_the_limit_is_not_sent() -> None:
    peer = Peer().live()
    peer.gateway.data_to_send()
    assert not peer.gateway.send({"op": 3, "d": "x" * PAYLOAD_BYTES_MAX}, peer.now)
    assert peer.gateway.send({"op": 3, "d": "x" * (PAYLOAD_BYTES_MAX - 20)}, peer.now)
    assert len(peer.gateway.data_to_send()) == 1


def test_a_resume_url_in_clear_is_not_shown_the_token() -> None:
    peer = Peer()
    peer.connect()
    peer.dispatch(1, "READY", session_id="s", resume_gateway_url="ws://elsewhere", user={})
    assert reconnect(peer.lose()).url == BASE


def test_no_representation_holds_the_token() -> None:
    identity = Identity(TOKEN)
    assert TOKEN not in repr(identity) + str(identity) + repr(Peer().live().gateway.save())


@pytest.mark.parametrize("document", [b"", b"{", b"nonsense", b'{"op":11', b'{"op":"\xff"}', b'{"d":' + b"[" * 100_000])
def test_a_document_that_is_no_json_ends_the_connection_and_the_session_is_resumed(document: bytes) -> None:
    hangup = only_hangup(Peer().live().hear(document))
    assert hangup.close_code == gw.CLOSE_TO_RESUME
    assert reconnect(hangup).resume


STRANGE = [b"[]", b"null", b"7", b'"op"', b"{}", b'{"op":0}', b'{"op":0,"s":"2","t":"X"}', b'{"op":0,"s":true,"t":"X"}']
STRANGE += [b'{"op":99,"d":{}}', b'{"op":0,"s":-1,"t":"X"}', b'{"op":0,"s":' + b"9" * 30 + b',"t":"X"}']
STRANGE += [b'{"op":10,"d":{"heartbeat_interval":1e300}}', b'{"op":10,"d":{"heartbeat_interval":0}}', b'{"op":10}']


@pytest.mark.parametrize("document", STRANGE)
def test_json_that_is_no_envelope_is_strange_and_changes_nothing(document: bytes) -> None:
    peer = Peer().live()
    (strange,) = peer.hear(document)
    assert isinstance(strange, Strange)
    assert peer.gateway.save() == SavedSession("s1", 1, RESUME_URL)


@pytest.mark.parametrize("data", [b"null", b"[]", b"[[0,0]]", b"7", b'{"name":"\xff"}'])
def test_an_event_is_passed_on_whatever_its_data_are(data: bytes) -> None:
    peer = Peer().live()
    found = peer.hear(b'{"t":"PRESENCES_REPLACE","s":2,"op":0,"d":%b}' % data)
    assert found == [Dispatch(2, "PRESENCES_REPLACE", msgspec.Raw(data))]
    assert peer.gateway.save() == SavedSession("s1", 2, RESUME_URL)


@pytest.mark.parametrize("resume_url", [None, 7, ["wss://elsewhere"], "", "wss://[", "wss://a/" + "x" * 4096])
def test_a_ready_without_a_usable_resume_url_resumes_at_the_base(resume_url: Any) -> None:
    peer = Peer()
    peer.connect()
    data = {"session_id": "s", "resume_gateway_url": resume_url, "user": 7}
    assert peer.dispatch(1, "READY", **data) == [Ready("s", BASE)]


@pytest.mark.parametrize("session_id", [None, "", 7, "s" * 4096])
def test_a_ready_without_a_usable_session_is_no_session(session_id: Any) -> None:
    peer = Peer()
    peer.connect()
    (strange,) = peer.dispatch(1, "READY", session_id=session_id, resume_gateway_url=RESUME_URL)
    assert isinstance(strange, Strange)
    assert peer.gateway.save() is None


JSONISH = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["op", "d", "s", "t", "session_id", "heartbeat_interval"]), inner, max_size=4)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(JSONISH, st.floats(0, 50)), max_size=30), st.booleans())
def test_no_payload_breaks_the_machine(payloads: list[tuple[Any, float]], resume: bool) -> None:
    peer = Peer(SavedSession("s0", 3, RESUME_URL) if resume else None)
    peer.gateway.connection_made(peer.now)
    last_seq = 3 if resume else 0
    for payload, elapsed_s in payloads:
        peer.now += elapsed_s
        for event in peer.say(payload):
            if isinstance(event, Dispatch):
                assert event.seq > last_seq
                last_seq = event.seq
            elif isinstance(event, Ready):
                last_seq = 0
            elif isinstance(event, Hangup):
                assert event.close_code not in (1000, 1001)
                peer.gateway.connection_made(peer.now)
        peer.gateway.tick(peer.now)
        if any(isinstance(event, Hangup) for event in peer.gateway.events_received()):
            peer.gateway.connection_made(peer.now)
