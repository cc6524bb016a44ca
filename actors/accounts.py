"""Accounts: the supervisor of the account actors. One that keeps dying is left alone; the others go on.

Takes   Announce (scheduler);  AccountsChanged (whoever has changed the config), and what supervisor.py takes
Sends   Announce -> account/NAME;  of those that are gone AccountDown -> scheduler, AccountsChanged -> queue and
        Observed, AccountGone -> monitor;  and what supervisor.py sends
Crash   its accounts die and start with it; drawings under way are found again as after an account's own death

An account whose trouble repeats by nature (a wrong token, a disallowed intent) does not die of it: it suspends itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from actors.account.desk import AccountDesk
from actors.account.images import ImagesAccount
from actors.account.midjourney import Account
from actors.account.withheld import WithheldAccount
from actors.monitor.messages import AccountGone, Observed
from actors.queue.messages import AccountsChanged
from actors.scheduler import AccountDown, Announce
from actors.supervisor import Child, Employed, Supervisor
from core.config import AccountConfig

PREFIX = "account/"
#: Who draws, by the `driver` of the config (core/account_config.py says what each can).
DRIVERS: dict[str, type[AccountDesk]] = {"midjourney": Account, "openai-images": ImagesAccount}


class Accounts(Supervisor):
    """One child an account, of the config or added."""

    ACCEPTS = (Announce, AccountsChanged)
    #: Of all accounts together: deaths beyond it end this supervisor, which Root starts again with fresh accounts.
    INTENSITY = 50
    PERIOD_S = 60.0

    def children(self) -> Iterable[Child]:
        return [Child(f"{PREFIX}{account.name}", self._driver_of(account)) for account in self.process.accounts]

    def _driver_of(self, account: AccountConfig) -> type[AccountDesk]:
        return WithheldAccount if account.name in self.process.withheld else DRIVERS[account.driver]

    def receiveMsg_Announce(self, announce: Announce, sender: Any) -> None:
        for name in self.employed:
            self.tell(name, announce)

    def receiveMsg_AccountsChanged(self, changed: AccountsChanged, sender: Any) -> None:
        """Start those that are new in the config, end those that are not in it any more."""
        wanted = {child.name: child for child in self.children()}
        for name in [name for name in self.employed if name not in wanted]:
            self.dismiss(name)
        for child in wanted.values():
            self.employ(child)

    def on_child_lost(self, employed: Employed, reason: str | None) -> None:
        """One that was dismissed has ended: only now nobody speaks for it any more."""
        name = employed.child.name
        if name in self.employed:
            return  # it is started again
        account = name.removeprefix(PREFIX)
        self.tell("scheduler", AccountDown(account, "removed from the config"))
        self.tell("monitor", Observed("limner_account_up", 0.0, (account,)))
        self.tell("monitor", AccountGone(account))
        self.tell("queue", AccountsChanged())
        self.receiveMsg_AccountsChanged(AccountsChanged(), self.myAddress)  # it may be in the config again by now
