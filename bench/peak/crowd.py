"""Crowd: all users of the peak in one process of its own: `python -m bench.peak.crowd PORT PLAN BOOK`.

PLAN is JSON, BOOK the file the ledger is written to at the end. Says on stdout, a line each: `connected S`, `begun T`,
`sent T`, `settled T`, `looked S`, and each second in between `done T JOBS REFUSED`; T by the monotonic clock, S in
seconds. Begins when it reads a line.

A user who keeps a socket hears everything as it happens. One who does not comes to order, resumes, goes when the order
is acknowledged, and comes again at the end to hear what became of it.
"""

from __future__ import annotations

import asyncio
import gc
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgpack
import msgspec
import uvloop

from bench.files import raise_file_limit
from bench.house import key_of_user
from bench.peak.book import Book
from bench.peak.looks import look_at_all
from bench.peak.plan import Plan, prompt_of, schedule
from bench.peak.wire import CLOSE, PING, PONG, masked, said, split, type_of, upgrade_request

HOST = "127.0.0.1"
CONNECTING_AT_ONCE = 100
#: In a closed loop: orders without an answer, all users together.
UNANSWERED_MAX = 64
REDIAL_S = 1.0
LOOK_S = 0.25
COUNT_S = 1.0
GOODBYE = masked((1000).to_bytes(2, "big"), CLOSE)
#: What is only counted: it tells nothing that a ledger needs.
PASSING = {b"progress": "progress", b"queued": "queued", b"notice": "notice"}


class Customer(asyncio.Protocol):
    """One user and, at times, a socket of theirs."""

    __slots__ = ("_crowd", "_rest", "_state", "_transport", "_user", "after", "stays", "unanswered", "waiting")

    def __init__(self, crowd: Crowd, user: int, stays: bool) -> None:
        self._crowd, self._user, self.stays = crowd, user, stays
        self._rest, self._state = b"", "away"
        self._transport: Any = None
        self.after = self.unanswered = 0
        self.waiting: list[int] = []

    # --- the connection --------------------------------------------------------------------------------------

    def come(self) -> None:
        """Opens a socket if there is none."""
        if self._state == "away":
            self._state = "coming"
            self._crowd.dial(self)

    def connection_made(self, transport: Any) -> None:
        self._transport = transport
        transport.write(upgrade_request(self._crowd.port, key_of_user(self._user)))

    def data_received(self, data: bytes) -> None:
        data = self._rest + data if self._rest else data
        if self._state == "coming":
            head, end, data = data.partition(b"\r\n\r\n")
            if not end:
                self._rest = head
                return
            if b" 101 " not in head.split(b"\r\n")[0]:
                self._crowd.trouble(head.split(b"\r\n")[0].decode())
                self._transport.abort()
                return
            self._state = "greeting"
        frames, self._rest = split(data)
        for opcode, payload in frames:
            self._hear(opcode, payload)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._state != "leaving":
            self._crowd.trouble("sockets lost")
            if self.stays or self.waiting or self.unanswered:
                self._crowd.later(REDIAL_S, self.come)
        self._state, self._rest = "away", b""
        if self.waiting:
            self.come()

    # --- frames ----------------------------------------------------------------------------------------------

    def _hear(self, opcode: int, payload: bytes) -> None:
        if opcode == PING:
            self._transport.write(masked(payload, PONG))
            return
        if opcode == CLOSE:
            self._transport.close()
            return
        kind = type_of(payload)
        if kind in PASSING:
            self._crowd.passing(PASSING[kind])
        else:
            self._hear_frame(msgpack.unpackb(payload))

    def _hear_frame(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "welcome":
            if self.after == frame["seq"] or (self.after == 0 and self.stays):
                self._be_there()
            else:
                self._state = "resuming"
                self._transport.write(said({"type": "resume", "after": self.after}))
        elif kind in ("resumed", "reset"):
            self.after = max(self.after, frame["seq"])
            self._be_there()
        else:
            if kind != "error":
                self.after = max(self.after, frame["seq"])
            if kind in ("accepted", "error"):
                self.unanswered -= 1
            self._crowd.heard(frame)
            self._perhaps_leave()

    def _be_there(self) -> None:
        self._state = "there"
        self._crowd.arrived()
        waiting, self.waiting = self.waiting, []
        for number in waiting:
            self.order(number)
        self._perhaps_leave()

    def order(self, number: int) -> None:
        """Now if a socket is open, else as soon as one is."""
        if self._state != "there":
            self.waiting.append(number)
            self.come()
            return
        self.unanswered += 1
        self._crowd.book.send(number, time.monotonic())
        self._transport.write(said({"type": "draw", "ref": str(number), "prompt": prompt_of(number)}))

    def _perhaps_leave(self) -> None:
        if not self.stays and self._state == "there" and not self.waiting and self.unanswered <= 0:
            self._state = "leaving"
            self._transport.write(GOODBYE)


class Crowd:
    """Everybody, and the clock that says who orders when."""

    def __init__(self, plan: Plan, port: int) -> None:
        self.plan, self.port = plan, port
        self.book = Book(*schedule(plan), plan.look_each)
        self.people = [Customer(self, user, user < plan.always_open) for user in range(plan.users)]
        self.heard_at = time.monotonic()
        self.begun_at = self.cpu_s = 0.0
        self._here = self._next = self._dialling = 0
        self._queue: list[Customer] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    # --- sockets ---------------------------------------------------------------------------------------------

    def dial(self, customer: Customer) -> None:
        """Connects, CONNECTING_AT_ONCE at a time."""
        self._queue.append(customer)
        self._dial_more()

    def _dial_more(self) -> None:
        while self._queue and self._dialling < CONNECTING_AT_ONCE:
            self._dialling += 1
            task = self._loop.create_task(self._connect(self._queue.pop()))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self, customer: Customer) -> None:
        try:
            await self._loop.create_connection(lambda: customer, HOST, self.port)
        except OSError as error:
            self.trouble(f"connections refused: {type(error).__name__}")
            customer.connection_lost(error)
        finally:
            self._dialling -= 1
            self._dial_more()

    def arrived(self) -> None:
        """A socket is open and up to date."""
        self._here += 1

    def trouble(self, what: str) -> None:
        """Something that should not be, to be reported by its number."""
        self.book.wrong[what] += 1

    def later(self, delay_s: float, call: Callable[[], None]) -> None:
        """Once, after a while."""
        self._loop.call_later(delay_s, call)

    async def gather(self) -> None:
        """Everybody who stays is there. Raises TimeoutError."""
        for customer in self.people[: self.plan.always_open]:
            customer.come()
        await until(lambda: self._here >= self.plan.always_open)

    # --- orders ----------------------------------------------------------------------------------------------

    def heard(self, frame: dict[str, Any]) -> None:
        """Of a job of somebody's."""
        self.heard_at = now = time.monotonic()
        self.book.hear(frame, now)
        if self.plan.closed_loop and self.begun_at:
            self._fill()

    def passing(self, kind: str) -> None:
        """Something happens, and that is all there is to it."""
        self.heard_at = time.monotonic()
        self.book.frames[kind] += 1

    async def order_all(self) -> None:
        """Every job by the schedule, or as fast as the closed loop allows; returns when all were sent."""
        self.begun_at = self.heard_at = time.monotonic()
        self.cpu_s = time.process_time()
        if self.plan.closed_loop:
            self._fill()
            await until(lambda: self.book.sent_count == self.plan.jobs or self._silent())
            return
        for number, due in enumerate(self.book.due):
            wait_s = self.begun_at + due - time.monotonic()
            if wait_s > 0:
                await asyncio.sleep(wait_s)
            self.people[self.book.senders[number]].order(number)

    def _fill(self) -> None:
        book, plan = self.book, self.plan
        while (
            self._next < plan.jobs
            and self._next - book.answered_count < UNANSWERED_MAX
            and (plan.hold or book.under_way < plan.backlog)
        ):
            self._next += 1
            self.people[book.senders[self._next - 1]].order(self._next - 1)

    async def settle(self) -> None:
        """Returns when every job has ended (with `hold`: was answered), or nothing has happened for `settle_s`."""
        await until(lambda: self.book.answered_count == self.plan.jobs or self._silent())
        if self.plan.hold:
            return
        for customer in self.people:
            if not customer.stays:
                customer.stays = True
                customer.come()
        await until(lambda: self.book.settled_count == self.plan.jobs or self._silent())

    async def count(self) -> None:
        """Says how many jobs have ended and how many were refused, until cancelled."""
        while True:
            refused = self.book.refused.total()
            say("done", time.monotonic(), self.book.settled_count - refused, refused)
            await asyncio.sleep(COUNT_S)

    def _silent(self) -> bool:
        return time.monotonic() - self.heard_at > self.plan.settle_s


