"""Metrics: the registry of the process (CONTRACT §10) and what is told of it. The Monitor owns the one instance.

How many series there are is bounded: labels are accounts, routes as templates, and words of ours, never ids of jobs or
users; the sessions are one series; and of one metric there are at most SERIES_MAX, beyond which all is `other`.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.exposition import generate_latest
from prometheus_client.utils import floatToGoString

from core.alarms import RULES, Alarms
from core.job import State
from protocol.mistakes import CODES

if TYPE_CHECKING:
    from core.account_config import AccountConfig

SECONDS_SHORT = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
SECONDS_LONG = (1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0)

#: CONTRACT §10, and a little more: name, kind, labels, what it is. docs/METRICS.md says what to do about each.
METRICS: tuple[tuple[str, type, tuple[str, ...], str], ...] = (
    ("limner_jobs_total", Counter, ("outcome",), "Jobs that ended, by code or state"),
    ("limner_queue_depth", Gauge, (), "Jobs that wait for a place"),
    ("limner_queue_wait_seconds", Histogram, (), "From acceptance to submission"),
    ("limner_job_seconds", Histogram, (), "From acceptance to the end"),
    ("limner_tokens", Gauge, ("account", "state"), "Places of an account by state: free, granted, begun"),
    ("limner_account_up", Gauge, ("account",), "1 when the account can draw"),
    ("limner_gateway_events_total", Counter, ("account",), "Gateway events received"),
    ("limner_gateway_reconnects_total", Counter, ("account", "how"), "Gateway reconnects: resume or identify"),
    ("limner_gateway_round_trip_seconds", Gauge, ("account",), "From the latest heartbeat to its acknowledgement"),
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
    ("limner_intake_open", Gauge, (), "1 while new jobs are taken, 0 while an alarm stops them"),
    ("limner_alarms", Gauge, ("code", "level"), "Alarms that are on"),
    ("limner_disk_free_bytes", Gauge, (), "Free on the fullest disk that is written to"),
)
SHORT = frozenset({"limner_store_commit_seconds"})
#: What a gauge is before anybody has said something.
AT_FIRST = {"limner_fairness_jain": 1.0, "limner_pace": 1.0, "limner_intake_open": 1.0}

OUTCOMES = (State.DONE.value, *(code for code, about in CODES.items() if about.in_job), "no_account", "internal")
#: Actors whose mailboxes and restarts are always told; of the other mailboxes so many of the deepest are.
ALWAYS_TOLD = ("gate", "lobby", "queue", "scheduler", "store", "gallery", "monitor", "console")
DEEPEST = 20
ACCOUNT, SESSION = "account/", "session"
TOKEN_STATES = ("free", "granted", "begun")
RECONNECTS = ("resume", "identify")
SERIES_MAX = 5_000
OTHER = "other"

disable_created_metrics()  # type: ignore[no-untyped-call]  # when each series began: as many lines again, read by nobody


class Metrics:
    """The metrics by name. Telling of one that the table lacks raises KeyError: a mistake of ours."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._by_name = {name: self._make(name, kind, labels, text) for name, kind, labels, text in METRICS}
        self._labels = {name: labels for name, _, labels, _ in METRICS}
        #: How each series that was told of is told of again: to find it, and what it is, costs more than counting.
        self._series: dict[tuple[str, tuple[str, ...]], Callable[[float], None]] = {}
        self._count: Tally[str] = Tally()
        #: Of each metric the series that `text` writes itself, with the beginnings of their lines.
        self._shown: dict[str, dict[tuple[str, ...], tuple[str, Any]]] = {
            name: {} if labels else {(): (f"{name} ", self._by_name[name])}
            for name, kind, labels, _ in METRICS
            if kind is not Histogram
        }
        #: What prometheus-client writes.
        self._others = CollectorRegistry()
        for name in self._by_name.keys() - self._shown.keys():
            self._others.register(self._by_name[name])
        ProcessCollector(registry=self.registry)
        ProcessCollector(registry=self._others)
        for name, amount in AT_FIRST.items():
            self.tell(name, amount)
        for outcome in OUTCOMES:
            self.tell("limner_jobs_total", 0.0, (outcome,))
        for actor in ALWAYS_TOLD:
            self.tell("limner_actor_restarts_total", 0.0, (actor,))

    def _make(self, name: str, kind: type, labels: tuple[str, ...], text: str) -> Any:
        if kind is Histogram:
            buckets = SECONDS_SHORT if name in SHORT else SECONDS_LONG
            return Histogram(name, text, labels, registry=self.registry, buckets=buckets)
        return kind(name.removesuffix("_total") if kind is Counter else name, text, labels, registry=self.registry)

    def __getitem__(self, name: str) -> Any:
        return self._by_name[name]

    def tell(self, name: str, amount: float = 1.0, labels: tuple[str, ...] = ()) -> None:
        """Counts, sets or observes `amount`, as the metric's kind is."""
        write = self._series.get((name, labels)) or self._begin(name, labels)
        write(amount)

    def _begin(self, name: str, labels: tuple[str, ...]) -> Callable[[float], None]:
        metric = self._by_name[name]
        if self._count[name] >= SERIES_MAX and labels:
            return _writing(self._show(name, tuple(OTHER for _ in labels)))
        write = self._series[name, labels] = _writing(self._show(name, labels) if labels else metric)
        self._count[name] += 1
        return write

    def _show(self, name: str, labels: tuple[str, ...]) -> Any:
        """The series with these labels, which is written from now on."""
        series = self._by_name[name].labels(*labels)
        pairs = (f'{label}="{_escaped(value)}"' for label, value in zip(self._labels[name], labels, strict=True))
        self._shown[name][labels] = (f"{name}{{{','.join(pairs)}}} ", series)
        return series

    def tell_all(self, name: str, rows: Iterable[tuple[tuple[str, ...], float]]) -> None:
        """These are the gauge's series, with their values, and there are no others."""
        told = set()
        for labels, amount in rows:
            told.add(labels)
            self.tell(name, amount, labels)
        self._end([key for key in self._series if key[0] == name and key[1] not in told])

    def expect(self, accounts: Iterable[AccountConfig]) -> None:
        """These accounts have their series from now on: not up, nothing counted."""
        for account in accounts:
            self.tell("limner_account_up", 0.0, (account.name,))
            self.tell("limner_actor_restarts_total", 0.0, (ACCOUNT + account.name,))
            for state in TOKEN_STATES:
                self.tell("limner_tokens", 0.0, (account.name, state))
            if account.driver == "midjourney":
                self.tell("limner_gateway_events_total", 0.0, (account.name,))
                for how in RECONNECTS:
                    self.tell("limner_gateway_reconnects_total", 0.0, (account.name, how))

    def forget(self, account: str) -> None:
        """The account is not there any more: nor are its series."""
        gone = {"account": account, "actor": ACCOUNT + account}
        self._end(
            [
                (name, values)
                for name, values in self._series
                if any(gone.get(label) == value for label, value in zip(self._labels[name], values, strict=True))
            ]
        )

    def _end(self, keys: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        for name, labels in keys:
            del self._series[name, labels]
            self._count[name] -= 1
            del self._shown[name][labels]
            self._by_name[name].remove(*labels)

    def restarted(self, actor: str) -> None:
        """A supervisor starts this actor again."""
        self.tell("limner_actor_restarts_total", 1.0, (_shared(actor),))

    def look(self, base: Any, sockets: int) -> dict[str, int]:
        """Sets what tells nobody of itself: the loop base's mailboxes, sessions and lag, and how many sockets are open.

        Returns how many messages wait, by actor.
        """
        self.tell("limner_sockets", sockets)
        self.tell("limner_sessions", base.kinds[SESSION])
        self.tell("limner_loop_lag_seconds", base.loop_lag_s())
        depths = dict.fromkeys(ALWAYS_TOLD, 0)
        others: dict[str, int] = {}
        waiting: dict[str, int] = dict(base.waiting())
        for actor, depth in waiting.items():
            name = _shared(actor)
            found = depths if name in depths else others
            found[name] = max(found.get(name, 0), depth)
        deepest = sorted(others.items(), key=lambda each: -each[1])[:DEEPEST]
        self.tell_all("limner_mailbox_depth", (((name,), depth) for name, depth in (*depths.items(), *deepest)))
        return waiting

    def decided(self, pace: float, alarms: Alarms, disk_free_bytes: int | None) -> None:
        """Sets what a look of the Monitor at everything has come to."""
        self.tell("limner_pace", pace)
        self.tell("limner_intake_open", float(alarms.stopped_by is None))
        if disk_free_bytes is not None:
            self.tell("limner_disk_free_bytes", disk_free_bytes)
        active = Tally((alarm.code, alarm.level.value) for alarm in alarms.active)
        known = {(code, rule.level.value): 0 for code, rule in RULES.items()}
        self.tell_all("limner_alarms", (known | active).items())

    def text(self) -> str:
        """All of them, as Prometheus reads them. Of what has thousands of lines only the numbers are written anew:
        prometheus-client takes 5 µs for each, in which the loop does nothing else."""
        pieces = []
        written: Callable[[float], str] = floatToGoString
        for name, kind, _, words in METRICS:
            if kind is not Histogram:
                pieces.append(f"# HELP {name} {words}\n# TYPE {name} {kind.__name__.lower()}\n")
                shown = ((head, series._value.get()) for head, series in self._shown[name].values())
                pieces += [f"{head}{written(number)}\n" for head, number in shown]
        return "".join(pieces) + generate_latest(self._others).decode()


def _writing(series: Any) -> Callable[[float], None]:
    if isinstance(series, Histogram):
        return lambda amount: series.observe(max(0.0, amount))  # a clock that was set back makes no wait negative
    write: Callable[[float], None] = series.inc if isinstance(series, Counter) else series.set
    return write


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _shared(actor: str) -> str:
    """A session's name holds a user id: ten thousand sessions are one series, of the deepest mailbox among them."""
    return SESSION if actor.startswith(SESSION + "/") else actor
