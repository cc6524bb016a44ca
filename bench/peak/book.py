"""Book: the load client's own ledger: of every job when it was due, sent, acknowledged, begun and ended, and how.

Arrays, because 300,000 jobs of Python objects would cost the client more than its sockets. Times are seconds of the
machine's monotonic clock, which all processes share; NaN: it has not happened, as far as was heard.
"""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgpack
import msgspec

from bench.peak.plan import number_of

NONE, DONE, FAILED, CANCELLED, REFUSED = range(5)
END_OF = {"done": DONE, "failed": FAILED, "cancelled": CANCELLED}
TIMES = ("sent", "acked", "started", "ended")
NEVER = math.nan


class Book:
    """One a run. `look_each`: of every so many-th job the picture's address is kept in `looks`."""

    def __init__(self, senders: array[int], due: array[float], look_each: int) -> None:
        jobs = len(senders)
        self.senders, self.due, self.look_each = senders, due, look_each
        self.sent, self.acked, self.started, self.ended = (array("d", [NEVER]) * jobs for _ in TIMES)
        self.end = array("B", bytes(jobs))
        self.end_seq = array("q", [0]) * jobs
        self.jobs: dict[str, int] = {}
        self.looks: list[tuple[int, str]] = []
        #: Refusals and failures by code; `frames` by type; what contradicts the book, in words and numbers.
        self.refused: Counter[str] = Counter()
        self.failed: Counter[str] = Counter()
        self.frames: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        #: How many jobs are at least so far.
        self.sent_count = self.acked_count = self.settled_count = 0

    @property
    def under_way(self) -> int:
        """Accepted and not ended."""
        return self.answered_count - self.settled_count

    @property
    def answered_count(self) -> int:
        """Accepted or refused."""
        return self.acked_count + self.refused.total()

    def send(self, number: int, now: float) -> None:
        """It is being written to the socket."""
        self.sent[number] = now
        self.sent_count += 1

    def hear(self, frame: dict[str, Any], now: float) -> None:
        """A frame about a job came. The same stored event may come again when a socket resumes."""
        kind = frame["type"]
        self.frames[kind] += 1
        if kind == "accepted":
            self._accept(int(frame["ref"]), frame["job"], now)
            return
        if kind == "error":
            self._refuse(frame, now)
            return
        number = self.jobs.get(frame["job"])
        if number is None:
            self.wrong["events of unknown jobs"] += 1
        elif kind == "started":
            if math.isnan(self.started[number]):
                self.started[number] = now
        else:
            self._end(number, frame, now)

    def _accept(self, number: int, job: str, now: float) -> None:
        if self.jobs.setdefault(job, number) != number:
            self.wrong["one job for two orders"] += 1
        elif math.isnan(self.acked[number]):
            self.acked[number] = now
            self.acked_count += 1

    def _refuse(self, frame: dict[str, Any], now: float) -> None:
        self.refused[frame["code"]] += 1
        if frame["ref"] is None:
            self.wrong["errors without a ref"] += 1
            return
        number = int(frame["ref"])
        self.end[number], self.ended[number] = REFUSED, now
        self.settled_count += 1

    def _end(self, number: int, frame: dict[str, Any], now: float) -> None:
        if self.end[number] != NONE:
            if self.end_seq[number] != frame["seq"]:
                self.wrong["ends doubled"] += 1
            return
        self.end[number], self.ended[number], self.end_seq[number] = END_OF[frame["type"]], now, frame["seq"]
        self.settled_count += 1
        if frame["type"] == "failed":
            self.failed[frame["code"]] += 1
        elif frame["type"] == "done" and number % self.look_each == 0:
            self.looks.append((number, frame["images"][0]["url"]))

    # --- to a file and back ----------------------------------------------------------------------------------

    def save(self, path: Path, more: dict[str, Any]) -> None:
        """Everything of the book, and `more` of the run."""
        arrays = {name: getattr(self, name).tobytes() for name in ("due", *TIMES, "end")}
        counters = {name: dict(getattr(self, name)) for name in ("refused", "failed", "frames", "wrong")}
        path.write_bytes(msgpack.packb({"senders": self.senders.tobytes(), **arrays, **counters, **more}))


class Kept(msgspec.Struct, frozen=True):
    """A job as the daemon's database has it; `digest` is that of its picture, times are unix seconds."""

    prompt: str
    state: str
    digest: str | None
    started_at: float | None
    finished_at: float | None


class Read:
    """A book as it was saved. `more`: what else was."""

    def __init__(self, path: Path) -> None:
        found: dict[str, Any] = msgpack.unpackb(path.read_bytes())
        self.senders, self.end = array("L", found.pop("senders")), array("B", found.pop("end"))
        self.due, self.sent, self.acked, self.started, self.ended = (
            array("d", found.pop(name)) for name in ("due", *TIMES)
        )
        self.refused, self.failed, self.frames, self.wrong = (
            dict(found.pop(name)) for name in ("refused", "failed", "frames", "wrong")
        )
        self.more = found

    def learn(self, kept: Iterable[Kept], always_open: int, offset_s: float) -> None:
        """When the jobs of users who were away began and ended: from the database, as they heard of it later.

        `offset_s` is what the monotonic clock shows less the unix time.
        """
        for job in kept:
            number = number_of(job.prompt)
            if number is None or self.senders[number] < always_open:
                continue
            for times, at in ((self.started, job.started_at), (self.ended, job.finished_at)):
                if at is not None and not math.isnan(times[number]):
                    times[number] = at + offset_s
