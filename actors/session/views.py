"""Views: stored records as users see them (CONTRACT §3, §4). Pure functions; what is only known live is laid over."""

from __future__ import annotations

from msgspec import Struct

from core.config import Plan
from core.job import State, charge_of
from core.quota import resets_at
from protocol.client import Accepted, Action, HistoryEntry, Job, Quota, Welcome, rfc3339
from storage.events import picture_of
from storage.operations import JobRecord, UserRecord

SERVER = "limner"


class Live(Struct, frozen=True):
    """What is known of an unfinished job beyond the store; it changes too often to be stored."""

    position: int | None = None
    eta_s: float | None = None
    percent: int | None = None
    preview: str | None = None


NOTHING_LIVE = Live()

#: Places are told so often at most; and exactly, however little they moved, so often at least.
PLACES_EACH_S, PLACES_EXACT_EACH_S = 2.0, 30.0
#: A place is news when it moved by more than this part of itself: near the head each step, far back what shows.
PLACE_NEWS_PART = 0.05
#: An ETA is news when it moved by more than this part of itself, or these seconds.
ETA_NEWS_PART, ETA_NEWS_S = 0.1, 2.0
FORGOTTEN_TEXT = "Its pictures are not kept any more."


def is_news(before: Live, position: int, eta_s: float | None, *, exactly: bool = False) -> bool:
    """Whether a place differs enough from the one told last to be told again; `exactly`: any other place does."""
    if before.position is None or (eta_s is None) != (before.eta_s is None):
        return True
    if abs(position - before.position) > (0 if exactly else PLACE_NEWS_PART * before.position):
        return True
    if eta_s is None or before.eta_s is None:
        return False
    return abs(eta_s - before.eta_s) > max(ETA_NEWS_S, ETA_NEWS_PART * before.eta_s)


def pause_s(position: int, eta_s: float | None) -> float:
    """For how long a place is not worth asking for again: until it may be news, which far back takes a while."""
    if eta_s is None:
        return PLACES_EACH_S if position * PLACE_NEWS_PART <= 1 else PLACES_EXACT_EACH_S
    return min(max(PLACES_EACH_S, PLACE_NEWS_PART * eta_s), PLACES_EXACT_EACH_S)


def message_of(job: JobRecord) -> str | None:
    """What a job says to people: why it failed, or that its pictures are forgotten (they go before it does)."""
    has_nothing = job.state == State.DONE and not job.images and job.text is None
    return FORGOTTEN_TEXT if has_nothing else job.message


def job_view(job: JobRecord, live: Live = NOTHING_LIVE) -> Job:
    """The job of CONTRACT §4."""
    queued, done = job.state == State.QUEUED, job.state == State.DONE
    return Job(
        job=job.id,
        ref=job.ref,
        status=State(job.state),
        kind=job.kind,
        prompt=job.prompt,
        mode=job.mode,
        position=live.position if queued else None,
        eta_s=live.eta_s if queued else None,
        percent=_percent(job.state, live),
        images=tuple(picture_of(image) for image in job.images),
        actions=tuple(Action(offer.action, offer.index, offer.label) for offer in job.offers) if done else (),
        code=job.code,
        message=message_of(job),
        charged=job.charged,
        created_at=rfc3339(job.created_at),
        finished_at=rfc3339(job.finished_at) if job.finished_at is not None else None,
        parent=job.parent,
        history=tuple(HistoryEntry(moment.state, rfc3339(moment.at)) for moment in job.history),
    )


def first_view(job: JobRecord, position: int | None, eta_s: float | None) -> Job:
    """The job as it was when it was accepted: what the same request is answered again, whatever has happened since."""
    created_at = rfc3339(job.created_at)
    return Job(
        job=job.id,
        ref=job.ref,
        status=State.QUEUED,
        kind=job.kind,
        prompt=job.prompt,
        mode=job.mode,
        position=position,
        eta_s=eta_s,
        charged=charge_of(job.kind, job.action) > 0,
        created_at=created_at,
        parent=job.parent,
        history=(HistoryEntry("queued", created_at),),
    )


def accepted_frame(job: JobRecord, seq: int, position: int | None, eta_s: float | None) -> Accepted:
    """The `accepted` event."""
    return Accepted(seq, job.ref or "", job.id, position, eta_s)


def welcome_frame(user: UserRecord, seq: int, plan: Plan, charged_at: float) -> Welcome:
    """The first frame after authentication; `user.used` is of the plan's day at `charged_at`, `seq` the newest."""
    quota = Quota(plan.daily, user.used, rfc3339(resets_at(charged_at, plan.timezone)))
    return Welcome(user.name, user.plan, quota, seq, SERVER)


def _percent(state: str, live: Live) -> int | None:
    if state == State.DONE:
        return 100
    return live.percent or 0 if state in (State.DRAWING, State.KEEPING) else None
