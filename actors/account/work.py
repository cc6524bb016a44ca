"""Work: one drawing as its account holds it, from the token to the fact that ends it; and how refusals are judged."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from actors.account.errands import Posted
from actors.account.pause import cause_of_notice
from actors.queue.messages import Failed, Returned
from core.health import Cause
from core.reconcile import Doubt
from protocol.drawing_events import Refusal
from storage.operations import JobRecord

#: An upstream that refuses a job again and again is not asked for ever. What says nothing of the job does not count:
#: a grant that never began, and limits, which are the account's matter and pass.
REFUSALS_MAX = 12
#: What a block counts for: a job whose account was blocked goes to one other account, and if that is blocked too to no
#: third. For all we know it is the job that they are blocked for.
BLOCK_WEIGHT = REFUSALS_MAX // 2
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
    """`since`: when the step began; `due_at`: by when it must be drawn; `heard_at`: since when it is silent.

    All monotonic s; `go_at`: when Go came. `refusals`: how often the job was refused before, as the Queue counts.

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
    refusals: int = 0
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

    @property
    def ids(self) -> dict[str, Any]:
        """What a log line about it is found by."""
        return {"job": self.job_id, "user": self.user, "attempt": self.attempt}


def returned(account: str, work: Work, why: str, weight: int = 1) -> Returned | None:
    """Refused once more, for what may go better another time: back to the queue; None: that was once too often."""
    refusals = work.refusals + weight
    if refusals >= REFUSALS_MAX:
        return None
    return Returned(account, work.job_id, work.attempt, why[:TEXT_CHARS_MAX], refusals)


def after_posted(account: str, work: Work, posted: Posted) -> Returned | Failed:
    """What follows from a submission that Discord refused or never got."""
    if posted.again and posted.kind == LIMITED:
        return Returned(account, work.job_id, work.attempt, posted.why[:TEXT_CHARS_MAX])
    is_bound = posted.kind in ACCOUNT_CAUSES and work.job is not None and work.job.affinity is not None
    if posted.again and not is_bound and (back := returned(account, work, posted.why)) is not None:
        return back
    failed = partial(Failed, account, work.job_id, work.attempt, "failed", charged=False)
    if posted.kind == "input":
        return failed(code="bad_prompt", message=f"It cannot be drawn: {posted.why}."[:TEXT_CHARS_MAX])
    if posted.kind in ACCOUNT_CAUSES:
        return failed(code="upstream_blocked", message=HELD_UP_TEXT)
    words = f"Discord did not take it: {posted.why}"[:TEXT_CHARS_MAX]
    if posted.kind == "stale_version":
        words = CHANGED_TEXT
    elif posted.outcome == "unsent":
        words = NOT_REACHED_TEXT
    return failed(code="upstream_rejected", message=words)


def after_refusal(account: str, work: Work, refusal: Refusal) -> Returned | Failed:
    """What follows from a refusal of the drawing bot's. Only what the user could foresee is charged."""
    may_return = work.job is not None and not work.sighted and work.job.affinity is None
    weight = BLOCK_WEIGHT if cause_of_notice(refusal.title) is Cause.BLOCKED else 1
    if refusal.retry and may_return and (back := returned(account, work, refusal.title, weight)) is not None:
        return back
    words = ". ".join(filter(None, (refusal.title, refusal.description)))[:TEXT_CHARS_MAX]
    if refusal.pauses_account:  # that is for the operator, who is told of it
        words = HELD_UP_TEXT
    return Failed(account, work.job_id, work.attempt, "failed", refusal.code, words, refusal.fault_of_user)
