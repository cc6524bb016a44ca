"""A database in memory with short verbs, for tests of what the storage functions promise."""

from __future__ import annotations

import itertools
from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from protocol.client import MSGPACK, ServerFrame, decode_server
from storage.database import Database, open_database
from storage.groups import Operation, commit_group
from storage.operations import (
    AcceptJob,
    AddUser,
    Applied,
    Found,
    Gather,
    Grant,
    ImageRecord,
    JobFound,
    JobRecord,
    Offer,
    Read,
    ReadEvents,
    ReadJob,
    ReadUser,
    Settle,
    Submit,
    Track,
    Write,
    Written,
)
from storage.reads import find
from storage.tables import attempts

DAY = "2026-01-01"
RESETS_AT = 86_400.0
UPSCALE = Offer("upscale", 2, "U2", "MJ::JOB::upsample::2::hash")

ACCEPT = AcceptJob(
    job="",
    user="U1",
    plan="free",
    ref=None,
    digest="d",
    kind="imagine",
    prompt="a red fox in snow",
    mode="fast",
    images_in=(),
    action=None,
    index=None,
    parent=None,
    charge=1,
    day=DAY,
    resets_at=RESETS_AT,
    daily=100,
    queued=20,
    position=1,
    eta_s=2.5,
    at=1.0,
)


class Book:
    """One database, and a job's life in words; each write is one second after the one before."""

    def __init__(self, url: str = "sqlite://") -> None:
        self.database: Database = open_database(url)
        self.seconds = itertools.count(10)
        self.numbers = itertools.count(1)
        self.do(AddUser("U1", "ann", "free", or_keep=True, at=0.0))
        self.do(AddUser("U2", "ben", "free", or_keep=True, at=0.0))

    def now(self) -> float:
        return float(next(self.seconds))

    def do(self, write: Write, op_id: str | None = None) -> Written:
        op_id = op_id or f"op-{next(self.numbers)}-{id(self)}"
        return commit_group(self.database, [Operation(op_id, write)], self.now())[0]

    def ask(self, read: Read) -> Found:
        with self.database.reading() as connection:
            return find(connection, read)

    # --- words ---

    def accept(self, **changes: Any) -> Written:
        changes.setdefault("job", f"J{next(self.numbers):06}")
        return self.do(replace(ACCEPT, **changes))

    def queued(self, **changes: Any) -> str:
        return self.changed(self.accept(**changes)).id

    def granted(self, **changes: Any) -> str:
        return self.grant(self.queued(**changes))

    def grant(self, job: str, attempt: int = 1) -> str:
        self.changed(self.do(Grant(job, attempt, f"lease-{job}-{attempt}", "fox", self.now())))
        return job

    def submitting(self, **changes: Any) -> str:
        return self.submit(self.granted(**changes))

    def submit(self, job: str, attempt: int = 1) -> str:
        nonce = f"nonce-{job}-{attempt}"
        self.changed(self.do(Submit(job, attempt, f"lease-{job}-{attempt}", nonce, "gw-1", self.now())))
        return job

    def drawing(self, **changes: Any) -> str:
        job = self.submitting(**changes)
        self.changed(self.do(Track(job, 1, "interaction-1", None, None, self.now())))
        return job

    def keeping(self, **changes: Any) -> str:
        job = self.drawing(**changes)
        self.changed(self.do(gather(job, self.now())))
        return job

    def done(self, **changes: Any) -> str:
        job = self.keeping(**changes)
        self.changed(self.do(settle_done(job, self.now(), user=changes.get("user", "U1"))))
        return job

    def changed(self, outcome: Written) -> JobRecord:
        assert isinstance(outcome, Applied), outcome
        assert outcome.job is not None
        return outcome.job

    def job(self, job: str) -> JobRecord:
        found = self.ask(ReadJob(job, None))
        assert isinstance(found, JobFound)
        return found.job

    def states(self, job: str) -> list[str]:
        return [moment.state for moment in self.job(job).history]

    def events(self, user: str = "U1") -> list[ServerFrame]:
        found = self.ask(ReadEvents(user, 0, 1000))
        return [decode_server(event.frame, MSGPACK) for event in found.events]

    def used(self, user: str = "U1", day: str = DAY) -> int:
        return self.ask(ReadUser(user, day)).used

    def attempts(self, job: str) -> list[dict[str, Any]]:
        with self.database.reading() as connection:
            rows = connection.execute(select(attempts).where(attempts.c.job == job).order_by(attempts.c.attempt))
            return [dict(row._mapping) for row in rows]


def gather(job: str, at: float, attempt: int = 1, message_id: str = "message-1") -> Gather:
    return Gather(job, attempt, message_id, "https://cdn/1.png", "hash-1", (UPSCALE,), None, at)


def picture(job: str, user: str = "U1", index: int = 0) -> ImageRecord:
    name = f"P-{job}-{index}"
    return ImageRecord(name, job, user, index, f"{name}.png", f"{name}.webp", 64, 48, 1234, "ab" * 32, "image/png")


def settle_done(job: str, at: float, attempt: int | None = 1, user: str = "U1") -> Settle:
    return Settle(job, attempt, ("keeping",), "done", None, None, True, (picture(job, user),), at)


def settle_failed(job: str, at: float, *states: str, charged: bool = False, attempt: int | None = 1) -> Settle:
    return Settle(job, attempt, states, "failed", "upstream_timeout", "It took too long.", charged, (), at)


def settle_cancelled(job: str, at: float, *states: str, charged: bool = False, attempt: int | None = None) -> Settle:
    return Settle(job, attempt, states or ("queued", "granted"), "cancelled", "cancelled", "As asked.", charged, (), at)


def known(outcome: Written) -> tuple[Any, ...]:
    """What an answer says that is the same when the write is sent again; of a job, where it was."""
    kind = type(outcome).__name__
    if isinstance(outcome, Applied) and outcome.job is not None:
        return kind, outcome.job.id, outcome.job.attempt, outcome.job.state, outcome.seq
    return kind, outcome
