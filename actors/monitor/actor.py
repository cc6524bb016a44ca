"""Monitor: what is measured, and whether we are ready. Owns the metrics registry of the process.

Takes   Observed, Restarted (everyone, supervisors);  StoreTroubled, StoreWell (store);  PicturesTroubled,
        PicturesWell (gallery);  AskMonitor (gate);  Sample (itself)
Sends   Say -> gate;  TellHealth -> store, account/NAME
Crash   counters start again from zero, as Prometheus expects of a restart; who is well is asked
"""

from __future__ import annotations

from typing import Any

from actors.monitor.messages import (
    AskMonitor,
    Observed,
    PicturesTroubled,
    PicturesWell,
    Restarted,
    TellHealth,
)
from actors.monitor.metrics import Metrics
from actors.session.messages import Say
from actors.shell import Shell
from actors.store_messages import StoreTroubled, StoreWell
from protocol.api import MetricsShown, ReadyShown, ShowReady
from system.message import Message

SAMPLE_EACH_S = 5.0
#: Mailbox depths are told of these, and of the deepest few of the others: 10,000 sessions are not 10,000 time series.
ALWAYS_TOLD = ("gate", "lobby", "queue", "scheduler", "store", "gallery")
DEEPEST = 20
ACCOUNT = "account/"
SESSION = "session/"


class Sample(Message, frozen=True):
    """Time to look at what tells nobody of itself: sockets, mailboxes, the loop."""


class Monitor(Shell):
    """See the module's docstring."""

    ACCEPTS = (Observed, Restarted, StoreTroubled, StoreWell, PicturesTroubled, PicturesWell, AskMonitor, Sample)

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics()
        self.up: dict[str, bool] = {}
        self.store_trouble: str | None = "store_starting"
        self.pictures_trouble: str | None = None

    def on_start(self) -> None:
        self.metrics["limner_pace"].set(1.0)
        self.metrics["limner_fairness_jain"].set(1.0)
        for name in [name for name in self._myRef.base.names if name == "store" or name.startswith(ACCOUNT)]:
            self.tell(name, TellHealth())  # a monitor before this one heard of it, and it will not be told again
        self.receiveMsg_Sample(Sample(), None)

    def receiveMsg_Observed(self, seen: Observed, sender: Any) -> None:
        self.metrics.tell(seen.metric, seen.amount, seen.labels)
        if seen.metric == "limner_account_up":
            self.up[seen.labels[0]] = seen.amount > 0

    def receiveMsg_Restarted(self, restarted: Restarted, sender: Any) -> None:
        # A session's name holds a user id: all sessions are one series.
        actor = "session" if restarted.actor.startswith(SESSION) else restarted.actor
        self.metrics["limner_actor_restarts_total"].labels(actor).inc()

    def receiveMsg_StoreTroubled(self, trouble: StoreTroubled, sender: Any) -> None:
        self.store_trouble = f"store_{trouble.code}"

    def receiveMsg_StoreWell(self, well: StoreWell, sender: Any) -> None:
        self.store_trouble = None

    def receiveMsg_PicturesTroubled(self, trouble: PicturesTroubled, sender: Any) -> None:
        self.pictures_trouble = f"images_{trouble.code}"

    def receiveMsg_PicturesWell(self, well: PicturesWell, sender: Any) -> None:
        self.pictures_trouble = None

    def receiveMsg_AskMonitor(self, asked: AskMonitor, sender: Any) -> None:
        if isinstance(asked.question, ShowReady):
            reasons = self._reasons()
            self.tell("gate", Say(asked.socket, ReadyShown(not reasons, reasons)))
        else:
            self.tell("gate", Say(asked.socket, MetricsShown(self.metrics.text())))

    def _reasons(self) -> tuple[str, ...]:
        """Why we are not ready: codes of docs/API.md."""
        reasons = [trouble for trouble in (self.store_trouble, self.pictures_trouble) if trouble is not None]
        if not self.process.config.accounts:
            reasons.append("no_account")
        elif not any(self.up.values()):
            reasons.append("no_account_up")
        return tuple(reasons)

    def receiveMsg_Sample(self, due: Sample, sender: Any) -> None:
        base = self._myRef.base
        self.metrics["limner_sockets"].set(len(self.process.sockets))
        self.metrics["limner_sessions"].set(base.kinds["session"])
        self.metrics["limner_loop_lag_seconds"].set(base.loop_lag_s())
        depths, waiting = self.metrics["limner_mailbox_depth"], base.waiting()
        depths.clear()
        for name in ALWAYS_TOLD:
            depths.labels(name).set(waiting.pop(name, 0))
        for name, depth in waiting.most_common(DEEPEST):
            depths.labels(name).set(depth)
        self.after(SAMPLE_EACH_S, Sample())
