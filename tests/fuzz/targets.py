"""What must hold whatever comes down a wire: one function a parser, from bytes to nothing, or an AssertionError.

atheris looks for bytes that break them (`python -m tests.fuzz`); tests/protocol/test_fuzz_targets.py holds them against
their seeds and against bytes that hypothesis makes. How bytes become a conversation is said at each.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator

import msgspec

from actors.account.readings import sign_of
from core.correlate import Correlator
from core.signs import Drawing
from protocol import answers, client, openai, rest
from protocol import drawing_text as text
from protocol.buckets import RETRY_S_MAX, Buckets
from protocol.drawing import MIDJOURNEY_APPLICATION_ID
from protocol.drawing_events import Observer
from protocol.gateway import Dispatch, Gateway, Greeted, Hangup, Identity, Reconnect, Strange
from protocol.gateway_frames import SEQ_MAX, SESSION_ID_CHARS_MAX
from protocol.gateway_sends import PAYLOAD_BYTES_MAX
from protocol.identifies import identify_wait_s, start_limit
from protocol.inflate import SYNC_FLUSH, BrokenStream, Inflater, Stream, ZstdInflater
from protocol.mistakes import ClientMistake
from protocol.websocket import Closed, Opened, Settings, WebSocket
from system.zstd import zstd
from tests.fuzz.packs import zlib_pack, zstd_pack

CHANNEL, USER = "5", "7"
#: Of one compressed frame no more may come than this; the daemon's own limit would only make the search slow.
DOCUMENT_BYTES_MAX = 1 << 20
BASE = "wss://gateway.example/?v=10&encoding=json"
HELLO = b'{"op":10,"d":{"heartbeat_interval":41250}}'
WAIT_S_MAX = 86_400.0
STRANGE_MAX = 10
ANSWER_CHARS_MAX = 1_000
SETTINGS = Settings(allowed_origins=frozenset({"https://limner.example"}), frame_bytes=4096, outbox_bytes=1 << 16)
#: A request head, a frame and what waits to be written: nobody holds more for a client that may be anyone.
WEBSOCKET_BYTES_MAX = 1 << 18


class Listener:
    """An account's ears without its actor: gateway machine, grammar and correlator, and a clock of its own."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.gateway = Gateway(Identity("token", 1), BASE, random.Random(1))
        self.observer = Observer(frozenset({MIDJOURNEY_APPLICATION_ID}), CHANNEL, USER)
        self.correlator = Correlator(born=self.now)
        self.correlator.open(Drawing("j1", 1, "1173000000000000001"))
        self.whys: set[str] = set()
        self.greet()

    def greet(self) -> None:
        self.gateway.connection_made(self.now)
        self.hear(HELLO)

    def hear(self, document: bytes) -> None:
        """One document, and what the machine makes of it."""
        self.now += 0.01
        self.gateway.receive(document, self.now)
        self._follow()

    def pass_time(self) -> None:
        """To the next deadline."""
        deadline = self.gateway.next_deadline()
        assert deadline is None or math.isfinite(deadline)
        if deadline is not None:
            self.now = max(self.now, deadline)
            self.gateway.tick(self.now)
            self._follow()

    def _follow(self) -> None:
        for event in self.gateway.events_received():
            match event:
                case Dispatch():
                    self._observe(event)
                case Greeted():
                    self.gateway.identify(self.now)
                case Strange(why=why):
                    self.whys.add(why)
                case Hangup(then=Reconnect(wait_s=wait_s)):
                    assert event.close_code not in (1000, 1001)
                    assert 0.0 <= wait_s <= WAIT_S_MAX
                    self.now += wait_s
                    self.greet()
        for payload in self.gateway.data_to_send():
            assert len(msgspec.json.encode(payload)) <= PAYLOAD_BYTES_MAX
        saved = self.gateway.save()
        assert saved is None or (0 <= saved.seq <= SEQ_MAX and 0 < len(saved.session_id) <= SESSION_ID_CHARS_MAX)
        # Each is logged once: so there must be few.
        assert len(self.whys) <= STRANGE_MAX

    def _observe(self, event: Dispatch) -> None:
        observation = self.observer.observe(event.type, event.data)
        msgspec.msgpack.encode(observation)
        sign = sign_of(observation)
        if sign is not None:
            self.correlator.observe(sign, self.now)


def gateway(data: bytes) -> None:
    """JSON documents, a line each, after HELLO; an empty line lets time pass."""
    listener = Listener()
    for document in data.split(b"\n"):
        listener.hear(document) if document else listener.pass_time()


def stream(data: bytes) -> None:
    """A compressed stream. The first byte's bits: frames as they are (0), or documents that are compressed here, then
    the byte at a place (the second and third byte) is changed by the fourth (1); zlib-stream (0) or zstd-stream (2)."""
    listener, kind = Listener(), data[0] & 3 if data else 0
    inflater: Stream = Inflater(DOCUMENT_BYTES_MAX)
    if kind & 2 and zstd is not None:
        inflater = ZstdInflater(zstd.ZstdDecompressor, zstd.ZstdError, DOCUMENT_BYTES_MAX)
    for frame in _frames(data[1:], kind):
        try:
            document = inflater.receive(frame)
        except BrokenStream:
            listener.gateway.connection_lost(None, listener.now)
            listener.pass_time()
            return
        if document is not None:
            assert len(document) <= DOCUMENT_BYTES_MAX
            listener.hear(document)


