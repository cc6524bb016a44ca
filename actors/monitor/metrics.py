"""Metrics: the registry of the process (CONTRACT §10) and what is told of it. The Monitor owns the one instance."""

from __future__ import annotations

from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import generate_latest

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


class Metrics:
    """The metrics by name. Telling of one that the table lacks raises KeyError: a mistake of ours."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._by_name = {name: self._make(name, kind, labels, text) for name, kind, labels, text in METRICS}
        #: Each series that was told of: finding it by its labels costs more than counting.
        self._series: dict[tuple[str, tuple[str, ...]], Any] = {}

    def _make(self, name: str, kind: type, labels: tuple[str, ...], text: str) -> Any:
        if kind is Histogram:
            buckets = SECONDS_SHORT if name in SHORT else SECONDS_LONG
            return Histogram(name, text, labels, registry=self.registry, buckets=buckets)
        return kind(name.removesuffix("_total") if kind is Counter else name, text, labels, registry=self.registry)

    def __getitem__(self, name: str) -> Any:
        return self._by_name[name]

    def tell(self, name: str, amount: float = 1.0, labels: tuple[str, ...] = ()) -> None:
        """Counts, sets or observes `amount`, as the metric's kind is."""
        key = (name, labels)
        metric = self._series.get(key)
        if metric is None:
            metric = self._by_name[name]
            if labels:
                metric = metric.labels(*labels)
            self._series[key] = metric
        if isinstance(metric, Counter):
            metric.inc(amount)
        elif isinstance(metric, Gauge):
            metric.set(amount)
        else:
            metric.observe(max(0.0, amount))  # a clock that was set back makes no wait shorter than none

    def text(self) -> str:
        """All of them, as Prometheus reads them."""
        return generate_latest(self.registry).decode()
