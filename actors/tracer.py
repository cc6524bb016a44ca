"""Tracer: exports each job's trace at its end, from its stored history (core/trace.py). There if traces are asked for.

Takes   AskedFor (web);  JobOver (queue);  Committed, NotCommitted, LookedUp (store);
        FlushDue, Exported, ResendDue (itself)
Sends   Lookup -> store
Crash   the traces of the jobs that waited are not exported, and who asked for others is forgotten, as at a restart;
        drawings know nothing of it

Off the way of drawings: what waits is bounded, one export is under way at a time, in a thread, and a collector that
does not take it is left alone for a while. What could not be exported then is dropped, and that is said once.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any

from actors.store_client import StoreAsker
from core.trace import Caller, Trace, spans
from storage.operations import Found, JobFound, ReadJob
from storage.records import JobRecord
from system.message import Message

FLUSH_EACH_S = 2.0
#: After an export that failed.
FLUSH_AGAIN_S = 30.0
#: Jobs in one export, and jobs that may wait for theirs: beyond it the oldest has none.
JOBS_AT_ONCE = 100
WAITING_MAX = 2_000
#: Jobs of which is known who asked for them; beyond it, of the latest.
CALLERS_MAX = 50_000


class AskedFor(Message, frozen=True):
    """This job was accepted, and who asked for it is in the middle of a trace."""

    job: str
    caller: Caller


class JobOver(Message, frozen=True):
    """The job's end is stored."""

    job: str


class FlushDue(Message, frozen=True):
    """Time to export what waits."""


class Exported(Message, frozen=True):
    """The traces of so many jobs were taken, or were not."""

    jobs: int
    taken: bool


class Tracer(StoreAsker):
    """See the module's docstring."""

    ACCEPTS = (AskedFor, JobOver, FlushDue, Exported)

    def __init__(self) -> None:
        super().__init__()
        self.waiting: deque[str] = deque(maxlen=WAITING_MAX)
        self.callers: dict[str, Caller] = {}
        self.batch: list[Trace] = []
        self.missing = 0
        self.is_well = True
        self.exported = self.dropped = 0

    def on_start(self) -> None:
        super().on_start()
        self.after(FLUSH_EACH_S, FlushDue())

    def on_stop(self) -> None:
        if self.process.traces is not None:
            self.process.traces.close()

    def summary(self) -> dict[str, Any]:
        return {"waiting": len(self.waiting), "exported": self.exported, "dropped": self.dropped, "well": self.is_well}

    def receiveMsg_AskedFor(self, asked: AskedFor, sender: Any) -> None:
        if len(self.callers) >= CALLERS_MAX:
            del self.callers[next(iter(self.callers))]
        self.callers[asked.job] = asked.caller

    def receiveMsg_JobOver(self, over: JobOver, sender: Any) -> None:
        self.dropped += len(self.waiting) == WAITING_MAX
        self.waiting.append(over.job)

    def receiveMsg_FlushDue(self, due: FlushDue, sender: Any) -> None:
        jobs = [self.waiting.popleft() for _ in range(min(JOBS_AT_ONCE, len(self.waiting)))]
        if not jobs:
            self.after(FLUSH_EACH_S, due)
            return
        self.batch, self.missing = [], len(jobs)
        for job in jobs:
            self.store.lookup(ReadJob(job, None), self._found, lambda why: self._one_less())

    def _found(self, found: Found) -> None:
        if isinstance(found, JobFound):
            self.batch.append(_trace_of(found.job, self.callers.pop(found.job.id, None)))
        self._one_less()

    def _one_less(self) -> None:
        self.missing -= 1
        if self.missing == 0:
            self.work(self._export(tuple(self.batch)), "export")

    async def _export(self, batch: tuple[Trace, ...]) -> Exported:
        traces = self.process.traces
        taken = traces is not None and await asyncio.to_thread(traces.export, batch)
        return Exported(len(batch), taken)

    def receiveMsg_Exported(self, told: Exported, sender: Any) -> None:
        if told.taken:
            self.exported += told.jobs
        else:
            self.dropped += told.jobs
        if told.taken != self.is_well:
            self.is_well = told.taken
            if told.taken:
                self.log.info("traces are exported again", dropped=self.dropped)
            else:
                self.log.warning("the collector takes no traces; drawings go on without them", dropped=self.dropped)
        self.after(FLUSH_EACH_S if told.taken else FLUSH_AGAIN_S, FlushDue())


def _trace_of(job: JobRecord, caller: Caller | None) -> Trace:
    """Its spans, with what they are found by. The prompt is nobody's matter."""
    about: dict[str, Any] = {
        "job": job.id,
        "user": job.user,
        "account": job.account,
        "kind": job.kind,
        "mode": job.mode,
    }
    about |= {"code": job.code, "state": job.state, "attempts": job.attempt}
    attributes = {f"limner.{name}": value for name, value in about.items() if value is not None}
    history = tuple((moment.state, moment.at) for moment in job.history)
    failed = job.code if job.state == "failed" else None
    return Trace(job.id, spans(job.id, history), attributes, failed, caller)
