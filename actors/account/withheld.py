"""WithheldAccount: an added account that nobody can speak for: its token cannot be opened, or it may not be used here.

Takes   Perform (session);  Go, NoGo, Acknowledged, Holdings, Stop (queue);  Announce (scheduler);  FreshPicture
        (gallery);  Suspend, Reinstate, SetSlots, AskStanding (console);  SetPace, TellHealth (monitor);  Committed,
        NotCommitted, LookedUp (store);  Tick, ResendDue (itself)
Sends   Failed, Returned, AskHoldings, AccountShut -> queue;  AccountDown, SlotFree, Renew -> scheduler;
        PictureAt -> gallery;  Observed, AccountState -> monitor;  Obeyed, Standing, Vacant -> console;
        Commit, Lookup -> store
Crash   restarted by Accounts, and knows as much as before

It stands in the place of the account's driver, so that operators see it, with the reason, and can remove it; all others
work on. What an earlier life of it was drawing is waited for in vain and fails, refunded, when its time is over.
"""

from __future__ import annotations

from typing import Any

from actors.account.desk import AccountDesk
from actors.account.messages import FreshPicture, PictureAt
from actors.account.work import Work
from core.health import Cause
from storage.operations import JobRecord


class WithheldAccount(AccountDesk):
    """See the module's docstring."""

    def on_open(self) -> None:
        self.strike(Cause.SETUP, self.process.withheld[self.subject])

    def on_resumed(self) -> None:
        self.on_open()  # saying that all is well makes it no better

    def submit(self, work: Work, job: JobRecord) -> None:
        self.give_back(job, "the account cannot be used here")

    def take_up(self, work: Work, job: JobRecord) -> None:
        """Nothing will be heard of it."""

    def look_after(self, work: Work, now: float) -> None:
        if now >= work.due_at:
            self.end(work, self.overdue(work))

    def stop(self, work: Work) -> None:
        """There is nobody to tell."""

    def receiveMsg_FreshPicture(self, wish: FreshPicture, sender: Any) -> None:
        self.tell("gallery", PictureAt(wish.job, wish.message_id, None, "the account cannot be used here"))
