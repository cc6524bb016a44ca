"""The auditor: what every job was worth, by the book: charges, days, refunds, limits, and what was drawn from what.

It looks when the witness has looked, after each commit and with each interaction, and reads the database too.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from typing import Any

import msgspec

from core.config import Config
from core.job import FREE_ACTIONS, FREE_KINDS, TERMINAL, WAITING, State
from core.quota import day_of
from protocol.client import Act, Cancelled, Done, Draw, Failed
from tests.city.clock import CityLoop
from tests.city.discord import Row, leading_addresses
from tests.city.witness import Witness

#: Failures that the user could have foreseen; all others are refunded.
FORESEEN = frozenset({"banned_prompt"})
NOW_AND_ON = float("inf")
#: What is decided in one transaction was asked for within so long.
GATHERED_S_MAX = 30.0
MODES = frozenset({"--fast", "--relax", "--turbo"})
#: States in which a job takes one of its user's places.
RUNNING = frozenset({State.GRANTED, State.SUBMITTING, State.UNDECIDED, State.DRAWING})


def is_told(kind: str, action: str | None) -> bool:
    """Whether an order is answered in words, and so costs nothing."""
    return kind in FREE_KINDS or action in FREE_ACTIONS


class Auditor:
    """One a city. `labels`: owner and label of every picture that a citizen has given, by its id or address."""

    def __init__(self, witness: Witness, config: Config, loop: CityLoop) -> None:
        self.witness, self.config, self.loop = witness, config, loop
        self.claim = witness.claim
        self.labels: dict[str, tuple[str, str]] = {}
        self.owners: dict[str, str] = {}
        self.plans: dict[str, str] = {}
        self.standing: defaultdict[str, Counter[str]] = defaultdict(Counter)
        #: Until when a limit of a user's was reached, by (user, code of the refusal); for ever: it is now.
        self.full_until: dict[tuple[str, str], float] = {}
        #: The day each user was last charged to.
        self.days: dict[str, str] = {}
        self._watches: list[tuple[str, str, asyncio.Future[None]]] = []
        self._rows = 0
        self._changed: set[str] = set()
        #: What was given back in the transaction that is looked at.
        self._refunds = Counter[str]()
        witness.on_move = self._moved

    def names_strangers(self, citizen: str, order: Draw | Act) -> bool:
        """Whether one of the order's pictures is somebody else's upload."""
        given = [self.labels[image] for image in getattr(order, "images", ()) if image in self.labels]
        return any(owner != citizen for owner, _ in given)

    # --- after each commit ---

    def committed(self) -> None:
        """A transaction has ended, and the witness has seen it."""
        self._new_jobs()
        for user in sorted(self._changed):
            self._limits(user)
        self._changed.clear()

    def _new_jobs(self) -> None:
        columns = 'rowid, id, "user", plan, kind, action, charge, charged_day, created_at'
        for row in self.witness.query(f"SELECT {columns} FROM jobs WHERE rowid > ? ORDER BY rowid", self._rows):
            self._rows, job, user, plan, kind, action, charge, day, created_at = row
            self.owners[job], self.plans[user] = user, plan
            self._changed.add(user)
            self.claim(charge == int(not is_told(kind, action)), f"{job} ({kind} {action}) costs {charge}")
            zone = self.config.plan(plan).timezone
            # A clock set back over midnight gives nobody yesterday's pictures once more.
            first, last = max(day_of(created_at, zone), self.days.get(user, "")), day_of(self.loop.true_wall(), zone)
            self.claim(first <= day <= last, f"{job} is charged to {day}, and not to {first} or up to {last}")
            self.days[user] = day

    def _moved(self, job: str, before: str | None, state: str) -> None:
        self._new_jobs()
        user = self.owners[job]
        standing = self.standing[user]
        standing[state] += 1
        if before is not None:
            standing[before] -= 1
            if state in TERMINAL:
                self._ended(user, job, before, state)
        if self._waiting(user) >= self.config.plan(self.plans[user]).queued:  # within the transaction
            self._mark(user, "too_many_jobs", True)
        self._changed.add(user)
        for watch in [watch for watch in self._watches if watch[:2] == (job, state) and not watch[2].done()]:
            watch[2].set_result(None)
        self._watches = [watch for watch in self._watches if not watch[2].done()]

    def _waiting(self, user: str) -> int:
        return sum(self.standing[user][state] for state in WAITING)

    def _ended(self, user: str, job: str, before: str, state: str) -> None:
        ((charged, charge, code),) = self.witness.query("SELECT charged, charge, code FROM jobs WHERE id = ?", job)
        self._refunds[user] += 0 if charged else charge
        if state == State.DONE:
            self.claim(bool(charged) == (charge > 0), f"{job} is done and charged: {charged} of {charge}")
        elif state == State.CANCELLED and before in WAITING:
            self.claim(not charged, f"{job} was cancelled while {before} and is charged")
        elif state == State.FAILED:
            foreseen = code in FORESEEN and charge > 0
            self.claim(bool(charged) == foreseen, f"{job} failed ({code}), charged: {charged}")

    def _limits(self, user: str) -> None:
        plan, standing = self.config.plan(self.plans[user]), self.standing[user]
        running = sum(standing[state] for state in RUNNING)
        if running > plan.concurrent:
            running -= self._ended_by_the_bot(user)
        self.claim(running <= plan.concurrent, f"{user} has {running} under way, {plan.concurrent} are allowed")
        waiting = self._waiting(user)
        self.claim(waiting <= plan.queued + plan.concurrent, f"{user} has {waiting} waiting, {plan.queued} are allowed")
        self._mark(user, "too_many_jobs", waiting >= plan.queued)
        used = self.witness.query('SELECT max(used) FROM quota WHERE "user" = ?', user)[0][0] or 0
        self.claim(used <= plan.daily, f"{user} was charged {used} in a day, {plan.daily} are allowed")
        walls = (self.loop.wall(), self.loop.true_wall())
        today = {day_of(wall, plan.timezone) for wall in walls}
        lately = today | {day_of(wall - GATHERED_S_MAX, plan.timezone) for wall in walls}
        spent = dict(self.witness.query('SELECT day, used FROM quota WHERE "user" = ?', user))
        # Within the transaction it may have been spent, and given back afterwards; or a day may have ended.
        least = plan.daily - self._refunds.pop(user, 0)
        self._mark(user, "quota_exceeded", any(spent.get(day, 0) >= least for day in lately))
        self._mark(user, "quota_exceeded", any(spent.get(day, 0) >= plan.daily for day in today))

    def _ended_by_the_bot(self, user: str) -> int:
        """The user's drawings that have ended, of which the store hears later: their places may be others' already."""
        ended = {row.nonce for row in self.witness.discord.ledger if row.outcome != "accepted"}
        states = "'submitting', 'undecided', 'drawing'"
        rows = self.witness.query(f'SELECT nonce FROM jobs WHERE "user" = ? AND state IN ({states})', user)
        return sum(nonce in ended for (nonce,) in rows)

    def _mark(self, user: str, code: str, is_full: bool) -> None:
        key = (user, code)
        if is_full:
            self.full_until[key] = NOW_AND_ON
        elif self.full_until.get(key) == NOW_AND_ON:
            self.full_until[key] = self.loop.time()

    def was_full(self, user: str, code: str, since: float) -> bool:
        """Whether this limit of the user's was reached at any time since then."""
        return self.full_until.get((user, code), -1.0) >= since

    def watch(self, job: str, state: str) -> asyncio.Future[None]:
        """Done when the job comes into this state."""
        found = self.loop.create_future()
        self._watches.append((job, state, found))
        return found

    # --- with each interaction ---

    def taken(self, row: Row) -> None:
        """Is it drawn from the words and pictures of its job, and in its mode?"""
        attempt = self.witness.attempt_of(row.nonce)
        if attempt is None:
            return  # the witness has said so
        columns = '"user", kind, prompt, mode, images_in'
        ((user, kind, prompt, mode, given),) = self.witness.query(
            f"SELECT {columns} FROM jobs WHERE id = ?", attempt[0]
        )
        owned = [self.labels.get(image, ("nobody", image)) for image in msgspec.json.decode(given)]
        self.claim(all(owner == user for owner, _ in owned), f"{attempt} of {user} was drawn from {owned}")
        labels = tuple(label for _, label in owned)
        self.claim(row.inputs == labels, f"{attempt} was drawn from {row.inputs}, given were {labels}")
        if kind == "imagine":
            words = [word for word in prompt.split() if word not in MODES]
            said = row.prompt.split()[len(leading_addresses(row.prompt)) :]
            self.claim(said == [*words, f"--{mode}"], f"{attempt} is {[*words, mode]}, and {said} was submitted")

    # --- at the end ---

    def heard(self, citizen: str, frame: Any) -> None:
        """Is what a citizen was told of an end what is stored of it?"""
        columns = "kind, action, code, charged"
        ((kind, action, code, charged),) = self.witness.query(f"SELECT {columns} FROM jobs WHERE id = ?", frame.job)
        if isinstance(frame, Done):
            in_words = is_told(kind, action)
            self.claim(bool(frame.text) == in_words, f"{frame.job} ({kind}) is done with the text {frame.text!r}")
            self.claim(len(frame.images) == int(not in_words), f"{frame.job} ({kind}) has {len(frame.images)} pictures")
        elif isinstance(frame, Failed | Cancelled):
            told = (frame.code, frame.charged)
            self.claim(told == (code, bool(charged)), f"{citizen} hears {told} of {frame.job}: {code}, {charged}")

    def order(self, citizen: str, job: str) -> tuple[Any, ...]:
        """What was asked for, as stored: kind, prompt, mode, pictures, parent, action."""
        columns = "kind, prompt, mode, images_in, parent, action"
        rows = self.witness.query(f'SELECT {columns} FROM jobs WHERE id = ? AND "user" = ?', job, citizen)
        self.claim(len(rows) == 1, f"acknowledged {job} is lost")
        kind, prompt, mode, images, parent, action = rows[0]
        return kind, prompt, mode, tuple(msgspec.json.decode(images)), parent, action
