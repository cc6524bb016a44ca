"""An account draws through a real simulator, and loses, repeats or swaps nothing whatever goes wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.queue_messages import JobMoved
from tests.actors.studio import Sim, run, simulator, studio

pytestmark = pytest.mark.live


@pytest.fixture
def sim() -> Iterator[Sim]:
    with simulator() as running:
        yield running


def test_an_imagine_is_drawn(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            job = await house.order("a fox in the snow")
            done = await house.reaches(job, "done")
            moved = [told.job.state for told in house.ears.of(JobMoved)]
            assert moved == ["submitting", "drawing", "keeping"]
            assert house.kept(job).picture_url is not None
            assert {offer.action for offer in done.offers} == {"upscale", "variation", "reroll"}
            (row,) = await sim.ledger()
            assert (row["nonce"], row["outcome"]) == (done.nonce, "done")

    run(scene())
