"""The gateway line keeps its beat whatever its actor has to do, and asks before it begins a new session."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from actors.account.line import FrameCame, GatewayLine, LineDue, LineLost, LineMade
from actors.shell import Shell, Start
from core.config import read
from protocol.gateway import Event, Hangup, Identity, Ready, SavedSession
from system.links import LinkBroken, WireClosed
from system.loop_base import LoopBase, run_on
from system.message import Message
from tests.actors.stage import CONFIG, process_for

INTERVAL_S = 1.0
BEATS = 4
#: A third of a beat: what the machine the tests run on may take, with others on it. One turn of the loop is 5 ms.
LATE_S_MAX = INTERVAL_S / 3
SHARE = 50_000


class FakeWire:
    """A gateway that greets, acknowledges at once, and notes when each beat came."""

    def __init__(self, hello: bool = True) -> None:
        self.inbox: asyncio.Queue[str | WireClosed] = asyncio.Queue()
        self.beats: list[float] = []
        self.sent: list[dict[str, Any]] = []
        self.closed: int | None = None
        if hello:
            self.say({"op": 10, "d": {"heartbeat_interval": INTERVAL_S * 1000}})

    def say(self, payload: dict[str, Any]) -> None:
        self.inbox.put_nowait(msgspec.json.encode(payload).decode())

    async def receive(self) -> str:
        found = await self.inbox.get()
        if isinstance(found, WireClosed):
            raise found
        return found

    def send(self, text: str) -> None:
        payload = msgspec.json.decode(text)
        self.sent.append(payload)
        if payload["op"] == 1:
            self.beats.append(asyncio.get_running_loop().time())
            self.say({"op": 11})
        elif payload["op"] in (2, 6):
            ready = {"session_id": "s", "resume_gateway_url": "ws://resume"}
            self.say({"op": 0, "s": 1, "t": "READY" if payload["op"] == 2 else "RESUMED", "d": ready})

    def close(self, code: int) -> None:
        self.closed = code
        self.inbox.put_nowait(WireClosed(code))

    def drop(self) -> None:
        self.inbox.put_nowait(WireClosed(None))


class FakeLinks:
    """Gives out wires; `urls` says where they were dialled."""

    def __init__(self, *wires: FakeWire) -> None:
        self.wires = list(wires)
        self.urls: list[str] = []

    async def connect(self, url: str) -> FakeWire:
        self.urls.append(url)
        if not self.wires:
            raise LinkBroken("nobody there", False)
        return self.wires.pop(0)


class Toil(Message, frozen=True):
    """Work to do, which makes as much again."""

    number: int


class Toiler(Shell):
    """An actor with a gateway line and a mailbox that never gets empty."""

    ACCEPTS = (LineMade, LineLost, FrameCame, LineDue, Toil)

    def __init__(self) -> None:
        super().__init__()
        self.toiled = 0
        self.resting = False
        self.events: list[Event] = []
        self.permits: list[Callable[[float], None]] = []

    def on_start(self) -> None:
        permit: Any = SimpleNamespace(ask=self.permits.append)
        self.line = GatewayLine(self, Identity("t"), "ws://base", self.saved(), permit, "zlib-stream")
        self.line.open()

    def saved(self) -> SavedSession | None:
        return None

    def _hear(self, news: Any, sender: Any) -> None:
        self.events += self.line.receive(news)

    receiveMsg_LineMade = receiveMsg_LineLost = receiveMsg_FrameCame = receiveMsg_LineDue = _hear

    def receiveMsg_Toil(self, toil: Toil, sender: Any) -> None:
        self.toiled += 1
        if not self.resting:
            self.post(toil)


class Resumer(Toiler):
    """One that has a session."""

    def saved(self) -> SavedSession | None:
        return SavedSession("s", 1, "ws://resume")


def toil(
    scene: Callable[[LoopBase, Any], Coroutine[Any, Any, None]], *wires: FakeWire, actor: type[Toiler] = Resumer
) -> None:
    async def main() -> None:
        process = process_for(read(CONFIG, {}), Path("."))
        process.links = FakeLinks(*wires)  # type: ignore[assignment]
        base = run_on(asyncio.get_running_loop(), process=process)
        address = base.create(actor, "toiler")
        base.tell("toiler", Start("toiler"))
        try:
            await scene(base, address.record)
        finally:
            await base.stop()

    asyncio.run(main())


async def until(condition: Callable[[], bool], limit_s: float = 20.0) -> None:
    async with asyncio.timeout(limit_s):
        while not condition():  # noqa: ASYNC110  the wire and the actor know nothing of events
            await asyncio.sleep(0.005)


@pytest.mark.timeout(60)
def test_beats_go_out_on_time_and_are_acknowledged_while_the_mailbox_never_gets_empty() -> None:
    wire = FakeWire()

    async def scene(base: LoopBase, record: Any) -> None:
        await until(lambda: bool(wire.beats))
        for number in range(SHARE):
            base.tell("toiler", Toil(number))
        before = record.instance.toiled
        wire.beats.clear()
        await until(lambda: len(wire.beats) == BEATS)
        actor = record.instance
        gaps = [after - earlier for earlier, after in pairwise(wire.beats)]
        late_s = max(abs(gap - INTERVAL_S) for gap in gaps)
        assert late_s < LATE_S_MAX, f"{actor.toiled - before} messages meanwhile"
        assert actor.toiled - before > SHARE, "it was to work hard meanwhile"
        assert not any(isinstance(event, Hangup) for event in actor.events), "each ACK was taken in time"
        actor.resting = True

    toil(scene, wire)


def test_an_op_1_is_answered_before_the_mailbox_is_empty() -> None:
    wire = FakeWire()

    async def scene(base: LoopBase, record: Any) -> None:
        await until(lambda: any(payload["op"] == 6 for payload in wire.sent))
        actor = record.instance
        await until(lambda: actor.line.is_live)
        for number in range(SHARE):
            base.tell("toiler", Toil(number))
        actor.resting, beats = True, len(wire.beats)
        wire.say({"op": 1, "d": None})
        await until(lambda: len(wire.beats) > beats)
        assert actor.toiled < SHARE

    toil(scene, wire)


@pytest.mark.parametrize("wait_s", [0.0, 30.0])
def test_a_new_session_waits_for_its_permit(wait_s: float) -> None:
    wire = FakeWire()

    async def scene(base: LoopBase, record: Any) -> None:
        await until(lambda: bool(record.instance.permits))
        actor = record.instance
        assert not any(payload["op"] == 2 for payload in wire.sent)
        actor.permits[0](wait_s)
        await until(lambda: bool(actor.events) and isinstance(actor.events[-1], Hangup if wait_s else Ready))
        assert (wire.closed == 4000) == (wait_s > 0)
        actor.permits[0](0.0)  # an answer that comes twice, or to a connection that is another by now
        assert sum(payload["op"] == 2 for payload in wire.sent) == (wait_s == 0)

    toil(scene, wire, actor=Toiler)


def test_a_dead_actor_s_line_beats_no_more() -> None:
    wire = FakeWire()

    async def scene(base: LoopBase, record: Any) -> None:
        await until(lambda: bool(wire.beats))
        line = record.instance.line
        record.crash(RuntimeError("a test wants it"))
        await until(lambda: line._timer is None)
        beats = len(wire.beats)
        await asyncio.sleep(1.5 * INTERVAL_S)
        assert len(wire.beats) == beats

    toil(scene, wire)
