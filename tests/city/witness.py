"""The witness: what must hold at every step, and what is written down when it does not.

It looks at the database after each commit, at Discord's ledger with each interaction taken, and hears of every crash
that nobody made. It believes neither the actors nor itself: what it knows of jobs it reads from the database.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from core.job import TERMINAL, State, may_move
from protocol.client import MSGPACK, decode_server
from storage.database import Database
from tests.city.discord import Discord, Row

#: After these the bot has drawn nothing, for certain: another attempt is allowed.
PROVABLY_REFUSED = frozenset({"queue_full", "credits_exhausted"})
TELLS_THE_END = frozenset({"done", "failed", "cancelled"})
#: A lost acknowledgement may leave these without their stored row for a moment; a POST never.
AT_THE_BOT = (State.SUBMITTING.value, State.UNDECIDED.value, State.DRAWING.value)
Attempt = tuple[str, int]


class Witness:
    """One a city. `broken` is called with the first thing that does not hold."""

    def __init__(self, database: Database, slots: dict[str, int], broken: Callable[[str], None]) -> None:
        self.broken = broken
        self.slots = slots
        self.discord: Discord | None = None
        self.states: dict[str, str] = {}
        self.attempts: dict[str, Attempt] = {}
        self.ends: dict[str, str] = {}
        self.seqs: dict[str, int] = {}
        self.started: set[str] = set()
        self.nonces: set[str] = set()
        self.drawn: dict[str, list[Row]] = {}
        #: Hears of every move of a job: (job, state before or None, state).
        self.on_move: Callable[[str, str | None, str], None] = lambda job, before, state: None
        self._rows = {"history": 0, "events": 0, "attempts": 0}
        self._connection = database.engine.raw_connection()

    def close(self) -> None:
        """Lets go of the database."""
        self._connection.close()

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows as they are on disk now."""
        return self._connection.cursor().execute(sql, values).fetchall()

    def claim(self, holds: bool, otherwise: str) -> None:
        """It must hold."""
        if not holds:
            self.broken(otherwise)

    # --- after each commit ---

    def committed(self) -> None:
        """A transaction has ended."""
        self.look()
        self.quota()

    def look(self) -> None:
        """What is new since the last look."""
        for job, state in self._new("history", "job, state"):
            before = self.states.get(job)
            self.claim(is_legal(before, state), f"{job} went from {before} to {state}")
            self.states[job] = state
            self.on_move(job, before, state)
        self.look_at_attempts()
        for user, seq, job, kind in self._new("events", "user, seq, job, type"):
            self._event(user, seq, job, kind)

    def look_at_attempts(self) -> None:
        """Those that are new since the last look."""
        for job, attempt, nonce in self._new("attempts", "job, attempt, nonce"):
            self.attempts[nonce] = (job, attempt)

    def _new(self, table: str, columns: str) -> list[tuple[Any, ...]]:
        rows = self.query(f"SELECT rowid, {columns} FROM {table} WHERE rowid > ? ORDER BY rowid", self._rows[table])
        if rows:
            self._rows[table] = rows[-1][0]
        return [row[1:] for row in rows]

    def _event(self, user: str, seq: int, job: str, kind: str) -> None:
        self.claim(seq == self.seqs.get(user, 0) + 1, f"{user}'s event {seq} comes after {self.seqs.get(user, 0)}")
        self.seqs[user] = seq
        self.claim(job not in self.ends, f"{job}: {kind} after its end ({self.ends.get(job)})")
        if kind == "started":
            self.claim(job not in self.started, f"{job} started twice")
            self.started.add(job)
        if kind in TELLS_THE_END:
            self.ends[job] = kind
            self.claim(self.states[job] == kind, f"{job} is told {kind} and is {self.states[job]}")

    def quota(self) -> None:
        """What was used of each day is what was charged to it."""
        charged = self.query('SELECT "user", charged_day, sum(charge) FROM jobs WHERE charged GROUP BY 1, 2')
        should = {(user, day): total for user, day, total in charged if total}
        used = {(user, day): n for user, day, n in self.query('SELECT "user", day, used FROM quota') if n}
        self.claim(used == should, f"quota used is {used}, charged are {should}")

    # --- with each interaction that draws or tells ---

    def taken(self, row: Row) -> None:
        """Discord has taken it."""
        self.claim(row.nonce not in self.nonces, f"nonce {row.nonce} was submitted twice")
        self.nonces.add(row.nonce)
        attempt = self.attempt_of(row.nonce)
        if attempt is None:
            self.broken(f"nonce {row.nonce} was submitted and is stored nowhere")
            return
        job = attempt[0]
        earlier = self.drawn.setdefault(job, [])
        for other in earlier:
            refused = other.outcome in PROVABLY_REFUSED
            self.claim(refused, f"{job} was submitted again ({row.nonce}) after {other.nonce}: {other.outcome}")
        earlier.append(row)
        self._capacity(row)

    def attempt_of(self, nonce: str) -> Attempt | None:
        """The stored attempt of a drawing's nonce; a form's is that of its press and one more."""
        return self.attempts.get(nonce) or self.attempts.get(str(int(nonce) - 1))

    def _capacity(self, new: Row) -> None:
        """What the bot draws for jobs that have not ended is, with the new one, never more than the account's slots."""
        assert self.discord is not None
        jobs = [self.attempt_of(row.nonce) for row in self.discord.at_the_bot(new.account)]
        busy = [job for job in jobs if job is not None and self.states[job[0]] in AT_THE_BOT]
        self.claim(len(busy) < self.slots[new.account], f"{new.account} is oversold: {new.nonce} beside {busy}")

    # --- pictures ---

    def picture(self, job: str, nonce: str) -> None:
        """A picture was given out as this job's."""
        attempt = self.attempt_of(nonce)
        self.claim(attempt is not None and attempt[0] == job, f"{job} got the picture of {attempt} ({nonce})")

    # --- at the end ---

    def settled(self) -> bool:
        """Whether every job has ended."""
        return all(state in TERMINAL for state in self.states.values())

    def stored_events(self, user: str) -> dict[int, Any]:
        """All of a user's events."""
        rows = self.query('SELECT seq, frame FROM events WHERE "user" = ? ORDER BY seq', user)
        return {seq: decode_server(frame, MSGPACK) for seq, frame in rows}

    def jobs_of(self, user: str) -> dict[str, tuple[str, str | None]]:
        """A user's jobs: state and ref."""
        rows = self.query('SELECT id, state, ref FROM jobs WHERE "user" = ?', user)
        return {job: (state, ref) for job, state, ref in rows}


@cache
def is_legal(before: str | None, state: str) -> bool:
    """Whether a job may go from there to here; None: it is new."""
    return state == State.QUEUED if before is None else may_move(State(before), State(state))
