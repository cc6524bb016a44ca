"""`python -m tests.city.ten_thousand`: 10,000 drawings through the worst channel: 0 swapped, 0 doubled, 0 stuck.

The whole daemon's actors on the virtual loop, as in peak.py, before a Discord that behaves badly the whole day: few
prompts, so that most of what is drawn at once was asked for in the same words; prompts rewritten; the start message
deleted late, early or never; results with and without metadata and nonce; events late, twice, out of order and lost;
answers and submissions lost; gateway sessions that must be resumed, or end. Grids are acted upon: upscales with a
number, variations, redraws. Some drawings fail for want of evidence, which is what they should do: all must end, each
once, and each picture must be its own job's. Prints the figures; exit code 1 when something did not hold.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import sys
import tempfile
import time
from array import array
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from actors.process import Process
from core.config import AccountConfig, Config, Plan, Secret
from core.config import Discord as DiscordConfig
from protocol.client import Accepted, Act, Cancelled, Done, Draw, Failed, Started
from storage.database import open_database
from tests.city.bot import Bot, Piece
from tests.city.clock import SlowThread
from tests.city.crowd import Crowd, Customer, Ledger
from tests.city.discord import GUILD, Discord, Resident, Row
from tests.city.gateway import URL
from tests.city.ground import SHM, quiet, template
from tests.city.peak import HEARTBEAT_MS, Peak, PeakLoop, Size, _end
from tests.city.ruler import PeakPictures, PeakWitness
from tests.city.weather import MOST, Weather
from tests.city.witness import Witness

#: What strikes, as a chance a time; all else of the weather never does.
CHANCES = {
    "event_late": 0.3,
    "event_twice": 0.2,
    "event_lost": 0.01,
    "final_with_nonce": 0.2,
    "start_deleted_early": 0.25,
    "start_deleted_late": 0.3,
    "start_not_deleted": 0.25,
    "metadata_dropped": 0.2,
    "job_queued": 0.05,
    "post_unsent": 0.01,
    "post_lost": 0.01,
    "answer_lost": 0.05,
    "answer_5xx": 0.02,
    "refused_5xx": 0.01,
    "slow_request": 0.02,
    "connect_refused": 0.05,
    "resume_cut": 0.05,
}
PROMPTS = ("a red fox", "a red fox", "a red fox", "the sea https://pictures.city/sea.png")
#: The share of results that somebody acts upon, and how.
ACTS_SHARE = 0.4
ACTS = ("upscale", "upscale", "variation", "reroll")
#: Some session is asked to resume, and some session is ended, each so many seconds on average.
RESUME_EACH_S, LOSE_EACH_S = 20.0, 90.0
#: By these a failure says that evidence was missing; any other here would be a fault of ours.
WANTING = frozenset({"undecided", "upstream_timeout"})


class BadWeather(Weather):
    """The chances above, the whole day."""

    def __init__(self, dice: random.Random) -> None:
        super().__init__(dice)
        self.chance = dict.fromkeys(MOST, 0.0) | CHANCES


class WildBot(Bot):
    """As observed at its worst."""

    def _finish(self, piece: Piece) -> None:
        if self.weather.strikes("start_deleted_early"):
            self._delete(piece)
        super()._finish(piece)

    def _message(self, piece: Piece, **fields: Any) -> dict[str, Any]:
        message = super()._message(piece, **fields)
        if int(piece.hash[:2], 16) < 256 * CHANCES["metadata_dropped"]:  # some drawings show none, from first to last
            del message["interaction_metadata"]
        return message


@dataclass(eq=False)
class Book(Ledger):
    """What all users have seen, with failures."""

    def __post_init__(self) -> None:
        self.codes = Counter[str]()
        self.kinds = Counter[str]()

    @property
    def failed(self) -> int:
        return self.codes.total()


class Patron(Customer):
    """A user who also acts upon results, and to whom a drawing may fail."""

    __slots__ = ()

    crowd: Mob

    def send(self, words: Any) -> None:
        """As Customer.send."""
        if isinstance(words, Failed | Cancelled):
            self.crowd.ledger.frames[type(words).__name__] += 1
            self._learn(words)
        else:
            super().send(words)

    def _learn(self, event: Any) -> None:
        if event.seq <= self.seq:
            self._claim(isinstance(event, Accepted), f"event {event.seq} came twice")
            return
        self._claim(event.seq == self.seq + 1, f"event {event.seq} comes after {self.seq}")
        self.seq = event.seq
        book, now = self.crowd.ledger, self.crowd.loop.time()
        if isinstance(event, Accepted):
            asked = self.asked.pop(event.ref or "", None)
            self._claim(asked is not None, f"{event.job} was never asked for (ref {event.ref})")
            self.open[event.job] = now
            book.accepted += 1
            return
        self._claim(event.job in self.open, f"{type(event).__name__} of {event.job}, which is none of theirs")
        if isinstance(event, Started):
            return
        book.lasts[self.kind].append(now - self.open.pop(event.job, now))
        if isinstance(event, Done):
            book.done += 1
            self._claim(len(event.images) == 1, f"{event.job} has {len(event.images)} pictures")
            for image in event.images:
                book.picture(event.job, image.id)
            self._maybe_act(event)
        else:
            book.codes[event.code] += 1
            self._claim(event.code in WANTING, f"{event.job} failed: {event.code}: {event.message}")
            self._claim(not event.charged, f"{event.job} failed ({event.code}) and is charged")

    def _maybe_act(self, done: Done) -> None:
        dice, offered = self.crowd.dice, {(offer.action, offer.index) for offer in done.actions}
        if not self.crowd.left or dice.random() >= ACTS_SHARE:
            return
        action = dice.choice(ACTS)
        index = None if action == "reroll" else dice.randint(1, 4)
        if (action, index) in offered:
            self._want(lambda ref: Act(ref, done.job, action, index), action)

    def order(self) -> None:
        """One more drawing, unless enough were ordered."""
        prompt = PROMPTS[self.crowd.dice.randrange(len(PROMPTS))]
        self._want(lambda ref: Draw(ref, prompt), "imagine")

    def _want(self, make: Callable[[str], Any], kind: str) -> None:
        if self.crowd.left:
            self.orders += 1
            order = make(f"{self.name}/{self.orders}")
            self.asked[order.ref] = (order, self.crowd.loop.time())
            self.crowd.ledger.ordered += 1
            self.crowd.ledger.kinds[kind] += 1
            self._ask(order)


class Mob(Crowd):
    """All users; no more than `most` orders are made. `held()`: what is in the daemon's hands."""

    ledger: Book

    def __init__(self, most: int, held: Callable[[], list[str]], *arguments: Any) -> None:
        super().__init__(*arguments)
        self.most, self.held = most, held
        self.heavy = []
        self.light = [Patron(self, number, "light") for number in range(len(self.light) + 1)]

    @property
    def left(self) -> int:
        """Orders yet to be made."""
        return self.most - self.ledger.ordered

    def _one(self) -> None:
        self.light[self.dice.randrange(len(self.light))].order()
        self._next()

    @property
    def unsettled(self) -> int:
        """Orders that have not come to their end, and work that nobody has let go of."""
        return self.ledger.ordered - self.ledger.done - self.ledger.failed or len(self.held())


