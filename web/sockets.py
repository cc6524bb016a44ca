"""Sockets: users' WebSockets on the web app's port, without a task or a timer a connection.

uvicorn hands a connection over at the upgrade; from then on it is a `Caller`: a plain asyncio protocol around the
sans-I/O machine of protocol/websocket.py, and the Door through which the Gate speaks. Bytes become typed frames and are
told to the Gate; frames become bytes in a bounded outbox. The deadlines of all callers hang in one wheel that one timer
turns.
"""

from __future__ import annotations

import asyncio
import math
import sys
from collections import Counter, defaultdict
from typing import Any

from actors.gate import Arrived, Left, Spoken
from protocol.api import Answer
from protocol.client import ClientFrame, Error, ServerFrame, Welcome
from protocol.frame_rate import FrameRates
from protocol.frames import about
from protocol.websocket import Closed, FrameReceived, Opened, Settings, WebSocket
from web.exchange import Desk
from web.visitor import Networks, allowed_origins, credential_of, household_of, remote_of

TICK_S = 1.0
#: Bytes in a transport's own buffer before frames wait in the outbox instead, where they can be coalesced.
WRITE_BUFFER_BYTES_MAX = 32_768
#: Distinct Hosts whose origins are remembered; there is one, unless somebody plays with headers.
HOSTS_MAX = 64
TOO_MANY_FRAMES = "Too many frames come from your address; wait a moment."


class Switchboard:
    """All callers of this process: makes them, counts them by address, and turns the wheel of their deadlines."""

    def __init__(self, desk: Desk, trusted: Networks) -> None:
        self.desk = desk
        self.trusted = trusted
        self.by_remote: Counter[str] = Counter()
        limits = desk.process.config.limits
        #: What all connections that an address may have at a time may send: coming again and again gives no more.
        self.rates = FrameRates(limits.frames_per_min * limits.sockets_per_ip)
        self._limits = limits
        self._settings: dict[str, Settings] = {}
        self._wheel: defaultdict[int, list[Caller]] = defaultdict(list)
        self._turned = 0
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """On the running loop, before the first caller."""
        self.loop = asyncio.get_running_loop()
        self.now = self.loop.time
        self._turned = int(self.now())
        self._turn()

    def stop(self) -> None:
        """No deadline is kept any more."""
        if self._timer is not None:
            self._timer.cancel()

    def close_all(self, code: int, reason: str) -> None:
        """Says goodbye to every caller; those that do not answer are cut off by the end of the process."""
        # All hang in the wheel, save those whose request has not come.
        for caller in {caller for slot in list(self._wheel.values()) for caller in slot if caller.slot is not None}:
            caller.close(code, reason)

    def protocol_class(self) -> Any:
        """What uvicorn wants for `ws=`: called for each upgrade with arguments that are uvicorn's own business."""
        return lambda **_: Caller(self)

    def settings_for(self, host: str) -> Settings:
        """What all connections to this Host share; the origins a browser may come from depend on it."""
        limits = self.desk.process.config.limits
        if limits is not self._limits:  # the operator had the config read again
            self._limits = limits
            self.rates = FrameRates(limits.frames_per_min * limits.sockets_per_ip)
            self._settings.clear()
        found = self._settings.get(host)
        if found is None:
            if len(self._settings) >= HOSTS_MAX:
                self._settings.clear()
            config = self.desk.process.config
            found = self._settings[host] = Settings(
                allowed_origins=allowed_origins(host, config.server),
                frame_bytes=config.limits.frame_bytes,
                prompt_chars=config.limits.prompt_chars,
                frames_per_min=config.limits.frames_per_min,
                auth_s=config.limits.auth_s,
            )
        return found

    def hang(self, caller: Caller, deadline: float) -> None:
        """Has the caller ticked at the first turn after `deadline`."""
        slot = max(math.ceil(deadline), self._turned + 1)
        if caller.slot is None or slot < caller.slot:
            caller.slot = slot
            self._wheel[slot].append(caller)

    def _turn(self) -> None:
        now = self.now()
        for slot in range(self._turned + 1, int(now) + 1):
            self._turned = slot
            for caller in self._wheel.pop(slot, ()):
                if caller.slot == slot:  # else it hangs in an earlier slot as well, and was seen there
                    caller.slot = None
                    caller.tick(now)
        self._timer = self.loop.call_later(TICK_S, self._turn)


