"""A user's connection against a real client machine, with a wire and a clock in the test's hand."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.uri import parse_uri

from protocol import client as c
from protocol.websocket import (
    BAD_FRAME_COUNT_MAX,
    EARLY_COUNT_MAX,
    EARLY_FRAME_COUNT_MAX,
    Closed,
    FrameReceived,
    Opened,
    Settings,
    WebSocket,
)

OWN = "https://limner.example"
SETTINGS = Settings(allowed_origins=frozenset({OWN}), frame_bytes=1000, frames_per_min=20, outbox_bytes=2000)


class Pair:
    """A `websockets` client machine and ours, joined by a wire that loses nothing."""

    def __init__(
        self,
        subprotocols: list[str] | None = None,
        origin: str | None = None,
        headers: dict[str, str] | None = None,
        path: str = "/ws",
    ) -> None:
        self.now = 100.0
        self.server = WebSocket(SETTINGS, self.now)
        self.client = ClientProtocol(
            parse_uri(f"ws://limner.example{path}"), origin=origin, subprotocols=subprotocols, max_size=None
        )
        self.request = self.client.connect()
        self.request.headers.update(headers or {})
        self.heard: list[Any] = []

    def open(self) -> Pair:
        self.client.send_request(self.request)
        self.pump()
        return self

    def live(self) -> Pair:
        self.open()
        self.server.authenticated(self.now)
        self.server.events_received()
        return self

    def pump(self) -> None:
        """Carries bytes both ways until both are silent."""
        moved = True
        while moved:
            moved = False
            for data in self.client.data_to_send():
                moved = True
                self.server.receive_data(data, self.now) if data else self.server.receive_eof(self.now)
            if data := self.server.data_to_send():
                moved = True
                self.client.receive_data(data)
            for event in self.client.events_received():
                if isinstance(event, Response) and event.status_code == 101:
                    self.client.process_response(event)
                self.heard.append(event)

    def say(self, frame: c.ClientFrame | str | bytes, pump: bool = True) -> None:
        data = frame if isinstance(frame, str | bytes) else c.encode(frame, self.server.subprotocol)
        if isinstance(data, str):
            self.client.send_text(data.encode())
        else:
            self.client.send_binary(data)
        if pump:
            self.pump()

    def frames(self) -> list[c.ServerFrame]:
        """The frames the client heard since the last call."""
        heard, self.heard = self.heard, []
        found = []
        for event in heard:
            if isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                found.append(c.decode_server(bytes(event.data), self.server.subprotocol))
        return found

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.server.tick(self.now)
        self.pump()

    def status(self) -> int:
        response = self.heard[0]
        assert isinstance(response, Response)
        return response.status_code

    def close_code(self) -> int | None:
        return None if self.client.close_rcvd is None else int(self.client.close_rcvd.code)


def codes(frames: list[c.ServerFrame]) -> list[str]:
    return [frame.code for frame in frames if isinstance(frame, c.Error)]


@pytest.mark.parametrize(
    ("offered", "chosen", "answered"),
    [
        (None, c.JSON, None),
        ([c.MSGPACK, c.JSON], c.MSGPACK, c.MSGPACK),
        (["other", c.JSON], c.JSON, c.JSON),
    ],
)
def test_the_subprotocol_is_the_clients_first_known_and_json_without_an_offer(
    offered: list[str] | None, chosen: str, answered: str | None
) -> None:
    pair = Pair(offered).open()
    assert pair.server.events_received() == (Opened(chosen, None, None),)
    assert pair.client.subprotocol == answered


def test_only_unknown_subprotocols_are_refused_before_the_upgrade() -> None:
    pair = Pair(["other"]).open()
    assert pair.status() == 400
    assert pair.server.finished


@pytest.mark.parametrize(("origin", "status"), [(None, 101), (OWN, 101), ("https://evil.example", 403), ("null", 403)])
def test_a_foreign_origin_is_refused_before_the_upgrade(origin: str | None, status: int) -> None:
    pair = Pair(origin=origin).open()
    assert pair.status() == status
    assert pair.server.finished is (status != 101)


def test_another_path_and_a_refused_connection_get_their_status() -> None:
    assert Pair(path="/other").open().status() == 404
    pair = Pair()
    pair.server.refuse("draining", "The service is stopping.")
    assert pair.open().status() == 503


def test_a_refused_connection_is_told_its_code_and_when_to_come_again() -> None:
    pair = Pair()
    pair.server.refuse("rate_limited", "Too many connections.")
    response = pair.open().heard[0]
    body = json.loads(response.body)
    assert (body["code"], body["status"], body["detail"]) == ("rate_limited", 429, "Too many connections.")
    assert response.headers["Content-Type"] == "application/problem+json"
    assert int(response.headers["Retry-After"]) >= 1
    assert int(response.headers["Content-Length"]) == len(response.body)


def test_a_bearer_key_is_handed_over_and_never_shown() -> None:
    pair = Pair(headers={"Authorization": "Bearer secret", "Cookie": "limner=cookie-secret"}).open()
    (opened,) = pair.server.events_received()
    assert isinstance(opened, Opened)
    assert (opened.bearer, opened.cookie) == ("secret", "limner=cookie-secret")
    assert "secret" not in repr(opened)


def test_frames_sent_while_the_key_is_checked_wait_for_the_answer() -> None:
    pair = Pair(headers={"Authorization": "Bearer k"}).open()
    pair.say(c.Draw("r", "a fox"))
    assert len(pair.server.events_received()) == 1
    pair.server.authenticated(pair.now)
    assert pair.server.events_received() == (FrameReceived(c.Draw("r", "a fox")),)


@pytest.mark.parametrize("by_header", [True, False])
def test_nothing_is_answered_before_the_key_is_found_good_and_then_all_in_order(by_header: bool) -> None:
    pair = Pair(headers={"Authorization": "Bearer k"} if by_header else None).open()
    if not by_header:
        pair.say(c.Auth("k"))
    for words in ('{"type":"ping"}', '{"type":"bogus"}', '{"type":"cancel","job":"j"}', "{", '{"type":"ping"}'):
        pair.say(words)
    assert pair.frames() == []
    pair.server.events_received()
    pair.server.authenticated(pair.now)
    pair.pump()
    assert [type(frame) for frame in pair.frames()] == [c.Pong, c.Error, c.Error, c.Pong]
    assert pair.server.events_received() == (FrameReceived(c.Cancel("j")),)


def test_ten_that_are_no_frames_close_4400_only_after_the_key_is_found_good() -> None:
    pair = Pair(headers={"Authorization": "Bearer k"}).open()
    for _ in range(BAD_FRAME_COUNT_MAX + 1):
        pair.say("{")
    assert pair.close_code() is None
    pair.server.authenticated(pair.now)
    pair.pump()
    assert codes(pair.frames()) == ["bad_frame"] * BAD_FRAME_COUNT_MAX
    assert pair.close_code() == 4400


def test_what_is_said_before_welcome_is_bounded_and_who_says_more_is_closed_1013() -> None:
    pair = Pair(headers={"Authorization": "Bearer k"}).open()
    for number in range(EARLY_COUNT_MAX):
        pair.say(c.Draw(f"r{number}", "a fox"))
    assert (pair.frames(), pair.close_code()) == ([], None)
    pair.say(c.Ping())
    assert (pair.frames(), pair.close_code()) == ([], 1013)


def test_frames_beyond_those_that_wait_are_refused_after_welcome_with_their_refs() -> None:
    pair = Pair(headers={"Authorization": "Bearer k"}).open()
    for number in range(EARLY_FRAME_COUNT_MAX + 1):
        pair.say(c.Draw(f"r{number}", "a fox"))
    assert pair.frames() == []
    pair.server.authenticated(pair.now)
    pair.pump()
    assert pair.frames()[-1] == c.Error("rate_limited", "Wait for `welcome`.", f"r{EARLY_FRAME_COUNT_MAX}")


def test_a_first_auth_frame_is_asked_for_and_given_to_the_shell() -> None:
    pair = Pair().open()
    pair.say(c.Auth("k"))
    assert pair.server.events_received()[1:] == (FrameReceived(c.Auth("k")),)
    pair.server.authenticated(pair.now)
    pair.say(c.Cancel("j"))
    assert pair.server.events_received() == (FrameReceived(c.Cancel("j")),)


@pytest.mark.parametrize("frame", [c.Ping(), c.Draw("r", "x"), "nonsense"])
def test_any_other_frame_before_auth_closes_4401(frame: c.ClientFrame | str) -> None:
    pair = Pair().open()
    pair.say(frame)
    assert codes(pair.frames()) == ["unauthenticated"]
    assert pair.close_code() == 4401
    assert pair.server.events_received()[-1] == Closed(4401)


def test_no_key_in_time_closes_4401() -> None:
    pair = Pair().open()
    pair.wait(SETTINGS.auth_s)
    assert codes(pair.frames()) == ["unauthenticated"]
    assert pair.close_code() == 4401


def test_a_wrong_key_is_accepted_as_an_upgrade_then_refused() -> None:
    pair = Pair(headers={"Authorization": "Bearer wrong"}).open()
    assert pair.status() == 101
    pair.server.refuse_key(pair.now)
    pair.pump()
    assert codes(pair.frames()) == ["unauthenticated"]
    assert pair.close_code() == 4401


def test_ping_is_answered_here_in_both_encodings() -> None:
    for subprotocol in c.SUBPROTOCOLS:
        pair = Pair([subprotocol]).live()
        pair.say(c.Ping())
        assert pair.frames() == [c.Pong()]
        assert pair.server.events_received() == ()


def test_fragments_are_joined_and_a_message_above_the_limit_closes_1009() -> None:
    pair = Pair().live()
    text = b'{"type":"draw","ref":"r","prompt":"a fox"}'
    pair.client.send_text(text[:10], fin=False)
    pair.client.send_continuation(b"", fin=False)
    pair.client.send_continuation(text[10:], fin=True)
    pair.pump()
    assert pair.server.events_received() == (FrameReceived(c.Draw("r", "a fox")),)
    pair.client.send_text(b"x" * 400, fin=False)
    pair.client.send_continuation(b"x" * 400, fin=False)
    pair.client.send_continuation(b"x" * 400, fin=True)
    pair.pump()
    assert pair.close_code() == 1009
    assert pair.server.events_received() == (Closed(1009),)
    assert pair.server.finished


def test_the_wrong_kind_of_frame_is_a_bad_frame_and_the_connection_lives() -> None:
    for subprotocol, wrong in ((c.JSON, b"\x80"), (c.MSGPACK, "{}")):
        pair = Pair([subprotocol]).live()
        pair.say(wrong)
        assert codes(pair.frames()) == ["bad_frame"]
        pair.say(c.Ping())
        assert pair.frames() == [c.Pong()]


def test_text_that_is_not_utf_8_closes_1007() -> None:
    pair = Pair().live()
    pair.client.send_text(b'{"type":"\xff"}')
    pair.pump()
    assert pair.close_code() == 1007


def test_the_tenth_bad_frame_in_a_minute_closes_4400_and_slower_ones_do_not() -> None:
    pair = Pair().live()
    for _ in range(BAD_FRAME_COUNT_MAX - 1):
        pair.say("{}")
    assert pair.close_code() is None
    pair.now += 61
    for _ in range(BAD_FRAME_COUNT_MAX - 1):
        pair.say("{}")
    assert pair.close_code() is None
    pair.say("{}")
    assert codes(pair.frames()) == ["bad_frame"] * (2 * BAD_FRAME_COUNT_MAX - 1)
    assert pair.close_code() == 4400


def test_too_many_frames_a_minute_are_refused_with_their_ref() -> None:
    pair = Pair().live()
    for number in range(SETTINGS.frames_per_min):
        pair.say(c.Draw(str(number), "x"))
    pair.say(c.Draw("over", "x"))
    (error,) = pair.frames()
    assert isinstance(error, c.Error)
    assert (error.code, error.ref) == ("rate_limited", "over")
    pair.now += 60
    pair.say(c.Draw("later", "x"))
    assert pair.server.events_received()[-1] == FrameReceived(c.Draw("later", "x"))


def test_a_silent_peer_is_pinged_then_left() -> None:
    pair = Pair().live()
    pair.wait(SETTINGS.ping_s)
    assert [event.opcode for event in pair.heard if isinstance(event, Frame)] == [Opcode.PING]
    pair.wait(SETTINGS.ping_s)
    assert not pair.server.finished
    pair.now += SETTINGS.pong_s + SETTINGS.ping_s
    pair.server.tick(pair.now)
    assert pair.server.events_received() == (Closed(1006),)
    assert pair.server.gone


def test_a_reader_that_stays_slow_is_closed_1013() -> None:
    pair = Pair().live()
    pair.server.pause_writing(pair.now)
    pair.server.send(c.Started(1, "j"), pair.now)
    assert pair.server.data_to_send() == b""
    pair.wait(SETTINGS.slow_s)
    assert pair.close_code() == 1013
    assert pair.frames() == []
    assert pair.server.events_received() == (Closed(1013),)


def test_a_reader_whose_outbox_is_full_is_closed_1013() -> None:
    pair = Pair().live()
    pair.server.pause_writing(pair.now)
    for seq in range(100):
        pair.server.send(c.Started(seq, "j"), pair.now)
    assert pair.server.events_received() == (Closed(1013),)


def test_while_paused_progress_is_coalesced_and_all_else_kept_in_order() -> None:
    pair = Pair().live()
    pair.server.pause_writing(pair.now)
    frames: list[c.ServerFrame] = [c.Progress(1, "j", percent) for percent in range(100)]
    for frame in [c.Started(1, "j"), *frames, c.Started(2, "k"), c.Progress(2, "k", 5)]:
        pair.server.send(frame, pair.now)
    pair.server.resume_writing()
    pair.pump()
    assert pair.frames() == [c.Started(1, "j"), c.Progress(1, "j", 99), c.Started(2, "k"), c.Progress(2, "k", 5)]


def test_a_peer_that_pings_and_never_reads_is_left() -> None:
    pair = Pair().live()
    pair.server.pause_writing(pair.now)
    for _ in range(1000):
        pair.client.send_ping(b"x" * 125)
    for data in pair.client.data_to_send():
        pair.server.receive_data(data, pair.now)
    assert pair.server.gone


def test_our_close_flushes_what_was_queued_and_ends_with_the_peers_answer() -> None:
    pair = Pair().live()
    pair.server.send(c.Notice("draining", "see you"), pair.now)
    pair.server.close(1001, "draining", pair.now)
    pair.pump()
    assert pair.frames() == [c.Notice("draining", "see you")]
    assert pair.close_code() == 1001
    assert pair.server.events_received() == (Closed(1001),)
    assert pair.server.finished


def test_a_close_that_is_never_answered_ends_in_an_abort() -> None:
    pair = Pair().live()
    pair.server.close(1001, "draining", pair.now)
    pair.now += SETTINGS.close_s
    pair.server.tick(pair.now)
    assert pair.server.gone
    assert pair.server.next_deadline() is None


def test_the_peers_close_and_a_cut_connection_are_told_once() -> None:
    pair = Pair().live()
    pair.client.send_close(1000)
    pair.pump()
    assert pair.server.events_received() == (Closed(1000),)
    pair = Pair().live()
    pair.server.receive_eof(pair.now)
    pair.server.receive_eof(pair.now)
    assert pair.server.events_received() == (Closed(1006),)


def test_a_request_that_never_comes_is_given_up() -> None:
    pair = Pair()
    pair.wait(SETTINGS.handshake_s)
    assert pair.server.gone


@settings(max_examples=150, deadline=None)
@given(st.lists(st.binary(max_size=80), max_size=20), st.booleans())
def test_no_bytes_break_the_machine(chunks: list[bytes], opened: bool) -> None:
    pair = Pair().live() if opened else Pair()
    for chunk in chunks:
        pair.server.receive_data(chunk, pair.now)
        pair.server.data_to_send()
    pair.server.receive_eof(pair.now)
    events = pair.server.events_received()
    assert [event for event in events if isinstance(event, Closed)] == list(events[-1:])
    assert pair.server.finished
