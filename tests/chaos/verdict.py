"""The verdict: what customers were told, what the database says, and what the simulator drew, held against each other.

Three ledgers kept by three who share no code. Every sentence of the promise is a check that adds to `violations`.
"""

from __future__ import annotations

import io
import sqlite3
from collections import Counter, defaultdict
from itertools import pairwise
from typing import Any

import msgpack
from PIL import Image

from core.job import TERMINAL, State, may_move
from tests.chaos.customer import ENDS, Customer

UNDECIDED_SHARE_MAX = 0.001
#: What the faults of a run may end a job in.
MAY_FAIL_AS = frozenset({"upstream_rejected", "upstream_blocked", "undecided"})


class Verdict:
    """One a run. `figures` is the table, `violations` is empty when every promise was kept."""

    def __init__(self, customers: list[Customer], database: sqlite3.Connection, ledger: list[dict[str, Any]]) -> None:
        self.customers, self.database, self.ledger = customers, database, ledger
        self.rows = {row["nonce"]: row for row in ledger}
        self.figures: Counter[str] = Counter()
        self.violations: list[str] = [each for customer in customers for each in customer.book.violations]
        self._jobs = {row["id"]: row for row in self._query("SELECT * FROM jobs")}
        self._attempts: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for attempt in self._query("SELECT * FROM attempts ORDER BY job, attempt"):
            self._attempts[attempt["job"]].append(attempt)
        self._check_nonces()
        self._check_customers()
        self._check_histories()
        self._check_submissions()
        self._check_quota()
        self._count()

    def _query(self, sql: str) -> list[dict[str, Any]]:
        cursor = self.database.execute(sql)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]

    def claim(self, holds: bool, otherwise: str, figure: str | None = None) -> None:
        """It must hold; if not, it is also counted as `figure`."""
        if not holds:
            self.violations.append(otherwise)
            if figure is not None:
                self.figures[figure] += 1

    # --- lost ------------------------------------------------------------------------------------------------

    def _check_customers(self) -> None:
        """Every acknowledged job is there, has ended, and its customer has heard of its one end, in its place."""
        for name in ("lost", "not told their end"):
            self.figures[name] = 0
        for customer in self.customers:
            book = customer.book
            self.figures["acknowledged"] += len(book.jobs)
            for name, count in book.counts.items():
                self.figures[name] += count
            for ref, order in book.orders.items():
                self.claim(order.job is not None, f"{ref} was never acknowledged", "never acknowledged")
                if order.job is None:
                    continue
                job = self._jobs.get(order.job)
                self.claim(job is not None and job["ref"] == ref, f"{order.job} of {ref} is lost", "lost")
                if job is None:
                    continue
                self.claim(job["state"] in TERMINAL, f"{order.job} is still {job['state']}", "lost")
                end = book.ends.get(order.job)
                told = end is not None and end["type"] == job["state"]
                self.claim(told, f"{order.job} is {job['state']}, its user was told {end}", "not told their end")
            self._check_events(customer)

    def _check_events(self, customer: Customer) -> None:
        """What was heard is what is stored: contiguous, in order, each once."""
        jobs = customer.book.jobs
        user = next((self._jobs[job]["user"] for job in jobs if job in self._jobs), None)
        stored = {row["seq"]: row for row in self._query("SELECT * FROM events ORDER BY seq") if row["user"] == user}
        heard = customer.book.events
        self.claim(list(stored) == list(range(1, len(stored) + 1)), f"{customer.name}: seqs have gaps", "seqs broken")
        self.claim(stored.keys() == heard.keys(), f"{customer.name} heard {len(heard)} of {len(stored)} events")
        for seq in stored.keys() & heard.keys():
            frame = msgpack.unpackb(stored[seq]["frame"])
            same = all(frame[name] == heard[seq][name] for name in ("type", "seq", "job"))
            self.claim(same, f"{customer.name}: event {seq} is stored as {frame['type']} of {frame['job']}")
        kinds = Counter((row["job"], row["type"] if row["type"] not in ENDS else "end") for row in stored.values())
        for (job, kind), count in kinds.items():
            self.claim(count == 1, f"{job}: {kind} is stored {count} times", "ends doubled")
        known = {self._jobs[job]["id"] for job in self._jobs if self._jobs[job]["user"] == user}
        self.claim(
            known == jobs.keys(), f"{customer.name} has jobs that were never acknowledged: {known - jobs.keys()}"
        )
        self.figures["events"] += len(stored)

    # --- twice -----------------------------------------------------------------------------------------------

    def _check_nonces(self) -> None:
        counts = Counter(row["nonce"] for row in self.ledger)
        self.figures["interactions"] = len(self.ledger)
        self.figures["nonces doubled"] = 0
        for nonce, count in counts.items():
            self.claim(count == 1, f"nonce {nonce} was sent {count} times", "nonces doubled")

    def _check_submissions(self) -> None:
        """No job was taken by the bot twice, save after a refusal; no interaction was sent that is stored nowhere."""
        self.figures["drawn twice"] = 0
        owners = {attempt["nonce"]: attempt["job"] for attempts in self._attempts.values() for attempt in attempts}
        for nonce, row in self.rows.items():
            owned = nonce in owners or row["kind"] in ("cancel", "unknown")
            self.claim(owned, f"{row['kind']} {nonce} was sent and is stored nowhere", "sent unknown")
        for job, attempts in self._attempts.items():
            sent = [self.rows[each["nonce"]] for each in attempts if each["nonce"] in self.rows]
            for row in sent[:-1]:
                self.claim(
                    is_refused(row), f"{job} was sent again after {row['nonce']}: {row['outcome']}", "drawn twice"
                )
            self.figures["attempts"] += len(attempts)
            self.figures["attempts that never arrived"] += len(attempts) - len(sent)
            if job in self._jobs and self._jobs[job]["state"] == "done":
                self._check_picture(job, sent)

    def _check_picture(self, job: str, sent: list[dict[str, Any]]) -> None:
        """What is kept as the job's is what the bot drew for the job's own nonce."""
        drawn = sent[-1] if sent else None
        self.claim(drawn is not None and drawn["outcome"] == "done", f"{job} is done, the bot says {drawn}", "swapped")
        if drawn is None or self._jobs[job]["kind"] == "shorten":
            return
        kept = [row[0] for row in self.database.execute("SELECT sha256 FROM images WHERE job = ?", (job,))]
        self.claim(kept == [drawn["sha256"]], f"{job} has the pictures {kept}, drawn was {drawn}", "swapped")

    def check_picture(self, job: str, png: bytes) -> None:
        """What a customer was given as the job's picture."""
        with Image.open(io.BytesIO(png)) as picture:
            picture.load()
            nonce = picture.text["limner:nonce"]
        self.figures["pictures looked at"] += 1
        self.claim(nonce in {each["nonce"] for each in self._attempts[job]}, f"{job} shows {nonce}", "swapped")

    # --- ends ------------------------------------------------------------------------------------------------

    def _check_histories(self) -> None:
        moves: dict[str, list[str]] = defaultdict(list)
        for row in self._query("SELECT job, state FROM history ORDER BY id"):
            moves[row["job"]].append(row["state"])
        self.figures["ends doubled"] = 0
        for job, states in moves.items():
            legal = states[0] == State.QUEUED and all(
                may_move(State(before), State(after)) for before, after in pairwise(states)
            )
            self.claim(legal, f"{job} went {' → '.join(states)}")
            ends = [state for state in states if state in TERMINAL]
            self.claim(len(ends) == 1 and states[-1] == ends[0], f"{job} ended {len(ends)} times", "ends doubled")
            self.figures["were undecided for a while"] += State.UNDECIDED in states

    def _check_quota(self) -> None:
        charged = self._query('SELECT "user", charged_day, sum(charge) AS n FROM jobs WHERE charged GROUP BY 1, 2')
        should = {(row["user"], row["charged_day"]): row["n"] for row in charged if row["n"]}
        used = {(row["user"], row["day"]): row["used"] for row in self._query("SELECT * FROM quota") if row["used"]}
        self.claim(used == should, f"quota used is {used}, charged are {should}", "quota wrong")

    def _count(self) -> None:
        self.figures["swapped"] += 0
        for job in self._jobs.values():
            code = job["code"] if job["state"] == "failed" else job["state"]
            self.figures[f"ended {code}"] += 1
            if job["state"] == "failed":
                self.claim(code in MAY_FAIL_AS, f"{job['id']} failed as {code}: {job['message']}")
        undecided = self.figures["ended undecided"]
        limit = max(1, int(UNDECIDED_SHARE_MAX * len(self._jobs)))
        self.claim(undecided <= limit, f"{undecided} of {len(self._jobs)} jobs were never decided")


def is_refused(row: dict[str, Any]) -> bool:
    """Whether nothing was drawn, for certain, so that another attempt is allowed: refused by Discord, or by the bot at
    once ("Queue full"), without a message that a drawing begins."""
    return row["outcome"] == "refused" or (row["outcome"] == "failed" and row["message_id"] is None)
