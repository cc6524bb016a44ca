"""Who orders when, and the config that allows it."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bench.peak.plan import Plan, config_of, number_of, prompt_of, schedule
from core.config import read

ANNOUNCED = {
    "api": "http://127.0.0.1:9/api/v10",
    "gateway": "ws://127.0.0.1:9",
    "cdn": "http://127.0.0.1:9/cdn",
    "guild_id": "1",
    "accounts": [{"name": f"fox-{n}", "token": f"t{n}", "channel_id": str(n)} for n in (2, 3)],
}


def test_one_user_of_a_hundred_sends_half_of_all_jobs():
    plan = Plan(jobs=20_000, users=1_000)
    senders, _ = schedule(plan)
    heavy = sum(user < plan.heavy for user in senders)
    assert plan.heavy == 10
    assert 0.48 < heavy / plan.jobs < 0.52
    assert max(senders) < plan.users


def test_jobs_arrive_at_the_rate_of_the_plan_and_never_before_the_one_before():
    plan = Plan(jobs=20_000, rate=250.0)
    _, due = schedule(plan)
    assert list(due) == sorted(due)
    assert 0.95 < due[-1] / (plan.jobs / plan.rate) < 1.05


def test_in_a_closed_loop_everything_is_due_at_once():
    for plan in (Plan(jobs=100, saturate=True), Plan(jobs=100, hold=True)):
        assert set(schedule(plan)[1]) == {0.0}


def test_the_same_seed_is_the_same_crowd():
    assert schedule(Plan(seed=7)) == schedule(Plan(seed=7))
    assert schedule(Plan(seed=7)) != schedule(Plan(seed=8))


@given(st.integers(0, 10**9), st.sampled_from(("", " --fast", " --relax")))
def test_a_prompt_tells_whose_job_it_is(number, mode):
    assert number_of(prompt_of(number) + mode) == number


@given(st.one_of(st.none(), st.text()))
def test_a_prompt_of_others_is_nobodys(prompt):
    assert number_of(prompt) is None


def test_the_daemon_takes_the_config_and_its_limits_let_the_whole_day_in():
    plan = Plan(jobs=300_000, users=10_000, accounts=2)
    config = read(config_of(plan, ANNOUNCED), {})
    free, most = config.plan("free"), max(Counter(schedule(plan)[0]).values())
    assert min(free.daily, free.queued, config.limits.queue_max) >= plan.jobs
    assert config.limits.sockets_per_ip > plan.users
    assert config.limits.frames_per_min > most
    assert [account.slots for account in config.accounts] == [plan.slots, plan.slots]


def test_the_heavy_users_alone_can_fill_every_slot():
    for plan in (Plan(), Plan(users=10_000), Plan(users=2, accounts=1)):
        assert plan.concurrent * plan.heavy >= plan.accounts * plan.slots
