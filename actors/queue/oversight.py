"""The Queue's part about its operator: begin no drawing for a while, let a plan hold at once, and tell who waits.

Paused, it takes jobs as ever and gives none of them a place; what was granted and has not begun goes back to its head,
so all stand where they stood. What draws goes on. It is stored, and so outlives us.
"""

from __future__ import annotations

import math
from collections import Counter
from heapq import nsmallest
from operator import itemgetter
from typing import Any, ClassVar

from actors.console.messages import Reconfigured
from actors.queue.cancels import QueueCancels
from actors.queue.orders import (
    AskQueue,
    AskStandings,
    PauseQueue,
    PlanChanged,
    QueuePaused,
    QueueStands,
    QueueUser,
    Standings,
)
from core.fairness import Flow
from core.job import WITH_THE_BOT
from core.skills import mode_of
from storage.operations import Applied, Written
from storage.overseeing import QUEUE_PAUSED, SaveSwitch
from system.message import Message


class QueueOversight(QueueCancels):
    """Between QueueCancels and QueueShut."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (*(PauseQueue, PlanChanged, Reconfigured, AskQueue, AskStandings),)

    def receiveMsg_PauseQueue(self, order: PauseQueue, sender: Any) -> None:
        def written(outcome: Written) -> None:
            self.paused = order.paused
            self.tell("console", QueuePaused(order.ask, isinstance(outcome, Applied)))
            self.match()

        def refused(why: str) -> None:
            self.tell("console", QueuePaused(order.ask, False, "draining"))

        self.store.commit(SaveSwitch(QUEUE_PAUSED, order.paused, self.wall()), written, refused)

    def receiveMsg_PlanChanged(self, changed: PlanChanged, sender: Any) -> None:
        """Of the jobs that have not ended, too: the store has them under it already."""
        plan = self.process.config.plan(changed.plan)
        if changed.user in self.plans:
            self.plans[changed.user] = changed.plan
        self.fair.adjust(changed.user, weight=plan.weight, concurrent=plan.concurrent)
        self.match()

    def receiveMsg_Reconfigured(self, changed: Reconfigured, sender: Any) -> None:
        """The plans may say something else now."""
        for flow in tuple(self.fair.flows()):
            plan = self.plan_of(flow.user)
            self.fair.adjust(flow.user, weight=plan.weight, concurrent=plan.concurrent)
        self.match()

    def receiveMsg_AskQueue(self, asked: AskQueue, sender: Any) -> None:
        lanes = Counter[str]()
        for flow in self.fair.flows():
            for lane, count in flow.waits.items():
                lanes[mode_of(lane)] += count
        last = (-math.inf, "") if asked.after is None else (-asked.after[0], asked.after[1])
        ranked = ((rank, flow) for flow in self.fair.flows() if (rank := _rank(flow))[0] and rank > last)
        most = nsmallest(asked.users + 1, ranked, key=itemgetter(0))
        drawing = Counter(job.user for job in self.jobs.values() if job.state in WITH_THE_BOT)
        users = tuple(
            QueueUser(flow.user, -rank, drawing[flow.user], flow.weight) for (rank, _), flow in most[: asked.users]
        )
        more = len(most) > asked.users
        self.tell_first("console", QueueStands(asked.ask, len(self.fair), self.paused, dict(lanes), users, more))

    def receiveMsg_AskStandings(self, asked: AskStandings, sender: Any) -> None:
        places = {job: place for job in asked.jobs if (place := self.fair.place(job)) is not None}
        self.tell_first("console", Standings(asked.ask, places))


def _rank(flow: Flow) -> tuple[int, str]:
    """Who has the most waiting comes first."""
    return -sum(flow.waits.values()), flow.user
