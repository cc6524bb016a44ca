"""Accepting a job: refusals first, by reading; then everything that makes it a job, in one transaction.

The order of the checks is a promise: a ref that is in force answers before any limit, so a client that repeats itself
hears of its job also when its quota is used up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import asdict
from sqlalchemy import Connection, and_, func, select, update

from core.job import TERMINAL, WAITING, State
from protocol.client import Accepted
from storage.events import store_event
from storage.operations import AcceptJob, Applied, JobRecord, Moment, Refused, Replayed
from storage.rows import INSERT_HISTORY, JOB_COLUMNS, as_stored, offers_of, read_whole_job
from storage.statements import Statement, given, insertion, literals
from storage.tables import jobs, quota, refs, users

REF_IN_FORCE_S = 24 * 3600.0
TOO_MANY_RETRY_S = 10.0

_REF = Statement(
    select(refs.c.job, refs.c.digest, refs.c.seq, refs.c.accepted_at, jobs.c.state)
    .join_from(refs, jobs, refs.c.job == jobs.c.id)
    .where(refs.c.user == given("user"), refs.c.ref == given("ref"))
)
_PARENT = Statement(
    select(jobs.c.state, jobs.c.account, jobs.c.message_id, jobs.c.offers).where(
        jobs.c.id == given("parent"), jobs.c.user == given("user")
    )
)
_UNFINISHED_OF_USER = select(func.count()).where(jobs.c.user == given("user"), jobs.c.finished_at.is_(None))
# Counted without their states, the jobs of a user are counted in an index; their states are in the rows.
_STANDING = Statement(
    select(users.c.banned, quota.c.used, _UNFINISHED_OF_USER.scalar_subquery())
    .join_from(users, quota, and_(quota.c.user == users.c.id, quota.c.day == given("day")), isouter=True)
    .where(users.c.id == given("user"))
)
_WAITING = Statement(_UNFINISHED_OF_USER.where(jobs.c.state.in_(literals(sorted(WAITING)))))
_FIRST_CHARGE = Statement(insertion(quota))
_CHARGE = Statement(
    update(quota)
    .where(quota.c.user == given("user"), quota.c.day == given("day"))
    .values(used=quota.c.used + given("charge"))
)
_INSERT_JOB = Statement(insertion(jobs))
_INSERT_REF = Statement(insertion(refs))
_RENEW_REF = Statement(
    update(refs)
    .where(refs.c.user == given("user"), refs.c.ref == given("ref"))
    .values({name: given(name) for name in ("job", "digest", "seq", "accepted_at")})
)


#: A new job: all that it will be told later is unknown yet.
_NEW: dict[str, Any] = dict.fromkeys(column.name for column in JOB_COLUMNS) | {
    "state": State.QUEUED.value,
    "offers": (),
    "attempt": 0,
}
_TAKEN_OVER = ("user", "plan", "ref", "kind", "prompt", "mode", "images_in", "action", "index", "parent")


class Button(NamedTuple):
    """What an act presses: only the account that drew the parent can."""

    affinity: str | None
    press_message_id: str | None
    press_custom_id: str | None


NO_BUTTON = Button(None, None, None)


class Earlier(NamedTuple):
    """The job that the ref named before."""

    job: str
    digest: str
    seq: int
    accepted_at: float
    state: str


class Standing(NamedTuple):
    """What decides over the user's next job: `used` of the day's quota (None: nothing yet), and jobs not ended."""

    banned: bool
    used: int | None
    unfinished: int


def accept_job(connection: Connection, write: AcceptJob) -> Applied | Replayed | Refused:
    """See AcceptJob. The job comes with its history of one moment."""
    earlier = None
    if write.ref is not None:
        row = _REF.one(connection, user=write.user, ref=write.ref)
        earlier = Earlier(*row) if row is not None else None
        if earlier is not None and _in_force(earlier.state, earlier.accepted_at, write.at):
            return _again(connection, earlier, write)
    button: Button | Refused | None = _button(connection, write) if write.parent is not None else None
    if isinstance(button, Refused):
        return button
    row = _STANDING.one(connection, user=write.user, day=write.day)
    if row is None:
        return Refused("not_found", "There is no such user.")
    standing = Standing(*row)
    if refusal := _over_a_limit(connection, standing, write):
        return refusal
    _charge(connection, write, standing.used)
    job = _insert(connection, write, button or NO_BUTTON)
    seq = store_event(
        connection, write.user, job.id, lambda seq: Accepted(seq, write.ref, job.id, write.position, write.eta_s)
    )
    if write.ref is not None:
        named = {"job": job.id, "digest": write.digest, "seq": seq, "accepted_at": write.at}
        (_INSERT_REF if earlier is None else _RENEW_REF).run(connection, user=write.user, ref=write.ref, **named)
    return Applied(job, seq)


def _in_force(state: str, accepted_at: float, now: float) -> bool:
    return state not in TERMINAL or now < accepted_at + REF_IN_FORCE_S


def _again(connection: Connection, earlier: Earlier, write: AcceptJob) -> Replayed | Refused:
    if earlier.digest != write.digest:
        return Refused("ref_conflict", "This ref names another request of yours; use a new ref.")
    job = read_whole_job(connection, earlier.job)
    assert job is not None, "a ref always names a stored job"
    return Replayed(job, earlier.seq)


def _button(connection: Connection, write: AcceptJob) -> Button | Refused:
    """Where the action's button is, or why the action cannot be had."""
    parent = _PARENT.one(connection, user=write.user, parent=write.parent)
    if parent is None:
        return Refused("not_found", "You have no job of that id.")
    state, account, message_id, offers = parent
    if state != State.DONE:
        return Refused("bad_prompt", "That job has no picture to act on.")
    for offer in offers_of(offers):
        if (offer.action, offer.index) == (write.action, write.index):
            return Button(account, message_id, offer.custom_id)
    return Refused("bad_prompt", "That job does not offer this action; choose one of its `actions`.")


def _over_a_limit(connection: Connection, standing: Standing, write: AcceptJob) -> Refused | None:
    if standing.banned:
        return Refused("forbidden", "This user may not draw; ask the operator.")
    if standing.unfinished >= write.queued:
        ((waiting,),) = _WAITING.all(connection, user=write.user)
        if waiting >= write.queued:
            problem = f"You have {waiting} jobs waiting and may have {write.queued}; wait for one to begin."
            return Refused("too_many_jobs", problem, TOO_MANY_RETRY_S)
    if write.charge and (standing.used or 0) + write.charge > write.daily:
        problem = f"Today's {write.daily} pictures are used up."
        return Refused("quota_exceeded", problem, max(0.0, write.resets_at - write.at))
    return None


def _charge(connection: Connection, write: AcceptJob, used: int | None) -> None:
    if not write.charge:
        return
    if used is None:
        _FIRST_CHARGE.run(connection, user=write.user, day=write.day, used=write.charge)
    else:
        _CHARGE.run(connection, user=write.user, day=write.day, charge=write.charge)


def _insert(connection: Connection, write: AcceptJob, button: Button) -> JobRecord:
    told = asdict(write)
    fields = _NEW | {name: told[name] for name in _TAKEN_OVER} | button._asdict()
    fields |= {"id": write.job, "charged": write.charge > 0, "created_at": write.at}
    _INSERT_JOB.run(connection, **as_stored(fields), charge=write.charge, charged_day=write.day)
    INSERT_HISTORY.run(connection, job=write.job, state=State.QUEUED.value, at=write.at)
    return JobRecord(**fields, history=(Moment(State.QUEUED.value, write.at),))
