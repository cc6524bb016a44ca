"""What operators ask about jobs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from actors.console.arguments import one_of
from actors.console.cases import case_shown
from actors.console.desk import Desk
from actors.console.messages import AskConsole, AskProgress, ProgressTold
from actors.queue.messages import Cancel, CancelHeard, Enqueue, JobAccepted, JobRefused
from actors.queue.orders import AskStandings, Standings
from core.ids import time_of
from core.job import State
from protocol.client import ClientMistake, rfc3339
from storage.operations import Found, JobFound, JobRecord, ReadJob, ReadUser, UserRecord
from storage.overseeing import Case, FindJobs, JobRow, JobRows, ReadCase

STATES = tuple(str(state) for state in State)
#: The Queue and sessions tell of places and progress within this time, or not at all.
LIVE_S_MAX = 0.5
#: The Queue has stored a cancel or a new job within this time, or is in trouble.
ORDER_S_MAX = 10.0
RETRIED = (State.FAILED, State.CANCELLED)
UNANSWERED = "The queue has not said that it is stored; look again in a moment."
REFUSED = {
    "not_found": "There is no job {job}.",
    "draining": "The job could not be cancelled just now, nothing was done; try again in a moment.",
    "internal": "The cancel could not be stored; try again later.",
}
TOO_LATE = "The job can no longer be cancelled: it is {state}."


@dataclass(slots=True)
class Live:
    """What is known of some jobs beyond the store: places and percents, by job. `missing`: answers not yet there."""

    missing: int
    places: dict[str, int] = field(default_factory=dict)
    percents: dict[str, int] = field(default_factory=dict)


def listed(desk: Desk, asked: AskConsole) -> None:
    """Jobs of all users or some, newest first."""
    state = one_of(asked, "state", STATES, None)
    user, account, before = (desk.query(asked, name) for name in ("user", "account", "before"))

    if before is not None and not time_of(before):
        raise ClientMistake("bad_frame", "before is the `next` of the page before.")

    def found(page: Found) -> None:
        if not isinstance(page, JobRows):
            desk.refuse(asked, "not_found", f"There is no user {user}; `limner admin users` shows them.")
            return

        def told(live: Live) -> None:
            desk.answer(asked, {"jobs": [shown(row, live) for row in page.jobs], "next": page.next})

        _lively(desk, page.jobs, told)

    desk.store.lookup(FindJobs(user, state, account, before, desk.limit(asked)), found, desk.unread(asked))


def one(desk: Desk, asked: AskConsole) -> None:
    """All that is on record of a job, and what was noted of its path."""
    job = asked.instruct.id or ""

    def found(case: Found) -> None:
        if not isinstance(case, Case):
            desk.refuse(asked, "not_found", REFUSED["not_found"].format(job=job))
            return
        row = _row_of(case.job, case.name)
        _lively(desk, (row,), lambda live: desk.answer(asked, shown(row, live) | case_shown(desk, case)))

    desk.store.lookup(ReadCase(job), found, desk.unread(asked))


def _row_of(job: JobRecord, name: str) -> JobRow:
    about = (job.kind, job.mode, job.state, job.prompt, job.account, job.attempt, job.code)
    return JobRow(job.id, job.user, name, *about, job.created_at, job.finished_at)


def shown(row: JobRow, live: Live) -> dict[str, Any]:
    """A job in a list."""
    done = 100 if row.state == State.DONE else None
    return {
        "job": row.job,
        "user": row.user,
        "name": row.name,
        "kind": row.kind,
        "mode": row.mode,
        "status": row.state,
        "prompt": row.prompt,
        "account": row.account,
        "attempt": row.attempt,
        "position": live.places.get(row.job) if row.state == State.QUEUED else None,
        "percent": live.percents.get(row.job, 0) if row.state in (State.DRAWING, State.KEEPING) else done,
        "code": row.code,
        "created_at": rfc3339(row.created_at),
        "finished_at": None if row.finished_at is None else rfc3339(row.finished_at),
    }


def _lively(desk: Desk, rows: Sequence[JobRow], then: Callable[[Live], None]) -> None:
    """Calls `then` with the places of those that wait and the percents of those that are drawn."""
    waiting = tuple(row.job for row in rows if row.state == State.QUEUED)
    drawn: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.state == State.DRAWING:
            drawn[row.user].append(row.job)
    live = Live(len(drawn) + bool(waiting))
    if not live.missing:
        then(live)
        return

    def heard(told: Standings | ProgressTold) -> None:
        if isinstance(told, Standings):
            live.places = told.places
        else:
            live.percents |= told.percents
        live.missing -= 1
        if not live.missing:
            desk.settled(ask)
            then(live)

    ask = desk.expect(LIVE_S_MAX, heard, lambda: then(live))
    if waiting:
        desk.tell_first("queue", AskStandings(ask, waiting))
    for user, jobs in drawn.items():
        desk.tell("lobby", AskProgress(user, ask, tuple(jobs)))


# --- what can be changed


def cancel(desk: Desk, asked: AskConsole) -> None:
    """As when its user cancels it: at once while it waits, and then a request to the bot."""
    job = asked.instruct.id or ""
    desk.check_not_suspended("queue")

    def heard(told: CancelHeard) -> None:
        desk.settled(told.request_id)
        state = told.job.state if told.job is not None else None
        if told.code is None:
            desk.changed(asked) if told.fresh else desk.unchanged(asked)
        elif state == State.CANCELLED:
            desk.unchanged(asked)
        else:
            desk.refuse(asked, told.code, REFUSED.get(told.code, TOO_LATE).format(job=job, state=state))

    ask = desk.expect(ORDER_S_MAX, heard, lambda: desk.refuse(asked, "draining", UNANSWERED))
    desk.tell("queue", Cancel(None, ask, job, desk.name))


def retry(desk: Desk, asked: AskConsole) -> None:
    """A new job of a failed one's user and request, once: the same again is the same new job."""
    job = asked.instruct.id or ""
    desk.check_not_suspended("queue")

    def found(answer: Found) -> None:
        if not isinstance(answer, JobFound):
            desk.refuse(asked, "not_found", REFUSED["not_found"].format(job=job))
        elif answer.job.state not in RETRIED:
            words = f"Only a failed or cancelled job can be tried again; this one is {answer.job.state}."
            desk.refuse(asked, "ref_conflict", words)
        else:
            _with_plan(desk, asked, answer.job)

    desk.store.lookup(ReadJob(job, None), found, desk.unread(asked))


