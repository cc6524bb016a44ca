"""The metrics of the contract exist from the start, count what is told, and readiness names its reasons."""

from __future__ import annotations

from actors.monitor.actor import Monitor
from actors.monitor.messages import AskMonitor, Observed, PicturesTroubled, PicturesWell, Restarted
from actors.monitor.metrics import METRICS
from actors.session.messages import Say
from actors.store_messages import StoreTroubled, StoreWell
from protocol.api import MetricsShown, ReadyShown, ShowMetrics, ShowReady
from tests.actors.stage import Stage, play


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
