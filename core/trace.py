"""Traces: one per job, from its acceptance to its end, in the ids of W3C Trace Context.

Ids are digests of the job's id, so that everybody who knows a job knows its trace: log lines, the operator's view of a
job, and the spans that are exported at its end, none of which needs to have been told by another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from itertools import pairwise

import msgspec

TRACE_BYTES, SPAN_BYTES = 16, 8
#: What the whole is called; its parts are called as the states of CONTRACT §5.
ROOT = "job"


class Span(msgspec.Struct, frozen=True):
    """One stretch of a job's life. Times are Unix seconds; `parent` is None for the whole."""

    name: str
    id: str
    parent: str | None
    began: float
    ended: float


def trace_id(job: str) -> str:
    """The job's trace: 32 hexadecimal digits."""
    return hashlib.blake2b(job.encode(), digest_size=TRACE_BYTES, person=b"limner trace").hexdigest()


def span_id(job: str, part: str = ROOT) -> str:
    """A part of the job's trace: 16 hexadecimal digits."""
    return hashlib.blake2b(f"{job} {part}".encode(), digest_size=SPAN_BYTES, person=b"limner span").hexdigest()


def spans(job: str, history: Sequence[tuple[str, float]]) -> tuple[Span, ...]:
    """The whole, then each state that the job went through, in order; `history` is of (state, since when).

    The last state is the end and lasts no time, so it has no span. A clock that was set back makes no span end before
    it began. Nothing is known of a job without history: no spans.
    """
    if not history:
        return ()
    began, root = history[0][1], span_id(job)
    parts = tuple(
        Span(state, span_id(job, f"{at} {state}"), root, since, max(since, until))
        for at, ((state, since), (_, until)) in enumerate(pairwise(history))
    )
    return (Span(ROOT, root, None, began, max(began, *(moment[1] for moment in history))), *parts)
