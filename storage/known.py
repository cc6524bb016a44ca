"""What the writer knows of rows without reading them: jobs under way and the seqs of users, as it left them itself.

It is true as long as nobody else writes (storage.connection): what is wrong with it anyway is found by the
compare-and-set of every move and by the key of every event, and then the writes are done again from what is stored.
"""

from __future__ import annotations

from collections import OrderedDict

from core.job import TERMINAL
from storage.records import JobRecord

#: How many jobs are remembered, those that moved latest; each is a kilobyte or two.
JOBS_MAX = 4000
#: How many users' seqs.
SEQS_MAX = 50_000


class Known:
    """See the module's docstring."""

    def __init__(self) -> None:
        self._jobs: OrderedDict[str, JobRecord] = OrderedDict()
        self._seqs: dict[str, int] = {}

    def job(self, job: str) -> JobRecord | None:
        """The job, without images and history; None when it is not known."""
        return self._jobs.get(job)

    def note_job(self, job: JobRecord) -> None:
        """The job is now like this. One that has ended hardly ever moves again: it is forgotten."""
        if job.state in TERMINAL:
            self._jobs.pop(job.id, None)
            return
        self._jobs[job.id] = job
        self._jobs.move_to_end(job.id)
        if len(self._jobs) > JOBS_MAX:
            self._jobs.popitem(last=False)

    def seq(self, user: str) -> int | None:
        """The seq of the user's latest event; None when it is not known."""
        return self._seqs.get(user)

    def note_seq(self, user: str, seq: int) -> None:
        """The user's latest event has this seq."""
        if len(self._seqs) >= SEQS_MAX:
            self._seqs.clear()
        self._seqs[user] = seq

    def forget(self) -> None:
        """Somebody else may have written, or what was written was undone."""
        self._jobs.clear()
        self._seqs.clear()
