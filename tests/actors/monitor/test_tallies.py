"""What is remembered of the last minutes, of today, and of an account's last hour and interval."""

from __future__ import annotations

import pytest

from actors.monitor.messages import JobEnded
from actors.monitor.tallies import DAY_S, HOUR_S, AccountTally, Tallies
from core.pacing import Seen

DONE = JobEnded("done", "fox", 60.0, 20.0)


def test_jobs_of_the_last_minute_and_of_today_are_counted_and_a_cancelled_one_is_no_failure() -> None:
    tallies = Tallies()
    for job in (DONE, DONE, JobEnded("cancelled", None, 1.0, None), JobEnded("upstream_rejected", "fox", 2.0, 1.0)):
        tallies.ended(job, 10.0, 0.5 * DAY_S)
    jobs = tallies.told(11.0, 0.5 * DAY_S)["jobs"]
    assert jobs == {"per_s": pytest.approx(4 / 60, abs=1e-3), "done_today": 2, "failed_today": 1}
    assert tallies.told(200.0, 1.5 * DAY_S)["jobs"] == {"per_s": 0.0, "done_today": 0, "failed_today": 0}


def test_waits_are_told_of_the_last_five_minutes() -> None:
    tallies = Tallies()
    for seconds in range(1, 101):
        tallies.waited(float(seconds), 10.0)
    wait = tallies.told(20.0, 0.0)["wait"]
    assert wait == {"p50_s": pytest.approx(50, rel=0.05), "p99_s": pytest.approx(99, rel=0.05)}
    assert tallies.told(1_000.0, 0.0)["wait"] == {"p50_s": None, "p99_s": None}


def test_an_interval_knows_its_commits_also_one_that_is_still_under_way_and_is_then_over() -> None:
    tallies = Tallies()
    tallies.committed(0.1)
    tallies.committed(0.3)
    for late_s in (0.0, 0.2, 9.0):
        tallies.late(late_s)
    assert tallies.interval() == (pytest.approx(0.2), 0.2)
    assert tallies.interval() == (None, 0.0)
    assert tallies.commit_s == pytest.approx(0.2)
    tallies.commits_still(4.0)
    assert tallies.interval()[0] == 4.0


def test_what_an_account_met_in_an_interval_is_told_once() -> None:
    tally = AccountTally()
    for status in ("200", "429", "429", "502", "broken", "404"):
        tally.answered(status, 1.0)
    tally.reconnected(1.0)
    tally.beat(0.3)
    tally.beat(0.1)
    tally.ended(DONE, 1.0)
    tally.ended(JobEnded("undecided", "fox", 9.0, 9.0), 1.0)
    assert tally.seen(True) == Seen(limited=2, failed=3, done=1, reconnects=1, round_trip_s=0.3, up=True)
    assert tally.seen(False) == Seen(up=False)


def test_a_users_own_mistake_is_a_failure_of_the_hour_and_no_fault_of_the_account() -> None:
    tally = AccountTally()
    tally.ended(JobEnded("banned_prompt", "fox", 9.0, 9.0), 1.0)
    assert tally.seen(True).failed == 0
    assert tally.told(2.0)["failed"] == 1


def test_an_accounts_last_hour_is_told_and_forgotten() -> None:
    tally = AccountTally()
    for seconds in (10.0, 20.0, 90.0):
        tally.ended(JobEnded("done", "fox", 100.0, seconds), 1.0)
    tally.answered("429", 1.0)
    tally.beat(0.2)
    assert tally.told(2.0) == {
        "done": 3, "failed": 0, "limited": 1, "reconnects": 0, "seconds": 20.0, "round_trip_s": 0.2
    }  # fmt: skip
    later = tally.told(2.0 + 2 * HOUR_S)
    assert (later["done"], later["limited"], later["seconds"]) == (0, 0, None)
