"""Console: carries out what operators ask for (CONTRACT §6, docs/ADMIN.md).

Takes   AskConsole, Stranger, Presence (gate);  Obeyed, Standing, Vacant (accounts);  Overview (monitor);
        Summary (any actor);
        QueueStands, Standings, QueuePaused, WaitingCancelled, CancelHeard, JobAccepted, JobRefused (queue);
        ProgressTold (sessions);  Committed, NotCommitted, LookedUp (store);  AnswerDue, ResendDue (itself)
Sends   Say, TurnAway, AskPresence, Reconfigured -> gate;  AskStanding, Suspend, Reinstate, SetSlots -> account/NAME;
        AccountsChanged -> accounts;
        AskQueue, AskStandings, PauseQueue, PlanChanged, CancelWaiting, Reconfigured, Cancel, Enqueue -> queue;
        PlanChanged, AskProgress -> lobby;  AskOverview -> monitor;  Commit, Lookup -> store;
        Kill, AskSummary -> any actor, by name
Crash   an instruction under way is answered by nobody; the operator asks again

The operator's keys of the config and the demo's are put into the store when it starts: there is no second way in.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.account.messages import Obeyed, Standing, Vacant
from actors.console import (
    accounts,
    actors,
    added,
    audit,
    backup,
    config,
    events,
    jobs,
    nodes,
    people,
    queue,
    service,
    traces,
)
from actors.console.desk import Desk
from actors.console.messages import Presence, ProgressTold
from actors.guests import digest_of
from actors.monitor.messages import Overview
from actors.queue.messages import CancelHeard, JobAccepted, JobRefused
from actors.queue.orders import QueuePaused, QueueStands, Standings, WaitingCancelled
from actors.shell import Summary
from core.config import DEFAULT_PLAN
from storage.operations import AddKey, AddUser, Written

DEMO_USER = "demo"


class Console(Desk):
    """See the module's docstring."""

    ACCEPTS = (
        *(Obeyed, Standing, Vacant, Overview, Summary, Presence, ProgressTold),
        *(QueueStands, Standings, QueuePaused, WaitingCancelled, CancelHeard, JobAccepted, JobRefused),
    )
    INSTRUCTIONS: ClassVar = {
        **service.INSTRUCTIONS,
        **actors.INSTRUCTIONS,
        **accounts.INSTRUCTIONS,
        **added.INSTRUCTIONS,
        **nodes.INSTRUCTIONS,
        **events.INSTRUCTIONS,
        **people.INSTRUCTIONS,
        **jobs.INSTRUCTIONS,
        **traces.INSTRUCTIONS,
        **queue.INSTRUCTIONS,
        **audit.INSTRUCTIONS,
        **config.INSTRUCTIONS,
        **backup.INSTRUCTIONS,
    }

    receiveMsg_Obeyed = receiveMsg_Standing = receiveMsg_Overview = receiveMsg_Summary = Desk._hear  # noqa: N815
    receiveMsg_Presence = receiveMsg_ProgressTold = receiveMsg_QueueStands = Desk._hear  # noqa: N815
    receiveMsg_Standings = receiveMsg_QueuePaused = receiveMsg_WaitingCancelled = Desk._hear  # noqa: N815
    receiveMsg_CancelHeard = receiveMsg_JobAccepted = receiveMsg_JobRefused = Desk._hear_request  # noqa: N815

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
