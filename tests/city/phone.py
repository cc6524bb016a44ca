"""Phones: users' WebSockets, through the daemon's own door (web/sockets.py), on wires of the city.

The daemon's end is a real `Caller`; the user's is the websockets library's client. In between bytes are late and in
order. A phone may stop reading for a while: then the wire fills, as a kernel's buffers do, and the door must wait.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable
from typing import Any

from msgspec.structs import replace
from websockets.client import ClientProtocol
from websockets.frames import Frame, Opcode
from websockets.http11 import Response
from websockets.typing import Subprotocol
from websockets.uri import parse_uri

from actors.process import Process
from protocol.client import JSON, MSGPACK, Auth, decode_server, encode
from protocol.websocket import Settings, Stage
from web.exchange import Desk
from web.sockets import Caller, Switchboard

ADDRESS = parse_uri("ws://limner.city/ws")
REMOTE = "10.0.0.1"
LATENCY_S = (0.001, 0.1)
#: What a wire takes while nobody reads: little, so that it is full soon.
WIRE_BYTES = (200, 2_000, 32_768)
#: What waits for a slow reader before it is given up: with the least, a few events.
OUTBOX_BYTES = (1_500, 1_048_576)
TOO_MANY = 429
TOO_SLOW = b"too slow"
#: The first byte of a control frame is at least this: a goodbye may be written to a full wire.
CONTROL_FROM = 0x88
Hear = Callable[[Any], None]


class CityDesk(Desk):
    """Ids that a seed gives again."""

    def __init__(self, process: Process, tell: Any, life: int) -> None:
        super().__init__(process, tell)
        self._ids = (f"{life}-{number}" for number in itertools.count(1))


class CitySwitchboard(Switchboard):
    """As in the daemon, with room for less."""

    def __init__(self, desk: Desk, outbox_bytes: int) -> None:
        super().__init__(desk, ())
        self.outbox_bytes = outbox_bytes

    def settings_for(self, host: str) -> Settings:
        """As Switchboard.settings_for."""
        return replace(super().settings_for(host), outbox_bytes=self.outbox_bytes)


class Pipe:
    """The daemon's transport of one connection, as far as a Caller uses it."""

    def __init__(self, phone: Phone, wire_bytes: int) -> None:
        self.phone = phone
        self.bytes_max = wire_bytes
        self.waiting = b""
        self.closing = self.paused = self.ended = False
        #: Whether the daemon wrote although the wire was full, and was not saying goodbye.
        self.overrun = False

    def get_extra_info(self, name: str) -> Any:
        return (REMOTE, 1) if name == "peername" else None

    def set_write_buffer_limits(self, high: int) -> None:
        self.bytes_max = min(self.bytes_max, high)

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes) -> None:
        if self.closing:
            return
        if self.phone.reads:
            self.phone.down(data)
            return
        self.phone.too_slow |= TOO_SLOW in data
        self.overrun |= self.paused and data[0] < CONTROL_FROM
        self.waiting += data
        if len(self.waiting) > self.bytes_max and not self.paused:
            self.paused = True
            self.phone.caller.pause_writing()

    def flow(self) -> None:
        """The phone reads again."""
        data, self.waiting = self.waiting, b""
        if data:
            self.phone.down(data)
        if self.paused:
            self.paused = False
            self.phone.caller.resume_writing()
        if self.closing:
            self._end()

    def close(self) -> None:
        self.closing = True
        if not self.waiting:
            self._end()

    def abort(self) -> None:
        self.closing, self.waiting = True, b""
        self._end()

    def end(self) -> None:
        """It is no more."""
        self.ended = self.closing = True
        self.phone.ended_at = self.phone.loop.time()

    def _end(self) -> None:
        if not self.ended:
            self.end()
            self.phone.loop.call_soon(self.phone.caller.connection_lost, None)
            self.phone.down(None)


