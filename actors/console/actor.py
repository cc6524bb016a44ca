"""Console: carries out what operators ask for (CONTRACT §6, docs/ADMIN.md).

Takes   AskConsole (gate);  Obeyed, Standing, Vacant (accounts);  Overview (monitor);  Summary (any actor);
        Committed, NotCommitted, LookedUp (store);  AnswerDue, ResendDue (itself)
Sends   Say -> gate;  AskStanding, Suspend, Reinstate, SetSlots -> account/NAME;  AccountsChanged -> accounts;
        AskOverview -> monitor;  Commit, Lookup -> store;  Kill, AskSummary -> any actor, by name
Crash   an instruction under way is answered by nobody; the operator asks again

The operator's keys of the config and the demo's are put into the store when it starts: there is no second way in.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.account.messages import Obeyed, Standing, Vacant
from actors.console import accounts, actors, added, events, nodes, people, service, traces
from actors.console.desk import Desk
from actors.guests import digest_of
from actors.monitor.messages import Overview
from actors.shell import Summary
from core.config import DEFAULT_PLAN
from storage.operations import AddKey, AddUser, Written

DEMO_USER = "demo"


class Console(Desk):
    """See the module's docstring."""

    ACCEPTS = (Obeyed, Standing, Vacant, Overview, Summary)
    INSTRUCTIONS: ClassVar = {
        **service.INSTRUCTIONS,
        **actors.INSTRUCTIONS,
        **accounts.INSTRUCTIONS,
        **added.INSTRUCTIONS,
        **nodes.INSTRUCTIONS,
        **events.INSTRUCTIONS,
        **people.INSTRUCTIONS,
        **traces.INSTRUCTIONS,
    }

    receiveMsg_Obeyed = receiveMsg_Standing = receiveMsg_Overview = receiveMsg_Summary = Desk._hear  # noqa: N815

    def receiveMsg_Vacant(self, vacant: Vacant, sender: Any) -> None:
        added.vacated(self, vacant)

    def on_start(self) -> None:
        super().on_start()
        added.recall(self)
        if self.process.demo_key is not None:
            self._add_demo_user(self.process.demo_key.reveal())

    def _add_demo_user(self, key: str) -> None:
        def added(outcome: Written) -> None:
            self.store.commit(
                AddKey("k-demo", DEMO_USER, digest_of(key), "user", False, None, self.wall()), lambda outcome: None
            )

        self.store.commit(AddUser("u-demo", DEMO_USER, DEFAULT_PLAN, True, self.wall()), added)
