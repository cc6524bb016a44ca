"""What the Queue opens with: jobs that have not ended, of which there may be hundreds of thousands, in pages."""

from __future__ import annotations

from msgspec import Struct

from storage.records import JobRecord


class ReadBacklog(Struct, frozen=True, tag=True):
    """Jobs that have not ended, oldest first (by acceptance), after job `after`. Answers Backlog."""

    after: str | None
    limit: int


class QueuedJob(Struct, frozen=True, gc=False):
    """What the Queue needs to know of a job that waits; a whole JobRecord takes three times as long to read."""

    id: str
    user: str
    plan: str
    mode: str
    affinity: str | None
    attempt: int
    kind: str
    has_images: bool = False


class Backlog(Struct, frozen=True, tag=True):
    """Some jobs that have not ended: those that wait, those that have begun, and the `after` of the next page.

    `newest`: the id of the latest of all jobs, also of those that have ended; empty when there is none.
    `paused`: the operator lets none of them begin.
    """

    queued: tuple[QueuedJob, ...]
    begun: tuple[JobRecord, ...]
    next: str | None
    newest: str = ""
    paused: bool = False
