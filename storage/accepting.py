"""Accepting a job: refusals first, by reading; then everything that makes it a job, in one transaction.

The order of the checks is a promise: a ref that is in force answers before any limit, so a client that repeats itself
hears of its job also when its quota is used up.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from msgspec.structs import asdict, replace
from sqlalchemy import Connection, and_, func, insert, select, update

from core.job import TERMINAL, WAITING, State
from protocol.client import Accepted
from storage.events import store_event
from storage.operations import AcceptJob, Applied, JobRecord, Moment, Refused, Replayed
from storage.rows import JOB_COLUMNS, as_json, job_of, offers_of, read_whole_job
from storage.statements import given, literals
from storage.tables import history, jobs, quota, refs, users

REF_IN_FORCE_S = 24 * 3600.0
TOO_MANY_RETRY_S = 10.0

_REF = (
    select(refs.c.job, refs.c.digest, refs.c.seq, refs.c.accepted_at, jobs.c.state)
    .join_from(refs, jobs, refs.c.job == jobs.c.id)
    .where(refs.c.user == given("user"), refs.c.ref == given("ref"))
)
_PARENT = select(jobs.c.state, jobs.c.account, jobs.c.message_id, jobs.c.offers).where(
    jobs.c.id == given("parent"), jobs.c.user == given("user")
)
_STANDING = (
    select(
        users.c.banned,
        quota.c.used,
        select(func.count())
        .where(jobs.c.user == given("user"), jobs.c.finished_at.is_(None), jobs.c.state.in_(literals(sorted(WAITING))))
        .scalar_subquery()
        .label("waiting"),
    )
    .join_from(users, quota, and_(quota.c.user == users.c.id, quota.c.day == given("day")), isouter=True)
    .where(users.c.id == given("user"))
)
_FIRST_CHARGE = insert(quota)
_CHARGE = (
    update(quota)
    .where(quota.c.user == given("user"), quota.c.day == given("day"))
    .values(used=quota.c.used + given("charge"))
)
_TAKEN_OVER = ("user", "plan", "ref", "kind", "prompt", "mode", "action", "index", "parent")
_INSERT_JOB = insert(jobs).returning(*JOB_COLUMNS)
_INSERT_HISTORY = insert(history)
_INSERT_REF = insert(refs)
_RENEW_REF = update(refs).where(refs.c.user == given("user"), refs.c.ref == given("ref"))


class Button(NamedTuple):
    """What an act presses: only the account that drew the parent can."""

    affinity: str | None
    press_message_id: str | None
    press_custom_id: str | None


NO_BUTTON = Button(None, None, None)


def accept_job(connection: Connection, write: AcceptJob) -> Applied | Replayed | Refused:
    """See AcceptJob. The job comes with its history of one moment."""
    earlier = None
    if write.ref is not None:
        earlier = connection.execute(_REF, {"given_user": write.user, "given_ref": write.ref}).one_or_none()
        if earlier is not None and _in_force(earlier.state, earlier.accepted_at, write.at):
            return _again(connection, earlier, write)
    button: Button | Refused | None = _button(connection, write) if write.parent is not None else None
    if isinstance(button, Refused):
        return button
    standing = connection.execute(_STANDING, {"given_user": write.user, "given_day": write.day}).one_or_none()
    if refusal := _over_a_limit(standing, write):
        return refusal
    assert standing is not None
    _charge(connection, write, standing.used)
    job = _insert(connection, write, button)
    seq = store_event(
        connection, write.user, job.id, lambda seq: Accepted(seq, write.ref, job.id, write.position, write.eta_s)
    )
    if write.ref is not None:
        named = {"job": job.id, "digest": write.digest, "seq": seq, "accepted_at": write.at}
        if earlier is None:
            connection.execute(_INSERT_REF, {"user": write.user, "ref": write.ref, **named})
        else:
            connection.execute(_RENEW_REF, {"given_user": write.user, "given_ref": write.ref, **named})
    return Applied(job, seq)


def _in_force(state: str, accepted_at: float, now: float) -> bool:
    return state not in TERMINAL or now < accepted_at + REF_IN_FORCE_S


def _again(connection: Connection, earlier: Any, write: AcceptJob) -> Replayed | Refused:
    if earlier.digest != write.digest:
        return Refused("ref_conflict", "This ref names another request of yours; use a new ref.")
    job = read_whole_job(connection, earlier.job)
    assert job is not None, "a ref always names a stored job"
    return Replayed(job, earlier.seq)


def _button(connection: Connection, write: AcceptJob) -> Button | Refused:
    """Where the action's button is, or why the action cannot be had."""
    parent = connection.execute(_PARENT, {"given_user": write.user, "given_parent": write.parent}).one_or_none()
    if parent is None:
        return Refused("not_found", "You have no job of that id.")
    if parent.state != State.DONE:
        return Refused("bad_prompt", "That job has no picture to act on.")
    for offer in offers_of(parent.offers):
        if (offer.action, offer.index) == (write.action, write.index):
            return Button(parent.account, parent.message_id, offer.custom_id)
    return Refused("bad_prompt", "That job does not offer this action; choose one of its `actions`.")


def _over_a_limit(standing: Any, write: AcceptJob) -> Refused | None:
    if standing is None:
        return Refused("not_found", "There is no such user.")
    if standing.banned:
        return Refused("forbidden", "This user may not draw; ask the operator.")
    if standing.waiting >= write.queued:
        problem = f"You have {standing.waiting} jobs waiting and may have {write.queued}; wait for one to begin."
        return Refused("too_many_jobs", problem, TOO_MANY_RETRY_S)
    if write.charge and (standing.used or 0) + write.charge > write.daily:
        problem = f"Today's {write.daily} pictures are used up."
        return Refused("quota_exceeded", problem, max(0.0, write.resets_at - write.at))
    return None


def _charge(connection: Connection, write: AcceptJob, used: int | None) -> None:
    if not write.charge:
        return
    if used is None:
        connection.execute(_FIRST_CHARGE, {"user": write.user, "day": write.day, "used": write.charge})
    else:
        connection.execute(_CHARGE, {"given_user": write.user, "given_day": write.day, "given_charge": write.charge})


def _insert(connection: Connection, write: AcceptJob, button: Button | None) -> JobRecord:
    told = asdict(write)
    row = {name: told[name] for name in _TAKEN_OVER}
    row |= (button or NO_BUTTON)._asdict()
    row |= {
        "id": write.job,
        "state": State.QUEUED.value,
        "images_in": as_json(write.images_in),
        "offers": as_json(()),
        "attempt": 0,
        "charged": write.charge > 0,
        "charge": write.charge,
        "charged_day": write.day,
        "created_at": write.at,
    }
    job = job_of(connection.execute(_INSERT_JOB, row).one())
    connection.execute(_INSERT_HISTORY, {"job": job.id, "state": job.state, "at": write.at})
    return replace(job, history=(Moment(job.state, write.at),))
