"""The short form of the chaos, and that its verdict would catch us: each lie put into the evidence is found."""

from __future__ import annotations

import asyncio
import copy
import sqlite3
from typing import Any

import pytest

from tests.chaos.run import Plan, Report, run
from tests.chaos.verdict import Verdict

pytestmark = [pytest.mark.live, pytest.mark.timeout(180)]

SHORT = Plan(seed=20, kills=6, users=5, accounts=3, seconds=0.5, backlog=5, calm=False, settle_s=90.0, pictures_max=50)


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """One short run."""
    return asyncio.run(run(SHORT, tmp_path_factory.mktemp("chaos")))


def judged_anew(report: Report, ledger: list[dict[str, Any]] | None = None, *changes: str) -> set[str]:
    """The violations' figures of the same evidence with another ledger, or with changes made to the database."""
    before = report.verdict
    database = sqlite3.connect(":memory:")
    before.database.backup(database)
    for change in changes:
        assert database.execute(change).rowcount > 0, change
    after = Verdict(before.customers, database, before.ledger if ledger is None else ledger)
    assert bool(after.violations) == bool(ledger or changes)
    return {name for name, count in after.figures.items() if count > before.figures[name]}


def test_a_daemon_killed_again_and_again_loses_nothing_and_draws_nothing_twice(report: Report) -> None:
    assert report.violations == [], report.table()
    figures = report.verdict.figures
    assert figures["acknowledged"] > 20
    assert figures["ended done"] > 20
    assert figures["pictures looked at"] > 0


def test_the_verdict_finds_nothing_in_what_is_true(report: Report) -> None:
    assert judged_anew(report) == set()


def test_the_verdict_finds_a_lost_job(report: Report) -> None:
    job = next(iter(report.verdict.customers[0].book.jobs))
    assert "lost" in judged_anew(report, None, f"DELETE FROM jobs WHERE id = '{job}'")


def test_the_verdict_finds_a_job_that_never_ended(report: Report) -> None:
    job = next(iter(report.verdict.customers[0].book.jobs))
    found = judged_anew(report, None, f"UPDATE jobs SET state = 'undecided' WHERE id = '{job}'")
    assert {"lost", "not told their end"} <= found


def test_the_verdict_finds_a_nonce_that_was_sent_twice(report: Report) -> None:
    ledger = report.verdict.ledger
    assert "nonces doubled" in judged_anew(report, [*ledger, ledger[0]])


def test_the_verdict_finds_a_drawing_that_was_made_twice(report: Report) -> None:
    job = drawn_jobs(report)[0]
    again = f"INSERT INTO attempts (job, attempt, account, nonce, lease, at) \
        SELECT job, attempt + 100, account, '77', lease, at FROM attempts WHERE job = '{job}' LIMIT 1"
    row = copy.deepcopy(report.verdict.ledger[-1]) | {"nonce": "77", "outcome": "done"}
    assert "drawn twice" in judged_anew(report, [*report.verdict.ledger, row], again)


def test_the_verdict_finds_a_drawing_of_which_nothing_is_stored(report: Report) -> None:
    row = next(row for row in report.verdict.ledger if row["kind"] == "imagine") | {"nonce": "78"}
    assert "sent unknown" in judged_anew(report, [*report.verdict.ledger, row])


def test_the_verdict_finds_two_pictures_that_were_swapped(report: Report) -> None:
    one, other = drawn_jobs(report)[:2]
    swap = f"UPDATE images SET job = CASE job WHEN '{one}' THEN '{other}' ELSE '{one}' END \
        WHERE job IN ('{one}', '{other}')"
    assert "swapped" in judged_anew(report, None, swap)


@pytest.mark.parametrize(
    ("figure", "change"),
    [
        (
            "ends doubled",
            "INSERT INTO history (job, state, at) SELECT job, state, at FROM history WHERE state = 'done'",
        ),
        ("seqs broken", "UPDATE events SET seq = seq + 1000 WHERE seq = 3"),
        ("quota wrong", "UPDATE quota SET used = used + 1"),
    ],
)
def test_the_verdict_finds(report: Report, figure: str, change: str) -> None:
    assert figure in judged_anew(report, None, change)


def drawn_jobs(report: Report) -> list[str]:
    """Jobs that have a picture."""
    return [row[0] for row in report.verdict.database.execute("SELECT job FROM images ORDER BY job")]
