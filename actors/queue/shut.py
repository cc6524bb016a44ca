"""The Queue's part about what no account takes up: that must not hang.

The one kind is bound to an account that waits for a person. What any account can draw moves on by itself: the account
gives no places, and what it was granted comes back. A job that is bound to it (it goes on from a picture that was drawn
there) waits for BOUND_S_MAX, for the operator may be quick; then it ends `upstream_blocked`, refunded, and new ones are
refused `no_account` until the account works again. An account says that it is out of work again and again, so that a
Queue that was restarted knows it too.

The other waits in a mode in which no account of ours draws any more, up or not: the config was changed, or an account
removed. It waits for UNOFFERED_S_MAX, for the next change may bring one, and accounts come up slowly after a start;
then it ends `no_account`, refunded. New ones are refused at once.
"""

from __future__ import annotations

from itertools import islice
from typing import Any, ClassVar

from actors.queue.messages import AccountShut
from actors.queue.oversight import QueueOversight
from core.fairness import Lane, Waiting
from core.job import ACT, WAITING, State
from core.skills import Skills, mode_of
from storage.operations import QueuedJob
from system.message import Message

BOUND_S_MAX = 600.0
#: Of one that has said nothing for so long nobody knows; it says so each `account/health.py SHUT_EACH_S`.
HEARD_S_MAX = 30.0
LOOK_EACH_S = 30.0
#: A job waits for so long for an account that draws in its mode, where there is none, up or not.
UNOFFERED_S_MAX = 600.0
#: Of those at most so many end with each look, so that nobody waits for it.
UNOFFERED_ENDS_MAX = 1_000
BLOCKED_TEXT = "The account that drew what this goes on from is out of work, and no other can go on with it."


class BoundDue(Message, frozen=True):
    """Does anything wait for an account that has been out of work for too long?"""


class OffersDue(Message, frozen=True):
    """Does anything wait in a mode in which nobody draws any more?"""


class QueueShut(QueueOversight):
    """Between QueueOversight and Queue."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (AccountShut, BoundDue, OffersDue)

    def __init__(self) -> None:
        super().__init__()
        #: Accounts that wait for a person: since when, and when they said so last (monotonic s).
        self.shut: dict[str, tuple[float, float]] = {}
        #: Lanes in which something waits that nobody draws: since when (monotonic s). And whose word that was.
        self.unoffered: dict[Lane, float] = {}
        self.looked_at: Skills | None = None

    def on_start(self) -> None:
        super().on_start()
        self.after(LOOK_EACH_S, OffersDue())

    def receiveMsg_AccountShut(self, news: AccountShut, sender: Any) -> None:
        if not self.shut:
            self.after(LOOK_EACH_S, BoundDue())
        since, _ = self.shut.get(news.account, (self.now(), 0.0))
        self.shut[news.account] = (since, self.now())

    def receiveMsg_BoundDue(self, due: BoundDue, sender: Any) -> None:
        heard_since = self.now() - HEARD_S_MAX
        self.shut = {
            account: (since, heard_at)
            for account, (since, heard_at) in self.shut.items()
            if heard_at >= heard_since and account not in self.ready
        }
        long_shut = {account for account in self.shut if self.is_long_shut(account)}
        if long_shut:
            for waiting in self.fair.bound_elsewhere(self.modes.keys() - long_shut):
                self._fail(waiting, "upstream_blocked", BLOCKED_TEXT)
        if self.shut:
            self.after(LOOK_EACH_S, due)

    def receiveMsg_OffersDue(self, due: OffersDue, sender: Any) -> None:
        self.after(LOOK_EACH_S, due)
        # All that waits is looked at only when what accounts draw has changed, and as long as that has consequences.
        if self.skills is self.looked_at and not self.unoffered:
            return
        self.looked_at, now = self.skills, self.now()
        lanes = {waiting.lane for waiting in self.fair.all_waiting()}
        self.unoffered = {lane: self.unoffered.get(lane, now) for lane in lanes if not self._is_offered(*lane)}
        over = {lane for lane, since in self.unoffered.items() if now - since >= UNOFFERED_S_MAX}
        ending = (waiting for waiting in self.fair.all_waiting() if waiting.lane in over) if over else ()
        for waiting in tuple(islice(ending, UNOFFERED_ENDS_MAX)):
            self._fail(waiting, "no_account", f"No account draws in mode {mode_of(waiting.mode)} any more.")

    def _is_offered(self, mode: str, account: str | None) -> bool:
        """Whether any account of ours (or the one that a job is bound to) draws in this lane, up or not."""
        able = self.modes.keys() if account is None else {account} & self.modes.keys()
        return any(mode in self.skills.lanes(name, self.modes[name]) for name in able)

    def _fail(self, waiting: Waiting, code: str, words: str) -> None:
        """What waited in vain ends, refunded."""
        plan = self.plans[waiting.user]
        job = QueuedJob(waiting.job, waiting.user, plan, waiting.mode, waiting.account, waiting.attempt, ACT)
        self.settle(job, tuple(WAITING), State.FAILED, code=code, message=words, charged=False)

    def is_long_shut(self, account: str) -> bool:
        """Whether it has waited for a person for longer than what is bound to it waits."""
        since, _ = self.shut.get(account, (self.now(), 0.0))
        return account not in self.ready and self.now() - since >= BOUND_S_MAX

    def nobody_draws(self, mode: str, kind: str, has_images: bool, account: str | None) -> str | None:
        """Why no account (or not the one that a job is bound to) can draw such a job, for people; None: one can."""
        if account is not None and self.is_long_shut(account):
            return BLOCKED_TEXT
        able = self.modes.values() if account is None else (self.modes[account],)
        if not any(mode in modes for modes in able):
            return f"No account draws {'this ' if account else ''}in mode {mode}."
        if not self.skills.can_draw(mode, kind, has_images, account):
            return f"No account here draws {kind}{' with pictures' if has_images else ''} in mode {mode}."
        return None
