"""A customer of a daemon that is killed again and again: orders by WebSocket and HTTP, and writes down what it is told.

What a customer believes in is its own ledger: which orders were acknowledged as which job, and every stored event by
its seq. An order whose answer was lost is sent again under its ref, by either door; so are some that were answered.
Whatever contradicts the ledger is a violation and is kept in words. It knows nothing of Limner's code.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgpack

STORED_EVENTS = frozenset({"accepted", "started", "done", "failed", "cancelled"})
ENDS = frozenset({"done", "failed", "cancelled"})
#: Refusals that tell to come back.
LATER = frozenset({"draining", "no_account", "queue_full", "rate_limited", "too_many_jobs"})
PROMPTS = ("a red fox in snow", "a red fox in snow", "a boat", "an old tree", "a lighthouse in a storm, oil")
ACTIONS = frozenset({"upscale", "vary"})
SUBPROTOCOLS = ("limner.v1.msgpack", "limner.v1.json")
ANSWER_S_MAX = 12.0
AWAY_S = 0.1
#: Some stay away while their orders by HTTP go on, and some hang up by themselves: there is something to resume.
LONG_AWAY_CHANCE, LONG_AWAY_S_MAX = 0.1, 5.0
HANG_UP_CHANCE = 0.005
LATER_S = 0.5


@dataclass
class Order:
    """What was asked for under a ref. `job`: as it was first acknowledged; `asked_at`: when it was last sent."""

    ref: str
    by: str
    body: dict[str, Any]
    job: str | None = None
    asked_at: float = float("-inf")
    again_at: float = 0.0

    def frame(self) -> dict[str, Any]:
        """As a WebSocket frame."""
        return {"type": "act" if "action" in self.body else "draw", "ref": self.ref, **self.body}

    def request(self) -> dict[str, Any]:
        """As the body of a POST."""
        body = dict(self.body)
        if "action" in body:
            body["parent"] = body.pop("job")
        return body


@dataclass
class Ledger:
    """What a customer has been told. `after`: the newest seq up to which all events are here."""

    orders: dict[str, Order] = field(default_factory=dict)
    jobs: dict[str, Order] = field(default_factory=dict)
    events: dict[int, dict[str, Any]] = field(default_factory=dict)
    ends: dict[str, dict[str, Any]] = field(default_factory=dict)
    after: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)


class Customer:
    """One user: `live()` until `close()` and nothing is open."""

    def __init__(
        self, name: str, key: str, url: Callable[[], str], saw: Callable[[str], None], dice: random.Random, backlog: int
    ) -> None:
        self.name, self.key, self.url, self.saw, self.dice, self.backlog = name, key, url, saw, dice, backlog
        self.book = Ledger()
        self.closing = False
        #: Orders that were not acknowledged yet.
        self.waiting: dict[str, Order] = {}
        self.parents: list[tuple[str, dict[str, Any]]] = []
        self.resuming: set[int] | None = None

    @property
    def open(self) -> int:
        """Orders that have not ended, as far as we know."""
        return len(self.book.orders) - len(self.book.ends)

    @property
    def is_settled(self) -> bool:
        """Whether every order was acknowledged and has ended."""
        return all(order.job in self.book.ends for order in self.book.orders.values())

    async def live(self) -> None:
        """By both doors, until cancelled."""
        headers = {"Authorization": f"Bearer {self.key}"}
        timeout = aiohttp.ClientTimeout(total=ANSWER_S_MAX)
        async with aiohttp.ClientSession(headers=headers, timeout=timeout) as http, asyncio.TaskGroup() as doors:
            doors.create_task(self._by_websocket(http))
            doors.create_task(self._by_http(http))

    # --- the WebSocket ---------------------------------------------------------------------------------------

    async def _by_websocket(self, http: aiohttp.ClientSession) -> None:
        while True:
            subprotocol = self.dice.choice(SUBPROTOCOLS)
            try:
                async with http.ws_connect(self.url() + "/ws", protocols=[subprotocol], max_msg_size=0) as socket:
                    await self._converse(socket, subprotocol == SUBPROTOCOLS[0])
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.book.counts["connections cut"] += 1
            long = self.dice.random() < LONG_AWAY_CHANCE and not self.closing
            await asyncio.sleep(self.dice.uniform(0.0, LONG_AWAY_S_MAX) if long else AWAY_S)

    async def _converse(self, socket: aiohttp.ClientWebSocketResponse, packed: bool) -> None:
        async def say(frame: dict[str, Any]) -> None:
            await (socket.send_bytes(msgpack.packb(frame)) if packed else socket.send_str(json.dumps(frame)))

        talk: asyncio.Task[None] | None = None
        self.resuming = set()
        try:
            async for message in socket:
                if message.type not in (aiohttp.WSMsgType.BINARY, aiohttp.WSMsgType.TEXT):
                    break
                frame = msgpack.unpackb(message.data) if packed else json.loads(message.data)
                if frame["type"] == "welcome":
                    await say({"type": "resume", "after": self.book.after})
                elif frame["type"] == "resumed":
                    self._claim(frame["seq"] == self.book.after, f"resumed {frame['seq']} at {self.book.after}")
                    self.resuming = None
                    talk = asyncio.create_task(self._talk(say, socket.close))
                else:
                    self._hear(frame)
        finally:
            if talk is not None:
                talk.cancel()
                await asyncio.gather(talk, return_exceptions=True)

    async def _talk(self, say: Callable[[dict[str, Any]], Any], hang_up: Callable[[], Any]) -> None:
        for order in self.waiting.values():
            order.asked_at = float("-inf")  # its answer went with the connection
        while True:
            for order in self._due("ws"):
                await say(order.frame())
            if self.book.orders and self.dice.random() < 0.05:
                await say(self.dice.choice(list(self.book.orders.values())[-30:]).frame())
                self.book.counts["refs sent again"] += 1
            if self.book.jobs and not self.closing and self.dice.random() < 0.01:
                await say({"type": "cancel", "job": self.dice.choice(list(self.book.jobs)[-20:])})
            if self.dice.random() < HANG_UP_CHANCE:
                await hang_up()
                return
            await asyncio.sleep(self.dice.uniform(0.02, 0.3))

    def _hear(self, frame: dict[str, Any]) -> None:
        kind = frame["type"]
        if kind == "error":
            self._refused(self.book.orders.get(frame["ref"] or ""), frame["code"], frame["message"])
        elif kind in STORED_EVENTS:
            self._event(frame)
            if kind == "accepted":
                self._acknowledged(frame["ref"], frame["job"])
        elif kind == "progress":
            self._claim(frame["job"] not in self.book.ends, f"progress of {frame['job']} after its end")
        elif kind == "reset":
            self._claim(False, f"a reset to {frame['seq']}, we are at {self.book.after}")
        self.saw(kind)

    def _event(self, frame: dict[str, Any]) -> None:
        """A stored event: the next one, exactly once. Only while we resume, one may come live and again replayed."""
        seq, book = frame["seq"], self.book
        if seq == book.after + 1:
            book.after = seq
            book.events[seq] = frame
            if self.resuming is not None:
                self.resuming.add(seq)
                book.counts["events replayed"] += 1
            if frame["type"] in ENDS:
                self._claim(frame["job"] not in book.ends, f"{frame['job']} has two ends: {frame}")
                book.ends[frame["job"]] = frame
                if frame["type"] == "done":
                    self.parents.append((frame["job"], frame))
        elif frame["type"] == "accepted" and frame == book.events.get(seq):
            book.counts["refs answered again"] += 1
        elif self.resuming is not None and (seq > book.after or seq in self.resuming):
            self.resuming.discard(seq)
        else:
            self._claim(False, f"event {seq} ({frame['type']} of {frame['job']}) came when we were at {book.after}")

    # --- HTTP ------------------------------------------------------------------------------------------------

    async def _by_http(self, http: aiohttp.ClientSession) -> None:
        while True:
            try:
                if not self.closing and self.open < self.backlog:
                    self._new_order()
                for order in self._due("http"):
                    await self._post(http, order)
                if self.book.jobs and not self.closing and self.dice.random() < 0.02:
                    job = self.dice.choice(list(self.book.jobs)[-20:])
                    async with http.delete(f"{self.url()}/api/v1/jobs/{job}") as answer:
                        self._claim(answer.status in (202, 409, 503), f"cancel of {job}: HTTP {answer.status}")
                if self.book.orders and self.dice.random() < 0.03:
                    await self._post(http, self.dice.choice(list(self.book.orders.values())[-30:]))
                    self.book.counts["refs sent again"] += 1
            except (aiohttp.ClientError, OSError, TimeoutError):
                self.book.counts["requests cut"] += 1
            await asyncio.sleep(self.dice.uniform(0.02, 0.2))

    async def _post(self, http: aiohttp.ClientSession, order: Order) -> None:
        headers = {"Idempotency-Key": order.ref}
        async with http.post(f"{self.url()}/api/v1/jobs", json=order.request(), headers=headers) as answer:
            found = await answer.json(content_type=None)
        if answer.status == 202:
            self._acknowledged(order.ref, found["job"])
            self.saw("accepted")
        else:
            self._refused(order, found["code"], f"HTTP {answer.status}: {found['detail']}")

    # --- orders ----------------------------------------------------------------------------------------------

    def _new_order(self) -> None:
        number = len(self.book.orders) + 1
        by = "ws" if self.dice.random() < 0.6 else "http"
        body: dict[str, Any] = {"prompt": self.dice.choice(PROMPTS), "mode": "fast"}
        if self.parents and self.dice.random() < 0.12:
            job, done = self.dice.choice(self.parents[-20:])
            actions = [each for each in done["actions"] if each["action"] in ACTIONS]
            if actions:
                action = self.dice.choice(actions)
                body = {"job": job, "action": action["action"], "index": action["index"]}
        elif self.dice.random() < 0.05:
            body |= {"kind": "shorten"}
        ref = f"{self.name}-{number}"
        self.book.orders[ref] = self.waiting[ref] = Order(ref, by, body)

    def _due(self, door: str) -> list[Order]:
        """Orders of this door that wait for an acknowledgement and may be sent (again) now; they count as sent."""
        now = time.monotonic()
        waiting = [each for each in self.waiting.values() if each.by == door and each.again_at <= now]
        due = [each for each in waiting if now - each.asked_at > ANSWER_S_MAX or door == "http"]
        for order in due:
            order.asked_at = now
        return due

    def _acknowledged(self, ref: str, job: str) -> None:
        order = self.book.orders.get(ref)
        if order is None:
            self._claim(False, f"{job} was accepted under {ref}, which is no ref of ours")
        elif order.job is None:
            self._claim(job not in self.book.jobs, f"{job} is two orders: {ref}, {self.book.jobs.get(job)}")
            order.job = job
            self.book.jobs[job] = order
            del self.waiting[ref]
        else:
            self._claim(order.job == job, f"{ref} was {order.job} and is now {job}")

    def _refused(self, order: Order | None, code: str, message: str) -> None:
        self.book.counts[f"refused {code}"] += 1
        if code in LATER and order is not None:
            order.asked_at, order.again_at = float("-inf"), time.monotonic() + LATER_S
        elif order is not None or code not in ("not_cancellable", *LATER):
            ref = order.ref if order is not None else None
            self._claim(False, f"{ref} ({order.job if order else None}) was refused: {code}: {message}")

    def _claim(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.book.violations.append(f"{self.name}: {otherwise}")