class HardWitness(PeakWitness):
    """A witness in bad weather: an account may be behind, and drawings may be given up."""

    def _capacity(self, new: Row) -> None:
        self.look()
        Witness._capacity(self, new)

    def judge(self, book: Book) -> None:
        """At the end: every job has ended, once, and its user knows; nothing was drawn twice or for nobody."""
        self.look()
        self.quota()
        states = dict(self.query("SELECT state, count(*) FROM jobs GROUP BY 1"))
        should = {"done": book.done, "failed": book.failed}
        self.claim(states == {state: n for state, n in should.items() if n}, f"told are {should}, stored are {states}")
        self.claim(len(self.ends) == book.accepted, f"{len(self.ends)} ends were told of {book.accepted} jobs")
        (strange,) = self.query(
            "SELECT count(*) FROM jobs WHERE state = 'done' AND (SELECT count(*) FROM images WHERE images.job = jobs.id"
            ' AND images."user" = jobs."user") <> 1'
        )[0]
        self.claim(strange == 0, f"{strange} jobs that are done have not one picture of their user's")
        twice = [job for job, rows in self.drawn.items() if sum(row.outcome == "done" for row in rows) > 1]
        self.claim(not twice, f"drawn more than once: {twice[:5]}")


class TenThousand(Peak):
    """See the module's docstring."""

    def __init__(self, size: Size, loop: PeakLoop, folder: Path) -> None:
        self.size, self.loop = size, loop
        self.broken: list[str] = []
        self.over = asyncio.Event()
        names = [f"a{number:03}" for number in range(size.accounts)]
        # Two accounts share a channel: each sees what is drawn for the other.
        residents = [Resident(name, f"token-{name}", f"70{n}", f"80{n // 2}") for n, name in enumerate(names)]
        self.weather = BadWeather(self.dice("weather"))
        self.database = open_database(f"sqlite:///{folder}/limner.db")
        self.witness: HardWitness = HardWitness(self.database, dict.fromkeys(names, size.slots), self.break_off)
        self.discord = Discord(
            loop,  # type: ignore[arg-type]
            self.weather,
            self.dice("discord"),
            residents,
            self._note,
            self.witness.taken,
        )
        self.discord.rewrites, self.discord.drops_metadata = True, False
        self.discord.gateway.heartbeat_ms = HEARTBEAT_MS
        self.discord.bot = WildBot(self.discord)
        self.discord.bot.draw_s, self.discord.bot.running_max = size.draw_s, size.slots
        self.witness.discord = self.discord
        self.pictures = PeakPictures(self.break_off)
        config, url = self._config(names), str(self.database.engine.url)
        self.process = Process(config, Path(), self.discord, self.pictures, SlowThread(), database=url)
        self.ledger: Book = Book(self.break_off, self._look_at)
        crowd = (loop, self.dice("crowd"), size.users, self.ledger, self.process.sockets, self.tell_gate)
        self.crowd: Mob = Mob(size.jobs, self.held, *crowd)
        self.deaths: list[str] = []
        self.resumes = self.lost_sessions = 0
        self.queue_lengths, self.running, self.jains = array("l"), array("l"), array("d")

    def _config(self, names: list[str]) -> Config:
        size = self.size
        accounts = tuple(
            AccountConfig(name, Secret(f"token-{name}"), GUILD, f"80{n // 2}", "user", size.slots)
            for n, name in enumerate(names)
        )
        plans = {"free": Plan(1.0, daily=size.jobs, concurrent=size.accounts * size.slots, queued=size.jobs)}
        where = DiscordConfig(api="http://127.0.0.1/api/v10", gateway=URL, cdn="http://127.0.0.1/cdn")
        return Config(discord=where, accounts=accounts, plans=plans)

    async def _reconnect(self) -> None:
        """Sessions are asked to resume, and now and then one ends: then what was missed is read in the channel."""
        dice, gateway = self.dice("reconnects"), self.discord.gateway
        while True:
            await asyncio.sleep(dice.expovariate(1.0 / RESUME_EACH_S + 1.0 / LOSE_EACH_S))
            wire = gateway.wire_of(dice)
            if wire is None or self.weather.over:
                continue
            if dice.random() < RESUME_EACH_S / (RESUME_EACH_S + LOSE_EACH_S):
                gateway.invalidate(wire, can_resume=False)
                self.lost_sessions += 1
            else:
                gateway.ask_to_reconnect(wire)
                self.resumes += 1

    def held(self) -> list[str]:
        """What is in somebody's hands, in words."""
        holders = {name: record.instance for name, record in self.base.names.items() if name.startswith("account/")}
        held = [f"{name} holds {list(account.works)}" for name, account in holders.items() if account.works]
        held += [f"{name} was not acknowledged" for name, account in holders.items() if len(account.outbox)]
        queue = self.base.names.get("queue")
        return held + [f"the queue holds {job}" for job in (queue.instance.jobs if queue is not None else ())]

    def _judge(self) -> None:
        book, witness = self.ledger, self.witness
        witness.claim(book.ordered == self.size.jobs, f"{book.ordered} of {self.size.jobs} were ordered")
        witness.claim(book.accepted == book.ordered, f"{book.accepted} of {book.ordered} were accepted")
        witness.claim(
            book.done + book.failed == book.accepted, f"{book.accepted} accepted, {book.done} done, {book.codes}"
        )
        witness.claim(not (held := self.held()), f"still held: {held[:5]}")
        witness.judge(book)


