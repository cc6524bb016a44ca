"""What is remembered of the last minutes, of today, and of an account's last hour and interval."""

from __future__ import annotations

import pytest

from actors.monitor.messages import JobEnded
from actors.monitor.tallies import DAY_S, HOUR_S, AccountTally, Tallies
from core.pacing import Seen

DONE = JobEnded("done", "fox", 60.0, 20.0, 10.0)


def a_job(outcome: str, drawing_s: float | None = 1.0, at: float = 10.0) -> JobEnded:
    return JobEnded(outcome, "fox", 100.0, drawing_s, at)


def test_jobs_of_the_last_minute_and_of_today_are_counted_and_a_cancelled_one_is_no_failure() -> None:
    tallies = Tallies(0.0)
    for job in (DONE, DONE, a_job("cancelled"), a_job("upstream_rejected")):
        tallies.ended(job, 10.0, 0.5 * DAY_S)
    jobs = tallies.told(11.0, 0.5 * DAY_S)["jobs"]
    assert jobs == {"per_s": pytest.approx(4 / 60, abs=1e-3), "done_today": 2, "failed_today": 1}
    assert tallies.told(200.0, 1.5 * DAY_S)["jobs"] == {"per_s": 0.0, "done_today": 0, "failed_today": 0}


def test_who_begins_in_the_middle_of_a_day_knows_no_number_until_what_ended_before_is_read() -> None:
    noon = 3.5 * DAY_S
    tallies = Tallies(noon)
    tallies.ended(a_job("done", at=noon + 1), 1.0, noon + 1)
    tallies.ended(a_job("done", at=noon - 1), 1.0, noon + 1)  # its end is among those that are read
    nobody_knows = {"per_s": pytest.approx(2 / 60, abs=1e-3), "done_today": None, "failed_today": None}
    assert tallies.told(2.0, noon + 2)["jobs"] == nobody_knows
    tallies.today.read(30, 4)
    told = tallies.told(2.0, noon + 2)["jobs"]
    assert (told["done_today"], told["failed_today"]) == (31, 4)


def test_what_is_read_after_midnight_is_of_the_day_before_and_what_ended_before_it_too() -> None:
    midnight = 4 * DAY_S
    tallies = Tallies(midnight - 5)
    yesterday = tallies.today
    tallies.ended(a_job("done", at=midnight - 0.1), 1.0, midnight + 0.1)
    tallies.ended(a_job("undecided", at=midnight), 1.0, midnight + 0.1)
    yesterday.read(30, 4)
    told = tallies.told(2.0, midnight + 1)["jobs"]
    assert (told["done_today"], told["failed_today"]) == (0, 1)


def test_waits_are_told_of_the_last_five_minutes() -> None:
    tallies = Tallies(0.0)
    for seconds in range(1, 101):
        tallies.waited(float(seconds), 10.0)
    wait = tallies.told(20.0, 0.0)["wait"]
    assert wait == {"p50_s": pytest.approx(50, rel=0.05), "p99_s": pytest.approx(99, rel=0.05)}
    assert tallies.told(1_000.0, 0.0)["wait"] == {"p50_s": None, "p99_s": None}


def test_an_interval_knows_its_commits_also_one_that_is_still_under_way_and_is_then_over() -> None:
    tallies = Tallies(0.0)
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
    tally.ended(a_job("undecided"), 1.0)
    assert tally.seen(True) == Seen(limited=2, failed=3, done=1, reconnects=1, round_trip_s=0.3, up=True)
    assert tally.seen(False) == Seen(up=False)


def test_a_users_own_mistake_is_a_failure_of_the_hour_and_no_fault_of_the_account() -> None:
    tally = AccountTally()
    tally.ended(a_job("banned_prompt"), 1.0)
    assert tally.seen(True).failed == 0
    assert tally.told(2.0)["failed"] == 1


def test_an_accounts_last_hour_is_told_and_forgotten() -> None:
    tally = AccountTally()
    for seconds in (10.0, 20.0, 90.0):
        tally.ended(a_job("done", seconds), 1.0)
    tally.answered("429", 1.0)
    tally.beat(0.2)
    assert tally.told(2.0) == {
        "done": 3, "failed": 0, "limited": 1, "reconnects": 0, "seconds": 20.0, "round_trip_s": 0.2
    }  # fmt: skip
    later = tally.told(2.0 + 2 * HOUR_S)
    assert (later["done"], later["limited"], later["seconds"]) == (0, 0, None)
