"""The Queue's part about accounts that wait for a person: what only such an account can go on with must not hang.

What any account can draw moves on by itself: the account gives no places, and what it was granted comes back. A job
that is bound to it (it goes on from a picture that was drawn there) waits for BOUND_S_MAX, for the operator may be
quick; then it ends `upstream_blocked`, refunded, and new ones are refused `no_account` until the account works again.
An account says that it is out of work again and again, so that a Queue that was restarted knows it too.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.queue.messages import AccountShut
from actors.queue.oversight import QueueOversight
from core.job import ACT, WAITING, State
from storage.operations import QueuedJob
from system.message import Message

BOUND_S_MAX = 600.0
#: Of one that has said nothing for so long nobody knows; it says so each `account/health.py SHUT_EACH_S`.
HEARD_S_MAX = 30.0
LOOK_EACH_S = 30.0
BLOCKED_TEXT = "The account that drew what this goes on from is out of work, and no other can go on with it."


class BoundDue(Message, frozen=True):
    """Does anything wait for an account that has been out of work for too long?"""


class QueueShut(QueueOversight):
    """Between QueueOversight and Queue."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (AccountShut, BoundDue)

    def __init__(self) -> None:
        super().__init__()
        #: Accounts that wait for a person: since when, and when they said so last (monotonic s).
        self.shut: dict[str, tuple[float, float]] = {}

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
                plan = self.plans[waiting.user]
                job = QueuedJob(waiting.job, waiting.user, plan, waiting.mode, waiting.account, waiting.attempt, ACT)
                self.settle(
                    *(job, tuple(WAITING), State.FAILED), code="upstream_blocked", message=BLOCKED_TEXT, charged=False
                )
        if self.shut:
            self.after(LOOK_EACH_S, due)

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
