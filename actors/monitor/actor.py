"""Monitor: what is measured, whether we are ready, how much is taken on, and what an operator should know of.

Takes   Observed, Surveyed, Restarted (everyone, scheduler, supervisors);  JobEnded (queue);  AccountState (accounts);
        AccountGone (accounts' supervisor);  StoreTroubled, StoreWell, CommitUnderWay (store);  PicturesTroubled,
        PicturesWell (gallery);  AskMonitor (gate);  AskOverview (console);  Committed, NotCommitted, LookedUp (store);
        Sample, Probe, Measured, ResendDue (itself)
Sends   Say -> gate;  Commit, Lookup -> store;  TellHealth -> store, account/NAME;  SetIntake -> queue;
        SetPace -> account/NAME;  Overview -> console
Crash   counters start again from zero, as Prometheus expects of a restart; what ended today is read from the store;
        who is well is asked, and accounts that were slowed down say so; alarms are raised again by what they are for

Owns the metrics registry of the process (metrics.py), what is remembered of the last minutes (tallies.py), and what is
made of it each `[pacing] interval_s` (watch.py). What it decides is told again and again while it is less than
everything, so that whoever was restarted meanwhile knows it.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from msgspec import to_builtins

from actors.monitor.messages import (
    AccountGone,
    AccountState,
    AskMonitor,
    AskOverview,
    CommitUnderWay,
    JobEnded,
    Observed,
    Overview,
    PicturesTroubled,
    PicturesWell,
    Restarted,
    SetIntake,
    SetPace,
    Surveyed,
    TellHealth,
)
from actors.monitor.metrics import Metrics
from actors.monitor.tallies import Tallies, Today
from actors.monitor.watch import Decision, Look, Watch
from actors.session.messages import Say
from actors.store_client import StoreAsker
from actors.store_messages import StoreTroubled, StoreWell
from protocol.api import MetricsShown, ReadyShown, ShowReady
from storage.operations import Fence, Found
from storage.overseeing import CountEnded, Ended
from system.message import Message

#: `[pacing] interval_s` is never taken to be less.
INTERVAL_S_MIN = 0.5
#: How often it is looked how late messages come.
PROBE_EACH_S = 0.5
ACCOUNT = "account/"
STARTING = "store_starting"


class Sample(Message, frozen=True):
    """Time to look at everything."""


class Probe(Message, frozen=True):
    """It should have come at `due_at` (monotonic s): how late is it?"""

    due_at: float


class Measured(Message, frozen=True):
    """What the machine says, in bytes; None where it does not."""

    memory_bytes: int | None
    disk_free_bytes: int | None


class Monitor(StoreAsker):
    """See the module's docstring."""

    ACCEPTS = (
        *(Observed, Surveyed, JobEnded, Restarted, AccountState, AccountGone),
        *(StoreTroubled, StoreWell, CommitUnderWay, PicturesTroubled, PicturesWell),
        *(AskMonitor, AskOverview),
        *(Sample, Probe, Measured),
    )

    tallies: Tallies

    def __init__(self) -> None:
        super().__init__()
        self.metrics = Metrics()
        self.watch = Watch()
        self.up: dict[str, bool] = {}
        self.store_trouble: str | None = STARTING
        self.pictures_trouble: str | None = None
        self.measured = Measured(None, None)
        self.measuring = self.look_due = self.asked_today = False
        self.looked_at = 0.0
        #: What of a metric is more than counted.
        self.hears = {
            "limner_account_up": self._hear_up,
            "limner_queue_depth": self._hear_depth,
            "limner_queue_wait_seconds": self._hear_wait,
            "limner_store_commit_seconds": self._hear_commit,
            "limner_fairness_jain": self._hear_jain,
            "limner_gateway_reconnects_total": self._hear_reconnect,
            "limner_gateway_round_trip_seconds": self._hear_beat,
            "limner_rest_requests_total": self._hear_answer,
        }

    def on_start(self) -> None:
        super().on_start()
        self.tallies = Tallies(self.wall())
        self.metrics.expect(self.process.accounts)
        self.looked_at = self.now()
        for name in [name for name in self._myRef.base.names if name == "store" or name.startswith(ACCOUNT)]:
            self.tell(name, TellHealth())  # a monitor before this one heard of it, and it will not be told again
        if "queue" in self._myRef.base.names:
            self.tell("queue", SetIntake(1.0))
        self._probe()
        self._measure()
        self.after(self.interval_s, Sample())

    @property
    def interval_s(self) -> float:
        """How often everything is looked at; as the config is now."""
        return max(self.process.config.pacing.interval_s, INTERVAL_S_MIN)

    def summary(self) -> dict[str, Any]:
        reasons = self._reasons()
        return {"ready": not reasons, "reasons": list(reasons), "measuring": self.measuring, "accounts": len(self.up)}

    # --- what is told ----------------------------------------------------------------------------------------

    def receiveMsg_Observed(self, seen: Observed, sender: Any) -> None:
        self.metrics.tell(seen.metric, seen.amount, seen.labels)
        hear = self.hears.get(seen.metric)
        if hear is not None:
            hear(seen)

    def _hear_up(self, seen: Observed) -> None:
        self.up[seen.labels[0]] = seen.amount > 0

    def _hear_depth(self, seen: Observed) -> None:
        self.tallies.queue_depth = int(seen.amount)

    def _hear_wait(self, seen: Observed) -> None:
        self.tallies.waited(seen.amount, self.now())

    def _hear_commit(self, seen: Observed) -> None:
        self.tallies.committed(seen.amount)

    def _hear_jain(self, seen: Observed) -> None:
        self.tallies.jain = seen.amount

    def _hear_reconnect(self, seen: Observed) -> None:
        self.tallies.account(seen.labels[0]).reconnected(self.now())

    def _hear_beat(self, seen: Observed) -> None:
        self.tallies.account(seen.labels[0]).beat(seen.amount)

    def _hear_answer(self, seen: Observed) -> None:
        if seen.account is not None:
            self.tallies.account(seen.account).answered(seen.labels[1], self.now())

    def receiveMsg_JobEnded(self, job: JobEnded, sender: Any) -> None:
        self.metrics.tell("limner_jobs_total", labels=(job.outcome,))
        self.metrics.tell("limner_job_seconds", job.age_s)
        self.tallies.ended(job, self.now(), self.wall())

    def receiveMsg_Restarted(self, restarted: Restarted, sender: Any) -> None:
        self.metrics.restarted(restarted.actor)

    def receiveMsg_Surveyed(self, seen: Surveyed, sender: Any) -> None:
        self.metrics.tell_all(seen.metric, seen.rows)

    def receiveMsg_AccountState(self, state: AccountState, sender: Any) -> None:
        self.watch.heard(state)

    def receiveMsg_AccountGone(self, gone: AccountGone, sender: Any) -> None:
        self.watch.forget(gone.account)
        self.tallies.accounts.pop(gone.account, None)
        self.up.pop(gone.account, None)
        self.metrics.forget(gone.account)

    def receiveMsg_StoreTroubled(self, trouble: StoreTroubled, sender: Any) -> None:
        self.store_trouble = f"store_{trouble.code}"

    def receiveMsg_StoreWell(self, well: StoreWell, sender: Any) -> None:
        self.store_trouble = None
        if not (self.asked_today or self.tallies.today.is_known):
            self.asked_today = True
            self._read_today(self.tallies.today)

    def _read_today(self, today: Today) -> None:
        """Learns what had ended before; behind a fence, for what ended just then may be on its way to the store."""

        def found(ended: Found) -> None:
            if not isinstance(ended, Ended):
                raise TypeError(f"the store answered {type(ended).__name__} to CountEnded")
            today.read(ended.done, ended.failed)

        read = CountEnded(today.midnight, today.since)
        self.store.commit(Fence(self.wall()), lambda outcome: self.store.lookup(read, found))

    def receiveMsg_CommitUnderWay(self, commit: CommitUnderWay, sender: Any) -> None:
        self.tallies.commits_still(commit.seconds)

    def receiveMsg_PicturesTroubled(self, trouble: PicturesTroubled, sender: Any) -> None:
        self.pictures_trouble = f"images_{trouble.code}"

    def receiveMsg_PicturesWell(self, well: PicturesWell, sender: Any) -> None:
        self.pictures_trouble = None

    # --- what is asked ---------------------------------------------------------------------------------------

    def receiveMsg_AskMonitor(self, asked: AskMonitor, sender: Any) -> None:
        if isinstance(asked.question, ShowReady):
            reasons = self._reasons()
            self.tell("gate", Say(asked.socket, ReadyShown(not reasons, reasons)))
        else:
            self._tell_metrics()
            self.tell("gate", Say(asked.socket, MetricsShown(self.metrics.text())))

    def _reasons(self) -> tuple[str, ...]:
        """Why we are not ready: codes of docs/API.md."""
        reasons = [trouble for trouble in (self.store_trouble, self.pictures_trouble) if trouble is not None]
        if not self.process.accounts:
            reasons.append("no_account")
        elif not any(self.up.values()):
            reasons.append("no_account_up")
        if self.process.drained_at is not None:
            reasons.append("draining")
        return tuple(reasons)

    def receiveMsg_AskOverview(self, asked: AskOverview, sender: Any) -> None:
        base, now, reasons = self._myRef.base, self.now(), self._reasons()
        service = {
            "ready": not reasons,
            "reasons": reasons,
            "intake": self.watch.alarms.stopped_by or "open",
            "pace": self.watch.pace,
            "alarms": to_builtins(self.watch.alarms.active),
            **self.tallies.told(now, self.wall()),
            "commit_s": self.tallies.commit_s,
            "loop_lag_s": base.loop_lag_s(),
            "memory_bytes": self.measured.memory_bytes,
            "disk_free_bytes": self.measured.disk_free_bytes,
            "fairness_jain": self.tallies.jain,
            "restarts": sum(base.restarts.snapshot().values()),
        }
        names = self.watch.states.keys() | {account.name for account in self.process.accounts}
        accounts: dict[str, dict[str, Any]] = {name: {"pace": self.watch.places(name)} for name in sorted(names)}
        for name in accounts if asked.hours is None else asked.hours:
            if name in accounts:
                accounts[name] |= self.tallies.account(name).told(now)
        self.tell_first("console", Overview(asked.ask, service, accounts))

    # --- a look at everything --------------------------------------------------------------------------------

    def receiveMsg_Probe(self, probe: Probe, sender: Any) -> None:
        self.tallies.late(self.now() - probe.due_at)
        self._probe()

    def _probe(self) -> None:
        self.after(PROBE_EACH_S, Probe(self.now() + PROBE_EACH_S))

    def _measure(self) -> None:
        """Asks the machine, in a thread: a disk of a network may take its time."""
        if not self.measuring:
            self.measuring = True
            process = self.process
            folders = _folders(process.data, process.database, process.config.images.url)
            self.work(self._measured(folders), "measure")

    async def _measured(self, folders: tuple[Path, ...]) -> Measured:
        host, loop = self.process.host, asyncio.get_running_loop()
        free_bytes = await loop.run_in_executor(None, host.free_bytes, folders)
        return Measured(host.memory_bytes(), free_bytes)

    def receiveMsg_Measured(self, measured: Measured, sender: Any) -> None:
        self.measuring, self.measured = False, measured
        if self.look_due:
            self._look()

    def receiveMsg_Sample(self, due: Sample, sender: Any) -> None:
        if self.look_due:  # the machine has not answered since the last time: by what it said before
            self._look()
        self.look_due = True
        self._measure()
        self.after(self.interval_s, Sample())

    def _tell_metrics(self) -> dict[str, int]:
        """What tells nobody of itself. Returns how many messages wait, by actor."""
        return self.metrics.look(self._myRef.base, len(self.process.sockets))

    def _look(self) -> None:
        """Looks at everything, and decides."""
        base, now, self.look_due = self._myRef.base, self.now(), False
        depths = self._tell_metrics()
        base.sample_rates()
        commit_s, late_s = self.tallies.interval()
        look = Look(
            seconds=max(now - self.looked_at, INTERVAL_S_MIN),
            late_s=late_s,
            depths=depths,
            commit_s=commit_s,
            queue_depth=self.tallies.queue_depth,
            memory_bytes=self.measured.memory_bytes,
            disk_free_bytes=self.measured.disk_free_bytes,
            store_trouble=None if self.store_trouble == STARTING else self.store_trouble,
            pictures_trouble=self.pictures_trouble,
            any_up=any(self.up.values()),
            seen={name: self.tallies.account(name).seen(self.up.get(name, False)) for name in self.watch.states},
        )
        self.looked_at = now
        before = self.watch.pace
        places = {name: self.watch.places(name) for name in self.watch.states}
        for decision in self.watch.look(look, self.process.config, self.wall()):
            self._record(decision)
        self.metrics.decided(self.watch.pace, self.watch.alarms, self.measured.disk_free_bytes)
        self._tell_intake(before)
        self._tell_paces(places)

    def _record(self, decision: Decision) -> None:
        log = self.log.warning if decision.graver else self.log.info
        log("pacing", about=decision.about, did=decision.did, why=decision.why)

    def _tell_intake(self, before: float) -> None:
        pace = self.watch.pace
        if pace < 1.0 or before < 1.0:
            self.tell("queue", SetIntake(self.watch.share, self.watch.alarms.stopped_by))

    def _tell_paces(self, before: dict[str, int | None]) -> None:
        for name, state in self.watch.states.items():
            places = self.watch.places(name)
            if places is not None and (places < state.slots or places != before[name]):
                self.tell(f"{ACCOUNT}{name}", SetPace(name, places))


def _folders(data: Path, database: str, images: str | None) -> tuple[Path, ...]:
    """Where something is written: the data folder, and those of the database and of the pictures, if they are here."""
    found = [data]
    if database.startswith("sqlite:///"):
        found.append(Path(database.removeprefix("sqlite:///")).parent)
    if images is not None and images.startswith("file://"):
        found.append(Path(unquote(urlsplit(images).path)))
    return tuple(dict.fromkeys(found))
