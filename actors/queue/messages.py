"""What is said to the Queue and by it: the vocabulary of a drawing's life (the actor is in queue.py).

Grouped by correspondent. Messages for a user's session go to "lobby", which finds the session by `user`.
"""

from __future__ import annotations

from typing import TypeAlias

from storage.operations import ImageRecord, JobRecord, Offer
from system.message import Message

#: Of how many waiting jobs of a user the places are told, the next ones first.
PLACES_TOLD_MAX = 100
LOBBY = "lobby"

# --- from sessions


class Enqueue(Message, frozen=True):
    """A user wants a drawing. `request_id` comes back in the answer: JobAccepted or JobRefused.

    The answer is for `reply_to`; that a job was accepted, the user's session hears in any case.
    """

    user: str
    request_id: str
    plan: str
    ref: str | None
    kind: str
    prompt: str
    mode: str
    images: tuple[str, ...] = ()
    action: str | None = None
    index: int | None = None
    parent: str | None = None
    reply_to: str = LOBBY


class Cancel(Message, frozen=True):
    """A user (or, `user` None, the operator) no longer wants it. Answered by CancelHeard to `reply_to`."""

    user: str | None
    request_id: str
    job: str
    reply_to: str = LOBBY


class AskPlaces(Message, frozen=True):
    """Where do this user's next waiting jobs stand, `most` of them at most? Answered by Places."""

    user: str
    most: int = PLACES_TOLD_MAX


class Drain(Message, frozen=True):
    """The daemon is about to stop: accept no new jobs."""


# --- to sessions, through the lobby


class JobAccepted(Message, frozen=True):
    """Durably stored. `replayed`: it had been before, under the same ref."""

    user: str
    request_id: str
    job: JobRecord
    seq: int
    position: int | None
    eta_s: float | None
    replayed: bool


class JobRefused(Message, frozen=True):
    """Nothing was stored; `code` of CONTRACT §3."""

    user: str
    request_id: str
    code: str
    message: str
    retry_after_s: float | None


class CancelHeard(Message, frozen=True):
    """`code` None: cancelled or asked of the bot; the terminal event tells. Else nothing was done: not_found,
    not_cancellable, draining (the database takes nothing now) or internal. Not `fresh`: it had been asked before."""

    user: str | None
    request_id: str
    job: JobRecord | None
    code: str | None
    fresh: bool = True


class Place(Message, frozen=True):
    """Where one waiting job stands."""

    job: str
    position: int
    eta_s: float | None


class Places(Message, frozen=True):
    """Place (from 1) and ETA of the user's waiting jobs, of as many of the first as were asked for."""

    user: str
    places: tuple[Place, ...]


class JobMoved(Message, frozen=True):
    """A job is in another state; `seq` when it made a stored event (started)."""

    user: str
    job: JobRecord
    seq: int | None


class JobSettled(Message, frozen=True):
    """The one terminal event of a job."""

    user: str
    job: JobRecord
    seq: int


# --- with the scheduler


class Demand(Message, frozen=True):
    """One free place on an account: the fair next job for it, please. Stands until Next or Withdraw.

    Of several places that would do, the one with the smallest `load` (0: idle) gets the job.
    """

    lease: str
    epoch: int
    account: str
    modes: tuple[str, ...]
    load: float


class Withdraw(Message, frozen=True):
    """The place is gone again (account down)."""

    lease: str


class Next(Message, frozen=True):
    """The fair next job for a Demand, granted and stored."""

    lease: str
    epoch: int
    user: str
    job: str
    attempt: int
    account: str


class Outdated(Message, frozen=True):
    """A demand's epoch is older than one the Queue has seen: the clock was set back. Ask again in a later one."""

    epoch: int


class LedgerOpen(Message, frozen=True):
    """The Queue has (re)started and knows no demands: please make them again."""


