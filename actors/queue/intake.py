"""The Queue's part about taking on less: what the Monitor decided about new wishes (core/pacing.py).

While its share is below 1, wishes beyond it are refused `queue_full`; while an alarm stops intake, and while the
operator drains this node, all are refused `draining`, as when the service is about to stop. All say when to try again,
and keep nothing. What is accepted already goes on: only drawing makes a full house emptier.
"""

from __future__ import annotations

from typing import Any, ClassVar

from actors.monitor.messages import SetIntake
from actors.queue.messages import Enqueue, JobRefused
from actors.queue.shut import QueueShut
from core.pacing import Sluice
from system.message import Message

BUSY_AGAIN_S = 5.0
STOPPED_AGAIN_S = 30.0
DRAINED_TEXT = "Limner takes no new drawings for the moment, its operator says; queued ones go on. Try again later."
BUSY_TEXT = "Limner is busy and takes fewer new drawings just now; try again in a moment."
STOPPED_TEXT = "Limner takes no new drawings just now, queued ones go on; try again in a minute."


class QueueIntake(QueueShut):
    """Between QueueShut and Queue."""

    ACCEPTS: ClassVar[tuple[type[Message], ...]] = (SetIntake,)

    def __init__(self) -> None:
        super().__init__()
        self.sluice = Sluice()
        #: The alarm that stopped intake.
        self.stopped_by: str | None = None

    def receiveMsg_SetIntake(self, order: SetIntake, sender: Any) -> None:
        self.sluice.share, self.stopped_by = order.share, order.stopped_by

    def is_let_in(self, wish: Enqueue) -> bool:
        """Whether the wish may come in as far as pacing goes; if not, its user is told."""
        if self.process.drained_at is not None:
            refusal = ("draining", DRAINED_TEXT, STOPPED_AGAIN_S)
        elif self.stopped_by is not None:
            refusal = ("draining", STOPPED_TEXT, STOPPED_AGAIN_S)
        elif not self.sluice.lets_in():
            refusal = ("queue_full", BUSY_TEXT, BUSY_AGAIN_S)
        else:
            return True
        self.tell("lobby", JobRefused(wish.user, wish.request_id, *refusal))
        return False
