"""Traces: one per job, from its acceptance to its end, in the ids of W3C Trace Context.

Ids are digests of the job's id, so that everybody who knows a job knows its trace: log lines, the operator's view of a
job, and the spans that are exported at its end, none of which needs to have been told by another.

Who asks for a drawing may be in the middle of a trace of their own. A drawing takes minutes, and others decide when it
begins: so it stays a trace by itself, and the two are linked, as OpenTelemetry has it for what waits in queues.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import msgspec

TRACE_BYTES, SPAN_BYTES = 16, 8
#: What the whole is called; its parts are called as the states of CONTRACT §5.
ROOT = "job"
#: What is told in the trace of who asked for it.
ASKED = "asked"
#: W3C Trace Context, 3.2: version, trace, span, flags; versions after 00 may go on after another dash.
_TRACEPARENT = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)
_VERSION, _NO_VERSION, _SAMPLED = "00", "ff", 0x01


class Span(msgspec.Struct, frozen=True):
    """One stretch of a job's life. Times are Unix seconds; `parent` is None for the whole."""

    name: str
    id: str
    parent: str | None
    began: float
    ended: float


class Caller(msgspec.Struct, frozen=True):
    """The span of somebody else's trace in which a drawing was asked for; `sampled`: that trace is being kept."""

    trace: str
    span: str
    sampled: bool


class Trace(msgspec.Struct, frozen=True):
    """A job's: its spans (the whole first), what they are found by, why it `failed` if it did, and who asked for it."""

    job: str
    spans: tuple[Span, ...]
    attributes: dict[str, Any]
    failed: str | None
    caller: Caller | None = None


def caller_of(traceparent: str) -> Caller | None:
    """What the header says; None when it is not one, which the specification wants to be passed over in silence."""
    found = _TRACEPARENT.fullmatch(traceparent.strip(" \t"))
    if found is None:
        return None
    version, trace, span, flags, more = found.groups()
    if version == _NO_VERSION or (version == _VERSION and more) or not (int(trace, 16) and int(span, 16)):
        return None
    return Caller(trace, span, bool(int(flags, 16) & _SAMPLED))


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
