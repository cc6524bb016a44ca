"""Monitor: what is measured, and whether we are ready. Owns the metrics registry of the process.

Takes   Observed, Restarted (everyone, supervisors);  StoreTroubled, StoreWell (store);  PicturesTroubled,
        PicturesWell (gallery);  AskMonitor (gate);  Sample (itself)
Sends   Say -> gate;  TellHealth -> store, account/NAME
Crash   counters start again from zero, as Prometheus expects of a restart; who is well is asked
"""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

from actors.monitor_messages import (
    AskMonitor,
    Observed,
    PicturesTroubled,
    PicturesWell,
    Restarted,
    TellHealth,
)
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
SECONDS_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SECONDS_LONG = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0)

#: CONTRACT §10: name, kind, labels, what it is. A Counter's name is told without its `_total`.
METRICS: tuple[tuple[str, type, tuple[str, ...], str], ...] = (
    ("limner_jobs_total", Counter, ("outcome",), "Jobs that ended, by code or state"),
    ("limner_queue_depth", Gauge, (), "Jobs that wait for a place"),
    ("limner_queue_wait_seconds", Histogram, (), "From acceptance to submission"),
    ("limner_job_seconds", Histogram, (), "From acceptance to the end"),
    ("limner_tokens", Gauge, ("account", "state"), "Places of an account by state"),
    ("limner_account_up", Gauge, ("account",), "1 when the account can draw"),
    ("limner_gateway_events_total", Counter, ("account",), "Gateway events received"),
    ("limner_gateway_reconnects_total", Counter, ("account", "how"), "Gateway reconnects: resume or identify"),
    ("limner_oddities_total", Counter, ("account",), "What Discord or the drawing bot said that is unknown"),
    ("limner_rest_requests_total", Counter, ("route", "status"), "Requests to Discord"),
    ("limner_sessions", Gauge, (), "Users present on this host"),
    ("limner_sockets", Gauge, (), "Open sockets and requests"),
    ("limner_actor_restarts_total", Counter, ("actor",), "Restarts of an actor by its supervisor"),
    ("limner_mailbox_depth", Gauge, ("actor",), "Messages that wait in the deepest mailboxes"),
    ("limner_loop_lag_seconds", Gauge, (), "How late the event loop was lately, at worst"),
    ("limner_store_commit_seconds", Histogram, (), "A group commit of the store"),
    ("limner_fairness_jain", Gauge, (), "Jain's index over users with waiting work; 1 is fair"),
    ("limner_pace", Gauge, (), "Share of the full intake pace, 0 to 1"),
)
SHORT = frozenset({"limner_store_commit_seconds"})


class Sample(Message, frozen=True):
    """Time to look at what tells nobody of itself: sockets, mailboxes, the loop."""


class Monitor(Shell):
    """See the module's docstring."""

    ACCEPTS = (Observed, Restarted, StoreTroubled, StoreWell, PicturesTroubled, PicturesWell, AskMonitor, Sample)

    def __init__(self) -> None:
        super().__init__()
        self.registry = CollectorRegistry()
        self.metrics = {name: self._make(name, kind, labels, text) for name, kind, labels, text in METRICS}
        #: Each series that was told of: finding it by its labels costs more than counting.
        self.series: dict[tuple[str, tuple[str, ...]], Any] = {}
        self.up: dict[str, bool] = {}
        self.store_trouble: str | None = "store_starting"
        self.pictures_trouble: str | None = None

    def _make(self, name: str, kind: type, labels: tuple[str, ...], text: str) -> Any:
        if kind is Histogram:
            buckets = SECONDS_SHORT if name in SHORT else SECONDS_LONG
            return Histogram(name, text, labels, registry=self.registry, buckets=buckets)
        return kind(name.removesuffix("_total") if kind is Counter else name, text, labels, registry=self.registry)

    def on_start(self) -> None:
        self.metrics["limner_pace"].set(1.0)
        self.metrics["limner_fairness_jain"].set(1.0)
        for name in [name for name in self._myRef.base.names if name == "store" or name.startswith(ACCOUNT)]:
            self.tell(name, TellHealth())  # a monitor before this one heard of it, and it will not be told again
        self.receiveMsg_Sample(Sample(), None)

    def receiveMsg_Observed(self, seen: Observed, sender: Any) -> None:
        key = (seen.metric, seen.labels)
        metric = self.series.get(key)
        if metric is None:
            metric = self.metrics[seen.metric]
            if seen.labels:
                metric = metric.labels(*seen.labels)
            self.series[key] = metric
        if isinstance(metric, Counter):
            metric.inc(seen.amount)
        elif isinstance(metric, Gauge):
            metric.set(seen.amount)
        else:
            metric.observe(max(0.0, seen.amount))  # a clock that was set back makes no wait shorter than none
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
            self.tell("gate", Say(asked.socket, MetricsShown(generate_latest(self.registry).decode())))

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
