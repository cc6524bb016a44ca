"""A nonce is given once: by one Queue never twice, and one that an earlier life has given is passed over quietly."""

from __future__ import annotations

from typing import Any

import pytest

from actors.queue import course
from actors.queue.messages import Begin, Go, Next
from tests.actors.queue.test_actor import accepted, demand, set_up, submitted
from tests.actors.stage import CONFIG, Stage, play


def begun_at_once(count: int) -> list[str]:
    """The nonces of so many drawings that begin in the same millisecond."""
    nonces: list[str] = []

    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for number in range(count):
            await accepted(stage, ref=f"r{number}")
        stage.tell("queue", *(demand(f"l{number}") for number in range(count)))
        following = await stage.heard("scheduler", Next)
        stage.tell("queue", *(Begin("fox", each.job, each.attempt, each.lease, "gs1") for each in following))
        nonces.extend(go.job.nonce or "" for go in await stage.heard("account/fox", Go))

    play(scene, config=CONFIG.replace("daily = 5\nqueued = 4\nconcurrent = 3", "daily=500\nqueued=500\nconcurrent=500"))
    return nonces


def test_drawings_that_begin_in_one_millisecond_have_nonces_in_a_row_and_each_its_own() -> None:
    nonces = begun_at_once(200)
    assert nonces == sorted(set(nonces), key=int)
    assert len(nonces) == 200


@pytest.mark.parametrize("taken", [1, 3])
def test_a_nonce_that_an_earlier_life_has_given_is_passed_over_and_nobody_hears_of_it(
    taken: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    given: list[str] = []

    def clumsy(wall: float, rng: Any, after: str = "") -> str:
        """Gives the same nonce again and again, then another."""
        given.append(str(10**18 + max(0, len(given) - taken)))
        return given[-1]

    monkeypatch.setattr(course, "new_nonce", clumsy)

    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await accepted(stage, ref="r1")
        await accepted(stage, ref="r2")
        first, second = await submitted(stage, "l1"), await submitted(stage, "l2")
        assert (first.job.nonce, second.job.nonce) == (given[0], given[-1])
        assert (first.job.attempt, second.job.attempt) == (1, 1)

    play(scene)
    assert len(given) == taken + 2
    assert [record for record in caplog.records if record.levelname in ("WARNING", "ERROR")] == []