def run(size: Size) -> TenThousand:
    """One day; its figures are in what it leaves."""
    loop = PeakLoop(size.seed)
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as name, quiet():
        shutil.copy(template(), Path(name) / "limner.db")
        asyncio.set_event_loop(loop)
        day = TenThousand(size, loop, Path(name))
        day.populate()
        try:
            with patch("actors.store.ThreadPoolExecutor", SlowThread):
                loop.run_until_complete(day.live())
        finally:
            _end(day)
    return day


def told(day: TenThousand, cpu_s: float) -> str:
    """The figures for people."""
    book, ledger = day.ledger, day.discord.ledger
    nonces = Counter(row.nonce for row in ledger)
    late = sum(rows.outcome == "done" for rows in ledger) - book.done
    lines = [
        f"{book.done} of {book.accepted} accepted of {book.ordered} ordered are done; failed: {dict(book.codes) or 0}",
        f"asked for: {dict(book.kinds)}; interactions taken {len(ledger)}, nonces seen twice"
        f" {sum(count > 1 for count in nonces.values())}, drawn after their job was given up {late}",
        f"{day.resumes} sessions asked to resume, {day.lost_sessions} ended; killed: {', '.join(day.deaths)}",
        f"{day.loop.time():.0f} virtual s, {cpu_s:.0f} s of CPU",
    ]
    lines += [f"BROKEN at {what}" for what in day.broken] or ["0 swapped, 0 doubled, 0 stuck"]
    return "\n".join(lines)


DAY = Size(jobs=10_000, users=300, hours=2.0, accounts=20, slots=4, deaths=8, draw_s=(15.0, 40.0))


def main() -> int:
    """The exit code: 1 when something did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.city.ten_thousand", description=__doc__.partition("\n")[0])
    for name, value in asdict(DAY).items():
        if isinstance(value, int | float):
            parser.add_argument(f"--{name}", type=type(value), default=value)
    size = Size(**(asdict(DAY) | vars(parser.parse_args())))
    began = time.process_time()
    day = run(size)
    print(told(day, time.process_time() - began))
    return 1 if day.broken else 0


if __name__ == "__main__":
    sys.exit(main())