def _with_plan(desk: Desk, asked: AskConsole, job: JobRecord) -> None:
    def found(user: Found) -> None:
        if isinstance(user, UserRecord):
            _order_again(desk, asked, job, user.plan)
        else:
            desk.refuse(asked, "not_found", "Its user is not there any more.")

    desk.store.lookup(ReadUser(job.user, ""), found, desk.unread(asked))


def _order_again(desk: Desk, asked: AskConsole, job: JobRecord, plan: str) -> None:
    def heard(told: JobAccepted | JobRefused) -> None:
        desk.settled(told.request_id)
        if isinstance(told, JobRefused):
            desk.refuse(asked, told.code, told.message)
        else:
            desk.answer(asked, {"ok": True, "changed": not told.replayed, "job": told.job.id})

    ask = desk.expect(ORDER_S_MAX, heard, lambda: desk.refuse(asked, "draining", UNANSWERED))
    what = (job.kind, job.prompt, job.mode, job.images_in, job.action, job.index, job.parent)
    desk.tell("queue", Enqueue(job.user, ask, plan, f"retry:{job.id}", *what, reply_to=desk.name))


INSTRUCTIONS = {
    ("jobs", "list"): listed,
    ("jobs", "show"): one,
    ("jobs", "cancel"): cancel,
    ("jobs", "retry"): retry,
}
