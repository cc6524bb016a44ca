"""Where accounts differ in what they draw, each job finds exactly those that can draw it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from core.account_config import DRIVERS, AccountConfig
from core.skills import SKILLS, Skills, mode_of

MODES = ("fast", "relax", "turbo")
ACCOUNTS = some.lists(
    some.builds(
        AccountConfig,
        name=some.sampled_from(["fox", "owl", "elk", "jay"]),
        driver=some.sampled_from(sorted(DRIVERS)),
        modes=some.lists(some.sampled_from(MODES), unique=True, min_size=1).map(tuple),
    ),
    unique_by=lambda account: account.name,
    max_size=4,
)
JOBS = some.tuples(some.sampled_from(MODES), some.sampled_from(SKILLS))


def able(accounts: list[AccountConfig], mode: str, kind: str, has_images: bool) -> set[str]:
    return {
        account.name
        for account in accounts
        if mode in account.modes and DRIVERS[account.driver].draws(kind, has_images)
    }


def serving(skills: Skills, accounts: list[AccountConfig], lane: str) -> set[str]:
    return {account.name for account in accounts if lane in skills.lanes(account.name, account.modes)}


@given(ACCOUNTS, JOBS)
def test_a_jobs_lane_is_served_by_those_who_can_draw_it(accounts: list[AccountConfig], job: tuple) -> None:
    mode, (kind, has_images) = job
    skills = Skills(accounts)
    wanted = able(accounts, mode, kind, has_images)
    assert skills.can_draw(mode, kind, has_images, None) is bool(wanted)
    if wanted:  # no other job is accepted
        lane = skills.lane(mode, kind, has_images, None)
        assert serving(skills, accounts, lane) == wanted
        assert mode_of(lane) == mode


@given(ACCOUNTS, ACCOUNTS, JOBS)
def test_what_waited_apart_is_still_served_when_the_accounts_are_others(
    before: list[AccountConfig], after: list[AccountConfig], job: tuple
) -> None:
    mode, (kind, has_images) = job
    old = Skills(before)
    new = Skills(after, old.is_mixed)
    lane = old.lane(mode, kind, has_images, None)
    # In a mode's own lane may also wait what is not for all: who cannot draw it gives it back.
    assert able(after, mode, kind, has_images) <= serving(new, after, lane)


@given(some.sampled_from(sorted(DRIVERS)), some.sampled_from(MODES), some.sampled_from(SKILLS))
def test_where_all_have_one_driver_a_lane_is_a_mode(driver: str, mode: str, skill: tuple[str, bool]) -> None:
    accounts = [AccountConfig("fox", driver=driver), AccountConfig("owl", driver=driver)]  # type: ignore[arg-type]
    skills = Skills(accounts)
    assert skills.lane(mode, *skill, None) == mode
    assert skills.lanes("fox", ("fast", "relax")) == ("fast", "relax")


@given(ACCOUNTS, JOBS)
def test_what_is_bound_to_an_account_waits_in_its_mode(accounts: list[AccountConfig], job: tuple) -> None:
    mode, skill = job
    skills = Skills(accounts)
    for account in accounts:
        assert skills.lane(mode, *skill, account.name) == mode
        assert skills.can_draw(mode, *skill, account.name) is (account.name in able(accounts, mode, *skill))
    assert not skills.can_draw(mode, *skill, "nobody")
