"""The metrics of the contract exist from the start, count what is told, and readiness names its reasons."""

from __future__ import annotations

import asyncio

import pytest
from msgspec.structs import replace

from actors.monitor.actor import Monitor
from actors.monitor.messages import (
    AccountState,
    AskMonitor,
    AskOverview,
    JobEnded,
    Observed,
    Overview,
    PicturesTroubled,
    PicturesWell,
    Restarted,
    SetPace,
)
from actors.monitor.metrics import METRICS
from actors.monitor.tallies import DAY_S
from actors.session.messages import Say
from actors.store import Store
from actors.store_messages import Commit, StoreTroubled, StoreWell
from core.config import DEFAULT_PLAN
from protocol.api import MetricsShown, ReadyShown, ShowMetrics, ShowReady
from storage.operations import AddUser
from system.virtual_time import START_WALL
from tests.actors.stage import CONFIG, Stage, play
from tests.storage.book import ACCEPT, settle_failed

#: When a scene of the stage is under way.
NOW = START_WALL + 1.0


async def metrics(stage: Stage) -> str:
    stage.tell("monitor", AskMonitor("s1", ShowMetrics()))
    said = await stage.one("gate", Say)
    assert isinstance(said.words, MetricsShown)
    return said.words.text


async def ready(stage: Stage) -> ReadyShown:
    stage.tell("monitor", AskMonitor("s1", ShowReady()))
    said = await stage.one("gate", Say)
    assert isinstance(said.words, ReadyShown)
    return said.words


def test_every_metric_is_there_and_counts() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("gate")
        stage.cast("monitor", Monitor)
        stage.tell("monitor", Observed("limner_jobs_total", labels=("done",)))
        stage.tell("monitor", Observed("limner_jobs_total", labels=("done",)))
        stage.tell("monitor", Observed("limner_queue_depth", 7))
        stage.tell("monitor", Observed("limner_job_seconds", 3.0))
        stage.tell("monitor", Observed("limner_queue_wait_seconds", 2.0 - 3600.0))
        stage.tell("monitor", Restarted("session/u1"), Restarted("session/u2"), Restarted("queue"))
        text = await metrics(stage)
        for name, *_ in METRICS:
            assert name.removesuffix("_total") in text
        assert 'limner_jobs_total{outcome="done"} 2.0' in text
        assert "limner_queue_depth 7.0" in text
        assert "limner_job_seconds_count 1.0" in text
        assert "limner_queue_wait_seconds_sum 0.0" in text
        assert 'limner_actor_restarts_total{actor="session"} 2.0' in text
        assert 'limner_mailbox_depth{actor="gate"}' in text

    play(scene)


def test_ready_means_the_store_and_at_least_one_account() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("gate")
        stage.cast("monitor", Monitor)
        assert await ready(stage) == ReadyShown(False, ("store_starting", "no_account_up"))
        stage.tell("monitor", StoreWell(), Observed("limner_account_up", 1, ("fox",)))
        assert await ready(stage) == ReadyShown(True, ())
        stage.tell("monitor", StoreTroubled("full", "No space left."))
        assert (await ready(stage)).reasons == ("store_full",)
        stage.tell("monitor", PicturesTroubled("full"))
        assert (await ready(stage)).reasons == ("store_full", "images_full")
        stage.tell("monitor", PicturesWell())
        assert (await ready(stage)).reasons == ("store_full",)
        stage.tell("monitor", StoreWell(), Observed("limner_account_up", 0, ("fox",)))
        assert (await ready(stage)).reasons == ("no_account_up",)

    play(scene)


def test_an_unknown_metric_is_a_mistake_of_ours_and_said_loudly() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("monitor", Monitor)
        stage.tell("monitor", Observed("limner_nonsense"))
        assert "limner_nonsense" in str(await stage.base.ended("monitor"))

    play(scene)


