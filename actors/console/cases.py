"""A job's case as operators read it: attempts, what came late, and a timeline of all that is known with its time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from actors.console.desk import Desk
from actors.console.traces import trail
from core.job import State
from core.trace import trace_id
from protocol.client import rfc3339
from storage.overseeing import AttemptRow, Case

#: The state that each stored event told of.
TOLD_OF = {"accepted": State.QUEUED, "started": State.DRAWING}


def case_shown(desk: Desk, case: Case) -> dict[str, Any]:
    """What `GET jobs/ID` answers beyond the job's row."""
    job = case.job
    timeline = [row | {"at": rfc3339(at)} for at, row in sorted(_moments(case), key=lambda moment: moment[0])]
    return {
        "trace": trace_id(job.id),
        "message": job.message,
        "charged": job.charged,
        "ref": job.ref,
        "parent": job.parent,
        "history": [{"state": moment.state, "at": rfc3339(moment.at)} for moment in job.history],
        "attempts": [_attempt_shown(attempt) for attempt in case.attempts],
        "timeline": sorted(timeline + trail(desk, job.id), key=lambda row: str(row["at"])),
        "late": [
            {
                "attempt": attempt.attempt,
                "account": attempt.account,
                "message_id": attempt.message_id,
                "url": attempt.late_url,
                "at": rfc3339(attempt.late_at),
            }
            for attempt in case.attempts
            if attempt.late_at is not None
        ],
    }


def _attempt_shown(attempt: AttemptRow) -> dict[str, Any]:
    return {
        "attempt": attempt.attempt,
        "account": attempt.account,
        "nonce": attempt.nonce,
        "interaction_id": attempt.interaction_id,
        "message_id": attempt.message_id,
        "outcome": attempt.outcome,
        "at": rfc3339(attempt.at),
    }


def _moments(case: Case) -> Iterator[tuple[float, dict[str, Any]]]:
    """All that has a time, with it; of the same time in this order."""
    job, by_state = case.job, {moment.state: moment.at for moment in reversed(case.job.history)}
    for moment in job.history:
        ending = moment.state == job.state and job.finished_at is not None
        yield moment.at, _row(moment.state, "queue", job.code or "" if ending else "")
    for event in case.events:
        at = by_state.get(TOLD_OF.get(event.type, event.type))
        if at is not None:
            yield at, _row(f"told {event.type}", f"user {case.name}", f"seq {event.seq}")
    for attempt in case.attempts:
        parts = {"nonce": attempt.nonce, "interaction": attempt.interaction_id, "message": attempt.message_id}
        known = [f"{name} {value}" for name, value in parts.items() if value]
        outcome = [f"came of it: {attempt.outcome}"] if attempt.outcome else []
        yield attempt.at, _row(f"attempt {attempt.attempt}", f"account/{attempt.account}", ", ".join(known + outcome))
        if attempt.late_at is not None:
            yield attempt.late_at, _row("late picture", f"account/{attempt.account}", attempt.late_url or "")
    if job.cancel_asked_at is not None:
        yield job.cancel_asked_at, _row("cancel asked", "queue", "the bot is asked to stop")


def _row(what: str, by: str, detail: str) -> dict[str, Any]:
    return {"at": "", "what": what, "by": by, "detail": detail}