class Phone:
    """One call: `hear(frame)` for each frame that comes, `hear(None)` once at the end, whoever made it.

    `user` is whose it is, for who counts; `crowd_now()` how many connections the daemon has. `key` is shown in the
    header or, with `key_in_frame`, said in a first frame; None: never.
    """

    def __init__(
        self,
        loop: Any,
        dice: random.Random,
        switchboard: Switchboard,
        user: str,
        key: str | None,
        key_in_frame: bool,
        hear: Hear,
        crowd_now: Callable[[], int],
    ) -> None:
        self.loop, self.dice, self.user, self.hear = loop, dice, user, hear
        self.crowd_now = crowd_now
        self.subprotocol = dice.choice((MSGPACK, JSON))
        self.open = self.reads = True
        self.born_at, self.ended_at = loop.time(), float("inf")
        #: How many connections the daemon had when it got this request, this one included; 0: it has not.
        self.crowd = 0
        #: With what the daemon closed, and why; None: it did not.
        self.close_code: int | None = None
        self.close_reason = ""
        #: Whether the daemon has given up waiting for us to read.
        self.too_slow = False
        #: With what HTTP status the call was refused, if it was.
        self.refused: int | None = None
        self._down_at = self._up_at = 0.0
        self.client = ClientProtocol(ADDRESS, subprotocols=[Subprotocol(self.subprotocol)], max_size=None)
        self.caller: Caller = switchboard.protocol_class()()
        self.pipe = Pipe(self, dice.choice(WIRE_BYTES))
        self.caller.connection_made(self.pipe)  # type: ignore[arg-type]
        request = self.client.connect()
        if key is not None and not key_in_frame:
            request.headers["Authorization"] = f"Bearer {key}"
        self.first = Auth(key) if key is not None and key_in_frame else None
        self.client.send_request(request)
        self._up()

    @property
    def is_live(self) -> bool:
        """Whether the daemon holds it for an open socket whose key is good."""
        wire = self.caller._wire
        return not self.pipe.ended and wire is not None and wire.stage is Stage.LIVE

    # --- saying ---

    def say(self, frame: Any) -> None:
        """A frame, on its way."""
        data = encode(frame, self.subprotocol)
        self.say_bytes(data.encode() if isinstance(data, str) else data)

    def say_bytes(self, data: bytes) -> None:
        """Whatever it is."""
        if not self.open or self.client.state.name != "OPEN":
            return
        if self.subprotocol == JSON:
            self.client.send_text(data)
        else:
            self.client.send_binary(data)
        self._up()

    def stall(self, seconds: float) -> None:
        """Reads nothing for this long."""
        if self.reads and self.open:
            self.reads = False
            self.loop.call_later(seconds, self._wake)

    def hang_up(self) -> None:
        """Says goodbye, and hears nothing more."""
        if self.open and self.client.state.name == "OPEN":
            self.client.send_close(1000)
            self._up()
        self._gone()

    def cut(self) -> None:
        """The network is gone, for both ends."""
        if not self.pipe.ended:
            self.pipe.end()
            self.caller.connection_lost(None)
        self._gone()

    def lose(self) -> None:
        """The daemon is gone, and its Caller with it."""
        self.pipe.end()
        self._gone()

    # --- the wire ---

    def down(self, data: bytes | None) -> None:
        """Bytes for us, or the end (None), a while later."""
        self._down_at = max(self._down_at + 1e-6, self.loop.time() + self.dice.uniform(*LATENCY_S))
        self.loop.call_at(self._down_at, self._arrive, data)

    def _up(self) -> None:
        data = b"".join(self.client.data_to_send())
        if data:
            self._up_at = max(self._up_at + 1e-6, self.loop.time() + self.dice.uniform(*LATENCY_S))
            self.loop.call_at(self._up_at, self._reach, data)

    def _reach(self, data: bytes) -> None:
        if self.pipe.ended:
            return
        if not self.crowd:
            self.crowd = 1 + self.crowd_now()
        self.caller.data_received(data)

    def _wake(self) -> None:
        self.reads = True
        if not self.pipe.ended:
            self.pipe.flow()

    def _arrive(self, data: bytes | None) -> None:
        if not self.open:
            return
        if data is None:
            self._gone()
            return
        self.client.receive_data(data)
        for event in self.client.events_received():
            if isinstance(event, Response):
                self.refused = event.status_code if event.status_code != 101 else None
                if self.first is not None and self.refused is None:
                    self.say(self.first)
            elif isinstance(event, Frame) and event.opcode in (Opcode.TEXT, Opcode.BINARY):
                self.hear(decode_server(bytes(event.data), self.subprotocol))
        if self.client.close_rcvd is not None:
            self.close_code, self.close_reason = self.client.close_rcvd.code, self.client.close_rcvd.reason
        self._up()

    def _gone(self) -> None:
        if self.open:
            self.open = False
            self.hear(None)