class Capacity(Message, frozen=True):
    """How many drawings all accounts that are up can hold at once, and in which modes each of them draws: what ETAs
    are reckoned with."""

    slots: int
    modes: dict[str, tuple[str, ...]]


class LeaseVoid(Message, frozen=True):
    """It did not begin in time. Answered by LeaseVoided: whether the job went back, or has begun after all."""

    lease: str
    job: str
    attempt: int


class LeaseVoided(Message, frozen=True):
    """`begun`: too late to void, the account has it; else the job is queued again and the place is free."""

    lease: str
    begun: bool


# --- with accounts


class AccountsChanged(Message, frozen=True):
    """The accounts of the config are others now. To "accounts", which starts and ends them; from there to the Queue,
    once those that are gone have ended."""


class Begin(Message, frozen=True):
    """An account is about to submit, while it hears this gateway session. Answered by Go or NoGo."""

    account: str
    job: str
    attempt: int
    lease: str
    gateway_session: str | None


class Go(Message, frozen=True):
    """`submitting` is stored (`job.nonce` is fresh): start the POST within GO_FRESH_S, or give the job back.

    `refusals`: how often it was refused before, by whomever.
    """

    account: str
    job: JobRecord
    refusals: int = 0


class NoGo(Message, frozen=True):
    """The lease is stale: forget it, and free the slot."""

    account: str
    job: str
    attempt: int


class Returned(Message, frozen=True):
    """Proven not taken by the bot: back to the head of its lane. `why` goes on the attempt's record.

    `refusals`: how often the job was refused now, where this is one more refusal; 0: it says nothing of the job.
    """

    account: str
    job: str
    attempt: int
    why: str
    refusals: int = 0


class Doubtful(Message, frozen=True):
    """The POST may have arrived; evidence will tell. `cut_off`: when it had been cut off (core.reconcile.stamp)."""

    account: str
    job: str
    attempt: int
    cut_off: str | None = None


class Sighted(Message, frozen=True):
    """The bot has it: ids as far as known (None: not yet)."""

    account: str
    job: str
    attempt: int
    interaction_id: str | None
    start_message_id: str | None
    job_hash: str | None


class Drawn(Message, frozen=True):
    """Finished. Sent again until Acknowledged."""

    account: str
    job: str
    attempt: int
    message_id: str
    picture_url: str | None
    job_hash: str | None
    offers: tuple[Offer, ...]
    text: str | None


class Failed(Message, frozen=True):
    """Ended without a picture: `state` failed, or cancelled by the bot on request. Sent again until Acknowledged."""

    account: str
    job: str
    attempt: int
    state: str
    code: str
    message: str
    charged: bool


#: What an account tells until it is acknowledged.
Fact: TypeAlias = Returned | Doubtful | Sighted | Drawn | Failed


class Acknowledged(Message, frozen=True):
    """This Fact (`fact`: its class name) about the attempt is stored, or stale."""

    account: str
    job: str
    attempt: int
    fact: str


class AccountShut(Message, frozen=True):
    """The account waits for a person, and can draw nothing till then. Said again and again as long as it is so."""

    account: str


class AskHoldings(Message, frozen=True):
    """An account that (re)starts asks what it was doing. Answered by Holdings."""

    account: str


class Holdings(Message, frozen=True):
    """The account's unfinished attempts (submitting, undecided, drawing)."""

    account: str
    jobs: tuple[JobRecord, ...]


class Stop(Message, frozen=True):
    """The user no longer wants this drawing: ask the bot to cancel it."""

    account: str
    job: str


# --- with the gallery


class Keep(Message, frozen=True):
    """Fetch, check and keep this job's picture. Sent again until answered by Kept or NotKept."""

    job: JobRecord


class Kept(Message, frozen=True):
    """The pictures are in the image store."""

    job: str
    attempt: int
    images: tuple[ImageRecord, ...]


class NotKept(Message, frozen=True):
    """The picture cannot be had; the job fails with this code, refunded."""

    job: str
    attempt: int
    code: str
    message: str
