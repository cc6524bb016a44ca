"""Whatever breaks, in whatever order: no picture reaches the wrong job, and none is drawn twice."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from pathlib import Path

import pytest

from actors.queue.messages import JobMoved, JobSettled, Keep
from core.job import TERMINAL
from tests.actors.studio import Studio, run, simulator, studio

pytestmark = pytest.mark.live

FAULTS = (
    *("reconnect", "close_4000", "close_4009", "drop_all", "bad_zlib", "invalid_true", "invalid_false", "op1"),
    *("unknown_events", "reset_in_replay", "huge_guild"),
    *("lost_response", "bad_gateway", "r429_user", "stale_version", "queue_full", "job_queued"),
)
DEATHS = ("account", "account", "queue", "scheduler", "store")
DISORDERS: tuple[dict[str, object], ...] = (
    {"drop_metadata": True, "late_delete": 0.4},
    {"no_delete": True, "rewrite_prompts": True},
    {"final_nonce": True, "late_delete": 0.4},
)
JOBS = 14
BREAK_S = 6.0
END_S_MAX = 80.0


@pytest.mark.parametrize("seed", range(2))
def test_equal_prompts_survive_faults_and_deaths_without_a_swap_or_a_second_drawing(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("core.reconcile.TRACE_S", 0.5)
    monkeypatch.setattr("actors.supervisor.Supervisor.INTENSITY", 1_000)
    dice = random.Random(seed)

    async def scene() -> None:
        with simulator(seconds=1.0) as sim:
            disorder = DISORDERS[seed % len(DISORDERS)]
            await sim.configure(reorder=True, duplicate_events=True, jitter=0.4, **disorder)
            config = sim.config(accounts=2, drawing_s=40, undecided_s=25)
            async with studio(tmp_path, sim, config) as house:
                jobs = [await house.order("the same fox") for _ in range(JOBS)]
                await break_things(house, dice)
                async with asyncio.timeout(END_S_MAX):
                    while any(job.state not in TERMINAL for job in house.stored(jobs)):  # noqa: ASYNC110  whoever tells may be dead
                        await asyncio.sleep(0.25)
                await nothing_is_swapped_or_drawn_twice(house, jobs)

    run(scene())


async def break_things(house: Studio, dice: random.Random) -> None:
    """Faults and deaths at random moments, for a while."""
    loop = asyncio.get_running_loop()
    until = loop.time() + BREAK_S
    while loop.time() < until:
        if dice.random() < 0.25:
            who = dice.choice(DEATHS)
            house.kill(f"account/{dice.choice(house.sim.names)}" if who == "account" else who)
        else:
            await house.sim.fault(dice.choice(FAULTS))
        await asyncio.sleep(dice.uniform(0.1, 0.8))


async def nothing_is_swapped_or_drawn_twice(house: Studio, jobs: list[str]) -> None:
    rows = [row for row in await house.sim.ledger() if row["outcome"] == "done"]
    nonces = {told.job.nonce: told.job.id for told in house.ears.of(JobMoved) if told.job.nonce is not None}
    drawn = Counter(nonces[row["nonce"]] for row in rows)
    assert max(drawn.values()) == 1
    assert (await house.sim.stats())["duplicates"] == 0
    message_of = {row["nonce"]: row["message_id"] for row in rows}
    for keep in house.ears.of(Keep):
        assert keep.job.message_id == message_of[keep.job.nonce]
    settled = Counter(told.job.id for told in house.ears.of(JobSettled))
    assert set(settled) <= set(jobs)
    assert max(settled.values()) == 1
    assert sum(job.state == "done" for job in house.stored(jobs)) >= JOBS // 2
