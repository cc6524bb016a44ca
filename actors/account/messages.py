"""What is said to an account and by it, save to and by the Queue (queue/messages.py). Its actors are the drivers."""

from __future__ import annotations

from core.health import Cause, Health
from system.message import Message

#: What Drawn calls picture_url, of a picture that its account has put into the image store already: this and its path.
KEPT = "kept:"


def preview_path(job: str, percent: int) -> str:
    """Where users find the job's newest preview; the percent makes a browser ask again."""
    return f"/images/{job}/preview?p={percent}"


class Perform(Message, frozen=True):
    """A session passes its token on: draw this job."""

    user: str
    job: str
    attempt: int
    lease: str
    account: str
    epoch: int


class Progressed(Message, frozen=True):
    """How far a drawing is; `preview` is a path on our server or None. Not stored; may be coalesced."""

    user: str
    job: str
    percent: int
    preview: str | None


class Previewed(Message, frozen=True):
    """The bot shows a preview at this URL: from now on it is the job's newest, to be fetched when somebody looks."""

    user: str
    job: str
    url: str


class FreshPicture(Message, frozen=True):
    """The gallery needs a picture URL that has not expired: read the message again. Answered by PictureAt."""

    account: str
    job: str
    message_id: str


class PictureAt(Message, frozen=True):
    """The picture's URL now; None: the message is gone, or Discord does not say (`why`)."""

    job: str
    message_id: str
    url: str | None
    why: str | None


# --- from the operator


class Suspend(Message, frozen=True):
    """The operator takes the account out of work; what it draws goes on. `reason` is for people; `cause` says what is
    meant: a suspension, a drain, or that it leaves when it holds nothing any more (then it says Vacant).

    With `ask` the console is answered by Obeyed, once it is stored.
    """

    account: str
    reason: str
    ask: str | None = None
    cause: Cause = Cause.OPERATOR


class Reinstate(Message, frozen=True):
    """The operator gives a suspended or paused account work again. Answered like Suspend."""

    account: str
    ask: str | None = None


class Obeyed(Message, frozen=True):
    """To the console: it is so, and stored; `changed`: it was not before."""

    ask: str
    changed: bool


class AskStanding(Message, frozen=True):
    """The console asks how the account does. Answered by Standing."""

    account: str
    ask: str


class Standing(Message, frozen=True):
    """How an account does, in the words of core.health: its state, and of the gravest of its troubles the cause, why
    (for people), since when (Unix s) and what ends it; all None when it is up. `busy`: how many it draws; `holding`:
    their jobs, the oldest first; `draining`: it is to finish them and to get no others."""

    ask: str
    account: str
    state: str
    cause: str | None
    reason: str | None
    since: float | None
    ends: str | None
    slots: int
    busy: int
    holding: tuple[str, ...] = ()
    draining: bool = False


def standing_of(health: Health, ask: str, account: str, slots: int, holding: tuple[str, ...]) -> Standing:
    """The answer to a question."""
    worst, work = health.worst, (slots, len(holding), holding, health.is_draining)
    if worst is None:
        return Standing(ask, account, health.state, None, None, None, None, *work)
    return Standing(ask, account, health.state, worst.cause, worst.words, worst.since, worst.rule.ends, *work)


class SetSlots(Message, frozen=True):
    """The operator changes how many drawings it may hold at once, from now on. Answered like Suspend."""

    account: str
    slots: int
    ask: str | None = None


class Vacant(Message, frozen=True):
    """To the console, again and again: the account that is to leave holds nothing any more."""

    account: str
