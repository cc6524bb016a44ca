"""What becomes of the job that cost its account its work: it moves where it surely was not drawn, and nowhere else."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.account.messages import Reinstate
from actors.account.work import HELD_UP_TEXT
from tests.actors.studio import Sim, run, simulator, studio

#: Issue 4: jobs move to other accounts within this time.
ELSEWHERE_S_MAX = 60.0


@pytest.fixture(scope="module")
def sim() -> Iterator[Sim]:
    with simulator("--pictures", "canned", "--accounts", "3") as running:
        yield running


@pytest.mark.parametrize("fault", ["blocked", "credits_exhausted", "unauthorized"])
def test_what_surely_was_not_drawn_is_drawn_by_another_account_with_another_nonce(
    sim: Sim, tmp_path: Path, fault: str
) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(2)) as house:
            before, since = len(await sim.ledger()), time.monotonic()
            await sim.fault(fault)
            job = await house.order("a fox in the snow")
            done = await house.reaches(job, "done")
            assert time.monotonic() - since < ELSEWHERE_S_MAX
            assert (done.attempt, done.charged) == (2, True)
            rows = (await sim.ledger())[before:]
            assert [row["outcome"] for row in rows].count("done") == 1
            assert len({row["nonce"] for row in rows}) == len({row["account"] for row in rows}) == len(rows)
            await house.until(lambda: house.downs == 1)

    run(scene())


def test_what_the_bot_may_draw_once_its_notice_is_answered_is_not_sent_to_another_account(
    sim: Sim, tmp_path: Path
) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(2)) as house:
            before = len(await sim.ledger())
            await sim.fault("captcha")
            job = await house.order("a fox in the snow")
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.message, failed.charged) == ("upstream_blocked", HELD_UP_TEXT, False)
            assert len((await sim.ledger())[before:]) == 1

    run(scene())


def test_a_job_that_two_accounts_were_blocked_over_is_not_shown_to_a_third(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim, sim.config(3)) as house:
            before = len(await sim.ledger())
            await sim.fault("blocked", count=2)
            job = await house.order("a fox that gets accounts blocked")
            failed = await house.reaches(job, "failed")
            assert (failed.code, failed.charged) == ("upstream_blocked", False)
            rows = (await sim.ledger())[before:]
            assert len({row["account"] for row in rows}) == len(rows) == 2
            await house.until(lambda: house.downs == 2)
            other = await house.order("a harmless hare")
            await house.reaches(other, "done")

    run(scene())


def test_the_only_account_draws_it_when_the_operator_has_resumed_it(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            await sim.fault("blocked")
            job = await house.order("a fox in the snow")
            await house.until(lambda: house.downs == 1)
            (name,) = [account.name for account in house.process.config.accounts]
            assert (await house.reaches(job, "queued")).code is None
            house.base.tell(f"account/{name}", Reinstate(name))
            done = await house.reaches(job, "done")
            assert done.attempt == 2

    run(scene())