def test_the_console_hears_how_the_service_and_each_account_do() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("gate")
        stage.cast("console")
        stage.cast("monitor", Monitor)  # which begins at midnight: nothing had ended
        fox = AccountState("fox", "up", None, None, slots=2, places=2, going_on=0, moving=0)
        stage.tell("monitor", StoreWell(), fox, Observed("limner_account_up", 1, ("fox",)))
        stage.tell("monitor", JobEnded("done", "fox", 60.0, 20.0, NOW), JobEnded("undecided", "fox", 9.0, 9.0, NOW))
        stage.tell("monitor", Observed("limner_queue_wait_seconds", 3.0), Observed("limner_store_commit_seconds", 0.02))
        stage.tell("monitor", Observed("limner_rest_requests_total", 1.0, ("POST /interactions", "429"), "fox"))
        stage.tell("monitor", Observed("limner_gateway_reconnects_total", 1.0, ("fox", "resume")))
        stage.tell("monitor", Observed("limner_gateway_round_trip_seconds", 0.1, ("fox",)))
        await asyncio.sleep(6.0)
        stage.tell("monitor", AskOverview("ask-1"))
        told = await stage.one("console", Overview)
        service = told.service
        assert told.ask == "ask-1"
        assert (service["ready"], service["reasons"], service["intake"], service["pace"]) == (True, [], "open", 1.0)
        assert [(alarm["code"], alarm["about"], alarm["level"]) for alarm in service["alarms"]] == [
            ("account_limited", "fox", "yellow")
        ]
        assert set(service["alarms"][0]) == {"code", "level", "about", "words", "since", "did"}
        assert service["jobs"] == {"per_s": 0.033, "done_today": 1, "failed_today": 1}
        assert service["wait"]["p50_s"] == pytest.approx(3.0, rel=0.05)
        assert service["commit_s"] == pytest.approx(0.02)
        assert service["memory_bytes"] > 0
        assert service["disk_free_bytes"] > 0
        assert set(service) >= {"loop_lag_s", "fairness_jain", "restarts"}
        assert told.accounts == {
            "fox": {
                "pace": 1, "done": 1, "failed": 1, "limited": 1, "reconnects": 1, "seconds": 20.0, "round_trip_s": 0.1
            }
        }  # fmt: skip
        stage.tell("monitor", AskOverview("ask-2", hours=()), AskOverview("ask-3", hours=("fox", "gone")))
        without, with_fox = await stage.heard("console", Overview)
        assert without.accounts == {"fox": {"pace": 1}}
        assert with_fox.accounts == told.accounts

    play(scene)


def test_what_is_decided_is_told_to_the_account_and_again_while_it_is_slowed_down() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("account/fox")
        stage.cast("monitor", Monitor)
        fox = AccountState("fox", "up", None, None, slots=2, places=2, going_on=0, moving=0)
        limited = Observed("limner_rest_requests_total", 1.0, ("POST /interactions", "429"), "fox")
        stage.tell("monitor", fox, Observed("limner_account_up", 1, ("fox",)), limited)
        await asyncio.sleep(60.0)
        told = [order.places for order in await stage.heard("account/fox", SetPace)]
        assert told == [1, 1, 1, 1, 2]

    play(scene)


def test_the_interval_is_that_of_the_config_and_never_none_at_all() -> None:
    async def scene(stage: Stage) -> None:
        monitor = stage.cast("monitor", Monitor)
        await stage.quiet()
        assert monitor.interval_s == 0.5

    play(scene, config=CONFIG + "\n[pacing]\ninterval_s = 0\n")


def test_a_monitor_that_is_started_again_tells_what_ended_today_and_no_end_twice() -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("console")
        stage.cast("store", Store)
        user = AddUser("U1", "ann", DEFAULT_PLAN, False, 1.0)
        jobs = [replace(ACCEPT, job=f"j{number}", at=NOW) for number in range(4)]
        ends = [
            settle_failed(job.job, NOW + number - DAY_S * (number == 0), "queued", attempt=None)
            for number, job in enumerate(jobs)
        ]
        for number, write in enumerate((user, *jobs, *ends)):
            stage.tell("store", Commit(f"op-{number}", "console", write))
        await stage.quiet(10.0)
        stage.cast("monitor", Monitor)
        stage.tell("monitor", JobEnded("undecided", "fox", 9.0, 9.0, NOW + 3), AskOverview("at once"))
        stage.tell("monitor", JobEnded("undecided", "fox", 9.0, 9.0, NOW + 60))
        await stage.quiet()
        stage.tell("monitor", AskOverview("when it has read"))
        first, second = await stage.heard("console", Overview)
        assert first.service["jobs"]["failed_today"] is None
        assert (second.service["jobs"]["done_today"], second.service["jobs"]["failed_today"]) == (0, 4)

    play(scene)
