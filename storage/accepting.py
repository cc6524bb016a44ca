"""Accepting a job: refusals first, by reading; then everything that makes it a job, in one transaction.

The order of the checks is a promise: a ref that is in force answers before any limit, so a client that repeats itself
hears of its job also when its quota is used up.
"""

from __future__ import annotations

from typing import NamedTuple

from msgspec.structs import asdict, replace
from sqlalchemy import and_, func, select, update

from core.job import TERMINAL, WAITING, State
from protocol.client import Accepted
from storage.events import store_event
from storage.operations import AcceptJob, Applied, JobRecord, Moment, Refused, Replayed
from storage.rows import INSERT_HISTORY, as_stored, offers_of
from storage.statements import Statement, given, insertion, literals
from storage.tables import jobs, quota, refs, users
from storage.writing import Writing

REF_IN_FORCE_S = 24 * 3600.0
TOO_MANY_RETRY_S = 10.0
#: A job that is not further back than this moves soon, and is worth remembering.
SOON_PLACES = 100

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


def accept_job(writing: Writing, write: AcceptJob) -> Applied | Replayed | Refused:
    """See AcceptJob. The job comes with its history of one moment."""
    earlier = None
    if write.ref is not None:
        row = _REF.one(writing.connection, user=write.user, ref=write.ref)
        earlier = Earlier(*row) if row is not None else None
        if earlier is not None and _in_force(earlier.state, earlier.accepted_at, write.at):
            return _again(writing, earlier, write)
    button: Button | Refused | None = _button(writing, write) if write.parent is not None else None
    if isinstance(button, Refused):
        return button
    row = _STANDING.one(writing.connection, user=write.user, day=write.day)
    if row is None:
        return Refused("not_found", "There is no such user.")
    standing = Standing(*row)
    if refusal := _over_a_limit(writing, standing, write):
        return refusal
    _charge(writing, write, standing.used)
    job = _insert(writing, write, button or NO_BUTTON)
    seq = store_event(
        writing, write.user, job.id, lambda seq: Accepted(seq, write.ref, job.id, write.position, write.eta_s)
    )
    if write.ref is not None:
        named = {"job": job.id, "digest": write.digest, "seq": seq, "accepted_at": write.at}
        (_INSERT_REF if earlier is None else _RENEW_REF).run(
            writing.connection, user=write.user, ref=write.ref, **named
        )
    return Applied(job, seq)


def _in_force(state: str, accepted_at: float, now: float) -> bool:
    return state not in TERMINAL or now < accepted_at + REF_IN_FORCE_S


def _again(writing: Writing, earlier: Earlier, write: AcceptJob) -> Replayed | Refused:
    if earlier.digest != write.digest:
        return Refused("ref_conflict", "This ref names another request of yours; use a new ref.")
    job = writing.whole_job(earlier.job)
    assert job is not None, "a ref always names a stored job"
    return Replayed(job, earlier.seq)


def _button(writing: Writing, write: AcceptJob) -> Button | Refused:
    """Where the action's button is, or why the action cannot be had."""
    parent = _PARENT.one(writing.connection, user=write.user, parent=write.parent)
    if parent is None:
        return Refused("not_found", "You have no job of that id.")
    state, account, message_id, offers = parent
    if state != State.DONE:
        return Refused("bad_prompt", "That job has no picture to act on.")
    for offer in offers_of(offers):
        if (offer.action, offer.index) == (write.action, write.index):
            return Button(account, message_id, offer.custom_id)
    return Refused("bad_prompt", "That job does not offer this action; choose one of its `actions`.")


def _over_a_limit(writing: Writing, standing: Standing, write: AcceptJob) -> Refused | None:
    if standing.banned:
        return Refused("forbidden", "This user may not draw; ask the operator.")
    if standing.unfinished >= write.queued:
        ((waiting,),) = _WAITING.all(writing.connection, user=write.user)
        if waiting >= write.queued:
            problem = f"You have {waiting} jobs waiting and may have {write.queued}; wait for one to begin."
            return Refused("too_many_jobs", problem, TOO_MANY_RETRY_S)
    if write.charge and (standing.used or 0) + write.charge > write.daily:
        problem = f"Today's {write.daily} pictures are used up."
        return Refused("quota_exceeded", problem, max(0.0, write.resets_at - write.at))
    return None


def _charge(writing: Writing, write: AcceptJob, used: int | None) -> None:
    if not write.charge:
        return
    if used is None:
        _FIRST_CHARGE.run(writing.connection, user=write.user, day=write.day, used=write.charge)
    else:
        _CHARGE.run(writing.connection, user=write.user, day=write.day, charge=write.charge)


def _insert(writing: Writing, write: AcceptJob, button: Button) -> JobRecord:
    job = _new_job(write, button)
    _INSERT_JOB.run(writing.connection, **as_stored(asdict(job)), charge=write.charge, charged_day=write.day)
    writing.later(INSERT_HISTORY, job=job.id, state=job.state, at=write.at)
    if write.position <= SOON_PLACES:
        writing.note(job)
    return replace(job, history=(Moment(job.state, write.at),))


def _new_job(write: AcceptJob, button: Button) -> JobRecord:
    """All that it will be told later is unknown yet."""
    return JobRecord(
        id=write.job,
        user=write.user,
        plan=write.plan,
        ref=write.ref,
        state=State.QUEUED.value,
        kind=write.kind,
        prompt=write.prompt,
        mode=write.mode,
        images_in=write.images_in,
        action=write.action,
        index=write.index,
        parent=write.parent,
        affinity=button.affinity,
        press_message_id=button.press_message_id,
        press_custom_id=button.press_custom_id,
        attempt=0,
        account=None,
        nonce=None,
        lease=None,
        gateway_session=None,
        interaction_id=None,
        start_message_id=None,
        message_id=None,
        job_hash=None,
        picture_url=None,
        offers=(),
        code=None,
        message=None,
        text=None,
        charged=write.charge > 0,
        created_at=write.at,
        submitted_at=None,
        started_at=None,
        finished_at=None,
    )