class Caller(asyncio.Protocol):
    """One WebSocket connection: a Door (actors/process.py) for the Gate, a protocol for its transport."""

    __slots__ = ("_board", "_remote", "_socket", "_transport", "_wire", "slot")

    def __init__(self, board: Switchboard) -> None:
        self._board = board
        self._wire: WebSocket | None = None
        self._socket = ""
        self._remote = ""
        self.slot: int | None = None

    # --- what the transport calls ----------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport
        transport.set_write_buffer_limits(high=WRITE_BUFFER_BYTES_MAX)  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        """First the request of the upgrade, put together again by uvicorn; then what the client sends."""
        now = self._board.now()
        if self._wire is None:
            data = self._begin(data, now)
        self._wire.receive_data(data, now)  # type: ignore[union-attr]
        self._flush(now)

    def eof_received(self) -> bool:
        now = self._board.now()
        if self._wire is not None:
            self._wire.receive_eof(now)
            self._flush(now)
        return False

    def pause_writing(self) -> None:
        if self._wire is not None:
            now = self._board.now()
            self._wire.pause_writing(now)
            self._rehang()

    def resume_writing(self) -> None:
        if self._wire is not None:
            self._wire.resume_writing()
            self._flush(self._board.now())

    def connection_lost(self, exc: Exception | None) -> None:
        board = self._board
        if self._remote:
            board.by_remote[self._remote] -= 1
            if board.by_remote[self._remote] <= 0:
                del board.by_remote[self._remote]
        if self._socket:
            board.desk.process.sockets.pop(self._socket, None)
            board.desk.tell("gate", Left(self._socket))
        self._wire, self._socket, self._remote = None, "", ""

    # --- what the Gate calls ---------------------------------------------------------------------------------

    def send(self, words: ServerFrame | Answer) -> None:
        """Queues a frame for the wire. The first `welcome` lets the client's frames in."""
        if self._wire is None:
            return
        now = self._board.now()
        self._wire.send(words, now)  # type: ignore[arg-type]  # the Gate says frames to sockets, answers to requests
        if type(words) is Welcome:
            self._wire.authenticated(now)
        self._flush(now)

    def close(self, code: int, reason: str) -> None:
        """Closes with this code, after what was said before."""
        if self._wire is None:
            self._transport.abort()  # not even its request has come
            return
        now = self._board.now()
        self._wire.close(code, reason, now)
        self._flush(now)
        self._rehang()

    # --- how it is done --------------------------------------------------------------------------------------

    def tick(self, now: float) -> None:
        """A deadline may have come."""
        if self._wire is not None:
            self._wire.tick(now)
            self._flush(now)
            self._rehang()

    def _begin(self, request: bytes, now: float) -> bytes:
        board, headers = self._board, headers_of(request)
        limits = board.desk.process.config.limits
        peer = self._transport.get_extra_info("peername") or ("",)
        remote = remote_of(str(peer[0]), headers.get("x-forwarded-for"), board.trusted)
        self._remote = sys.intern(household_of(remote))  # one text for all callers of an address, not one each
        board.by_remote[self._remote] += 1
        self._wire = WebSocket(board.settings_for(headers.get("host", "")), now)
        if board.by_remote[self._remote] > limits.sockets_per_ip:
            self._wire.refuse("rate_limited", "Too many connections from this address; close one.")
        if "cookie" in headers and credential_of({"cookie": headers["cookie"]}).key is None:
            request = without_header(request, b"cookie")  # other people's cookies are no key of ours
        return request

    def _flush(self, now: float) -> None:
        """Hands on what has happened, and writes what is to be written."""
        wire = self._wire
        if wire is None:
            return
        for event in wire.events_received():
            if isinstance(event, FrameReceived):
                self._hear(event.frame, now)
            elif isinstance(event, Opened):
                self._open(event)
            elif isinstance(event, Closed):
                self._rehang()
        data = wire.data_to_send()
        if data:
            self._transport.write(data)
        if wire.gone:
            self._transport.abort()
        elif wire.finished and not self._transport.is_closing():
            self._transport.close()

    def _hear(self, frame: ClientFrame, now: float) -> None:
        if self._board.rates.takes(self._remote, now):
            self._board.desk.tell("gate", Spoken(self._socket, frame))
        else:
            self.send(Error("rate_limited", TOO_MANY_FRAMES, *about(frame)))

    def _open(self, opened: Opened) -> None:
        desk = self._board.desk
        self._socket = desk.new_socket()
        desk.process.sockets[self._socket] = self
        key = opened.bearer or credential_of({"cookie": opened.cookie or ""}).key
        desk.tell("gate", Arrived(self._socket, self._remote, key))
        self._rehang()

    def _rehang(self) -> None:
        """Its next deadline may have come nearer; one that went away is noticed when the wheel comes by."""
        deadline = self._wire.next_deadline() if self._wire is not None else None
        if deadline is not None:
            self._board.hang(self, deadline)


def headers_of(request: bytes) -> dict[str, str]:
    """The headers of a request as uvicorn puts it together: lower-case names, one a line; the last of a name wins."""
    lines = request.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    pairs = (line.decode("latin-1").partition(":") for line in lines)
    return {name: value.strip() for name, _, value in pairs}


def without_header(request: bytes, name: bytes) -> bytes:
    """The request without the headers of this (lower-case) name."""
    head, end, rest = request.partition(b"\r\n\r\n")
    kept = [line for line in head.split(b"\r\n") if not line.startswith(name + b":")]
    return b"\r\n".join(kept) + end + rest
