"""Account: one Discord account through which the drawing bot works. Carries drawings there and tells what became of them.

Takes   Perform, Go, NoGo, Acknowledged, Holdings, Stop, Announce, FreshPicture, (its own: frames, answers, timers)
Sends   Begin, Returned, Doubtful, Sighted, Drawn, Failed, AskHoldings -> queue;  AccountUp, AccountDown, SlotFree, Renew -> scheduler;
        Progressed -> lobby;  Previewed, PictureAt -> gallery;  Observed -> monitor
Crash   restarted by Accounts; resumes its gateway session, asks the Queue what it holds, and correlates again
"""

from __future__ import annotations

from system.message import Message


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
    """The bot shows a preview at this URL; the gallery fetches the newest and tells Progressed with our own path."""

    user: str
    job: str
    percent: int
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
