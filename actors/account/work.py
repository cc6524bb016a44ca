"""Work: one drawing as its account holds it, from the token to the fact that ends it; and how refusals are judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from actors.account.errands import Posted
from actors.queue.messages import Failed, Returned
from core.health import Cause
from core.reconcile import Doubt
from protocol.drawing_events import Refusal
from storage.operations import JobRecord

#: An upstream that refuses a job again and again is not asked for ever. Grants that never began count too. Only limits,
#: which are the account's matter and pass, may refuse a job as often as they like.
ATTEMPTS_MAX = 12
TEXT_CHARS_MAX = 500
#: A refusal of these kinds (rest.Refused) is no matter of the drawing's but of the account's.
ACCOUNT_CAUSES = {"token": Cause.TOKEN, "account": Cause.REFUSED, "captcha": Cause.CAPTCHA}
#: A refusal of this kind says nothing of the job, and fails none.
LIMITED = "rate_limited"

# What users read where the other side's own words are for the operator, or for nobody.
HELD_UP_TEXT = "It was not drawn: the account that it went to needs a person first. You can send it again."
NOT_REACHED_TEXT = "It was not drawn: Discord could not be reached. You can send it again."
CHANGED_TEXT = "It was not drawn: the drawing bot's commands have changed. You can send it again."


class Step(Enum):
    """How far it is. From SUBMITTING on the bot may know of it."""

    BEGINNING = 1  # Begin was sent: the Queue has the word
    SUBMITTING = 2  # Go came, the POST is under way
    WITH_BOT = 3  # taken, or evidence came
    DOUBTFUL = 4  # the POST may have arrived


@dataclass(slots=True)
class Work:
    """`since`: when the step began; `due_at`: by when it must be drawn; `heard_at`: when last the bot was heard of it.

    All monotonic s; `go_at`: when Go came.

    `took_seq` is the gateway event that proved it taken, as long as nothing of it is stored; `sighted`: the Queue was
    told that it is drawn; `cancel`: (message id, custom id) of its cancel button; `restored`: an earlier life of the
    account began it; `shows`: how often it was asked for, last at `shown_at`.
    """

    job_id: str
    user: str
    attempt: int
    lease: str | None
    step: Step
    since: float
    go_at: float = 0.0
    due_at: float = 0.0
    heard_at: float = 0.0
    job: JobRecord | None = None
    session_id: str | None = None
    doubt: Doubt | None = None
    took_seq: int | None = None
    form_filled: bool = False
    interaction_id: str | None = None
    hash: str | None = None
    sighted: bool = False
    cancel: tuple[str, str] | None = None
    stop_wanted: bool = False
    stop_pressed_at: float | None = None
    restored: bool = False
    shows: int = 0
    shown_at: float = 0.0


def after_posted(account: str, job: JobRecord, posted: Posted) -> Returned | Failed:
    """What follows from a submission that Discord refused or never got."""
    is_bound = posted.kind in ACCOUNT_CAUSES and job.affinity is not None
    may_try = job.attempt < ATTEMPTS_MAX or posted.kind == LIMITED
    if posted.again and may_try and not is_bound:
        return Returned(account, job.id, job.attempt, posted.why[:TEXT_CHARS_MAX])
    if posted.kind == "input":
        words = f"It cannot be drawn: {posted.why}."[:TEXT_CHARS_MAX]
        return Failed(account, job.id, job.attempt, "failed", "bad_prompt", words, charged=False)
    code, words = "upstream_rejected", f"Discord did not take it: {posted.why}"[:TEXT_CHARS_MAX]
    if posted.kind in ACCOUNT_CAUSES:
        code, words = "upstream_blocked", HELD_UP_TEXT
    elif posted.kind == "stale_version":
        words = CHANGED_TEXT
    elif posted.outcome == "unsent":
        words = NOT_REACHED_TEXT
    return Failed(account, job.id, job.attempt, "failed", code, words, charged=False)


def after_refusal(account: str, work: Work, refusal: Refusal) -> Returned | Failed:
    """What follows from a refusal of the drawing bot's. Only what the user could foresee is charged."""
    job = work.job
    may_return = job is not None and not work.sighted and job.attempt < ATTEMPTS_MAX and job.affinity is None
    if refusal.retry and may_return:
        return Returned(account, work.job_id, work.attempt, refusal.title)
    words = ". ".join(filter(None, (refusal.title, refusal.description)))[:TEXT_CHARS_MAX]
    if refusal.pauses_account:  # that is for the operator, who is told of it
        words = HELD_UP_TEXT
    return Failed(account, work.job_id, work.attempt, "failed", refusal.code, words, refusal.fault_of_user)