def _frames(data: bytes, kind: int) -> Iterator[bytes]:
    if not kind & 1:
        *whole, last = data.split(SYNC_FLUSH)
        yield from (frame + SYNC_FLUSH for frame in whole)
        yield last
        return
    place, change = int.from_bytes(data[:2], "big"), data[2] if len(data) > 2 else 0
    pack = zstd_pack() if kind & 2 and zstd is not None else zlib_pack()
    for document in data[3:].split(b"\n"):
        frame = bytearray(pack(document))
        if 0 <= place < len(frame):
            frame[place] ^= change
        place -= len(frame)
        yield bytes(frame)


def answer(data: bytes) -> None:
    """A REST answer, of Discord or an image API: a line with its status, lines of headers, an empty line, the body."""
    head, _, body = data.partition(b"\n\n")
    first, *lines = head.decode("latin-1").split("\n")
    status = int(first) % 600 if first.isdecimal() and len(first) < 9 else None
    headers = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    found = rest.outcome(status, headers, body)
    assert isinstance(found, rest.Taken) is (status == 204)
    if isinstance(found, rest.Refused):
        assert 0.0 <= found.after_s <= RETRY_S_MAX
        assert len(found.message) <= rest.MESSAGE_CHARS_MAX
    buckets, request = Buckets(), rest.get_messages("5")
    for now in (0.0, 1.0):
        buckets.began(request, now)
        buckets.answered(request, status or 500, headers, body, now)
        assert 0.0 <= buckets.delay(request, now) <= RETRY_S_MAX
    limit = start_limit(body)
    assert limit is None or 0.0 <= limit.reset_after_s <= WAIT_S_MAX
    wait_s = identify_wait_s((0.0, 1.0), 2.0, limit)
    assert 0.0 <= wait_s <= WAIT_S_MAX
    painted = openai.outcome(status or 500, {name.lower(): value for name, value in headers.items()}, body)
    if isinstance(painted, openai.Refused):
        assert 0.0 <= painted.after_s <= openai.BUSY_S_MAX
        assert len(painted.message) <= openai.MESSAGE_CHARS_MAX
    rest.upload_slot(body)
    answers.user_id_in(body)
    answers.message_ids(answers.messages_in(body))
    answers.picture_urls_in(body)
    answers.commands_in(body, MIDJOURNEY_APPLICATION_ID)


def grammar(data: bytes) -> None:
    """A text, as everything that the bot can say one in."""
    said = data.decode(errors="replace")
    content = text.read_content(said)
    if content is not None:
        assert content.percent is None or 0 <= content.percent <= 100
    assert text.hash_in(said) is None or len(text.hash_in(said) or "") == 36
    offer = text.offer_of(said)
    assert offer is None or offer.custom_id == said
    verdict = text.verdict_on(said)
    told = text.seed_in(said)
    assert told is None or len(told[0]) == 36
    observer = Observer(frozenset({MIDJOURNEY_APPLICATION_ID}), CHANNEL, USER)
    message = {
        "id": "9",
        "channel_id": CHANNEL,
        "author": {"id": MIDJOURNEY_APPLICATION_ID},
        "content": said,
        "attachments": [{"url": said, "filename": said}],
        "components": [{"components": [{"custom_id": said}]}],
        "embeds": [{"title": said, "description": said}] if verdict is not None else [],
    }
    for place in (CHANNEL, "8"):  # the account's own, and a direct one
        spoken = msgspec.json.encode(message | {"channel_id": place})
        msgspec.msgpack.encode(observer.observe("MESSAGE_CREATE", spoken))


def frame(data: bytes) -> None:
    """A frame of a client's, and the body of an order: the first byte says in what."""
    subprotocol = client.SUBPROTOCOLS[data[0] % 2] if data else client.JSON
    for read in (lambda: client.decode(data[1:], subprotocol), lambda: client.decode_order(data[1:], "r")):
        mistake: ClientMistake | None = None
        try:
            msgspec.msgpack.encode(read())
        except ClientMistake as made:
            mistake = made
        assert mistake is None or (mistake.code in client.CODES and len(str(mistake)) <= ANSWER_CHARS_MAX)


def opening(data: bytes) -> None:
    """A user's connection from its first byte: what is received at once has the length that the first byte says."""
    socket, size = WebSocket(SETTINGS, 0.0), (data[0] if data else 0) + 1
    events = []
    for start in range(1, len(data), size):
        socket.receive_data(data[start : start + size], float(start))
        heard = socket.events_received()
        if any(isinstance(event, Opened) for event in heard):
            socket.authenticated(float(start))
        events += heard
        assert len(socket.data_to_send()) <= WEBSOCKET_BYTES_MAX
        assert len(socket._rest) <= WEBSOCKET_BYTES_MAX
    socket.receive_eof(float(len(data)))
    events += socket.events_received()
    assert [event for event in events if isinstance(event, Closed)] == events[-1:]
    assert socket.finished


TARGETS: dict[str, Callable[[bytes], None]] = {
    "gateway": gateway,
    "stream": stream,
    "answer": answer,
    "grammar": grammar,
    "frame": frame,
    "opening": opening,
}
