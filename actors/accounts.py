"""Accounts: the supervisor of the account actors. One that keeps dying is left alone; the others go on.

Takes   Announce (scheduler), and what supervisor.py takes
Sends   Announce -> account/NAME, and what supervisor.py sends
Crash   its accounts die and start with it; drawings under way are found again as after an account's own death

An account whose trouble repeats by nature (a wrong token, a disallowed intent) does not die of it: it suspends itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.account import Account
from actors.scheduler import Announce
from actors.supervisor import Child, Supervisor


class Accounts(Supervisor):
    """One child an account of the config."""

    ACCEPTS = (Announce,)
    #: Of all accounts together: deaths beyond it end this supervisor, which Root starts again with fresh accounts.
    INTENSITY = 50
    PERIOD_S = 60.0

    def children(self) -> Iterable[Child]:
        return [Child(f"account/{account.name}", Account) for account in self.process.config.accounts]

    def receiveMsg_Announce(self, announce: Announce, sender: Any) -> None:
        for name in self.employed:
            self.tell(name, announce)