async def until(holds: Callable[[], bool]) -> None:
    """Returns soon after it holds. An event set by each frame would cost the client more."""
    while not holds():  # noqa: ASYNC110
        await asyncio.sleep(LOOK_S)


async def live(port: int, plan: Plan, path: Path) -> None:
    """See the module's docstring."""
    crowd, made_at = Crowd(plan, port), time.monotonic()
    gc.freeze()
    async with asyncio.timeout(plan.settle_s + plan.users / 100):
        await crowd.gather()
    say("connected", time.monotonic() - made_at)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    say("begun", time.monotonic())
    counting = asyncio.create_task(crowd.count())
    await crowd.order_all()
    say("sent", time.monotonic())
    await crowd.settle()
    settled_at = time.monotonic()
    counting.cancel()
    cpu_s = time.process_time() - crowd.cpu_s
    say("settled", settled_at)
    looked = await look_at_all(f"http://{HOST}:{port}", crowd.book) if not plan.hold else {}
    crowd.book.save(path, {"begun": crowd.begun_at, "settled": settled_at, "cpu_s": cpu_s, "looked": looked})
    say("looked", time.monotonic() - settled_at)
    await asyncio.get_running_loop().run_in_executor(
        None, sys.stdin.readline
    )  # sockets stay open until the parent ends


def say(what: str, *figures: float) -> None:
    """A line for the parent."""
    print(what, *figures, flush=True)


if __name__ == "__main__":
    raise_file_limit()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(live(int(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Plan), Path(sys.argv[3])))
