"""The order of users is fair, within a bound, whatever they do."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.fairness import FairQueue, Waiting

MODES = ("fast", "relax")
MANY = 10_000


def filled(queue: FairQueue, user: str, count: int, *, weight: float = 1.0, concurrent: int = MANY) -> None:
    for number in range(count):
        queue.add(Waiting(f"{user}-{number}", user, "fast"), weight=weight, concurrent=concurrent)


def drain(queue: FairQueue, count: int = MANY) -> list[str]:
    taken = []
    while len(taken) < count and (waiting := queue.take("a", MODES)) is not None:
        taken.append(waiting.job)
    return taken


def test_one_user_is_served_in_the_order_of_their_wishes() -> None:
    queue = FairQueue()
    filled(queue, "ana", 5)
    assert drain(queue) == [f"ana-{number}" for number in range(5)]


def test_a_flood_does_not_delay_a_light_user_by_more_than_one_turn() -> None:
    queue = FairQueue()
    filled(queue, "flood", 10_000)
    drain(queue, 5_000)
    filled(queue, "light", 3)
    assert [job for job in drain(queue, 6) if job.startswith("light")] == ["light-0", "light-1", "light-2"]


def test_a_user_of_twice_the_weight_gets_twice_the_share() -> None:
    queue = FairQueue()
    filled(queue, "one", 100, weight=1.0)
    filled(queue, "two", 100, weight=2.0)
    share = Counter(job.split("-")[0] for job in drain(queue, 90))
    assert share == {"two": 60, "one": 30}


def test_idling_earns_nothing() -> None:
    queue = FairQueue()
    filled(queue, "busy", 1000)
    filled(queue, "idler", 1)
    drain(queue, 500)
    filled(queue, "idler", 100)
    share = Counter(job.split("-")[0] for job in drain(queue, 100))
    assert abs(share["busy"] - share["idler"]) <= 2


def test_leaving_and_coming_back_earns_nothing() -> None:
    queue = FairQueue()
    filled(queue, "steady", 1000)
    served = Counter()
    for round_number in range(100):
        queue.add(Waiting(f"hopper-{round_number}", "hopper", "fast"), weight=1.0, concurrent=MANY)
        for job in drain(queue, 2):
            served[job.split("-")[0]] += 1
            queue.ended(job.split("-")[0])
    assert served["hopper"] <= served["steady"] + 1


def test_a_user_at_the_limit_of_drawings_at_once_waits_and_others_go_on() -> None:
    queue = FairQueue()
    filled(queue, "ana", 5, concurrent=2)
    filled(queue, "ben", 2, concurrent=2)
    assert sorted(drain(queue)) == ["ana-0", "ana-1", "ben-0", "ben-1"]
    queue.ended("ana")
    assert drain(queue) == ["ana-2"]


def test_a_follow_up_runs_only_where_its_parent_was_drawn() -> None:
    queue = FairQueue()
    queue.add(Waiting("u1", "ana", "fast", account="fox"), weight=1.0, concurrent=3)
    assert queue.take("owl", MODES) is None
    assert queue.take("fox", MODES) == Waiting("u1", "ana", "fast", account="fox")


def test_a_mode_that_no_account_draws_does_not_block_the_users_other_jobs() -> None:
    queue = FairQueue()
    queue.add(Waiting("slow", "ana", "turbo"), weight=1.0, concurrent=3)
    queue.add(Waiting("quick", "ana", "fast"), weight=1.0, concurrent=3)
    assert queue.take("fox", MODES) == Waiting("quick", "ana", "fast")


def test_what_did_not_begin_is_first_again_and_its_user_has_the_turn_back() -> None:
    queue = FairQueue()
    filled(queue, "ana", 3)
    filled(queue, "ben", 3)
    first = queue.take("a", MODES)
    assert first is not None
    queue.put_back(first, weight=1.0, concurrent=MANY)
    assert drain(queue, 1) == [first.job]


def test_a_cancelled_job_is_gone_and_the_others_keep_their_order() -> None:
    queue = FairQueue()
    filled(queue, "ana", 3)
    assert queue.remove("ana-1") is not None
    assert queue.remove("ana-1") is None
    assert drain(queue) == ["ana-0", "ana-2"]


def test_adding_a_job_that_waits_already_is_refused_and_changes_nothing() -> None:
    queue = FairQueue()
    filled(queue, "ana", 1)
    with pytest.raises(ValueError, match="waits already"):
        queue.add(Waiting("ana-0", "ana", "fast"), weight=1.0, concurrent=3)
    assert len(queue) == 1


def test_nothing_is_kept_of_users_who_are_gone() -> None:
    queue = FairQueue()
    for number in range(2_000):
        queue.add(Waiting(f"j{number}", f"u{number}", "fast"), weight=1.0, concurrent=3)
        queue.take("a", MODES)
        queue.ended(f"u{number}")
    filled(queue, "last", 3)
    drain(queue)
    assert len(queue._flows) < 10
    assert not queue._lanes


WEIGHTS = st.sampled_from((0.3, 0.5, 1.0, 1.7, 2.0, 5.0))


@settings(max_examples=300, deadline=None)
@given(weights=st.lists(WEIGHTS, min_size=2, max_size=6), seed=st.integers(0, 2**32), turns=st.integers(1, 120))
def test_for_any_two_busy_users_the_difference_of_service_stays_within_the_bound(
    weights: list[float], seed: int, turns: int
) -> None:
    dice = random.Random(seed)
    queue = FairQueue()
    users = {f"u{number}": weight for number, weight in enumerate(weights)}
    for user, weight in users.items():
        filled(queue, user, 700, weight=weight)
    # A disturber comes and goes; the bound is among those who stay.
    served: Counter[str] = Counter()
    for turn in range(turns):
        if dice.random() < 0.3:
            queue.add(Waiting(f"x-{turn}", "x", "fast"), weight=dice.choice((0.5, 3.0)), concurrent=MANY)
        taken = queue.take("a", MODES)
        assert taken is not None
        served[taken.user] += 1
        for left, left_weight in users.items():
            for right, right_weight in users.items():
                apart = abs(served[left] / left_weight - served[right] / right_weight)
                assert apart <= 1 / left_weight + 1 / right_weight + 1e-6


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_place_told_is_the_place_served_when_nothing_changes(data: st.DataObject) -> None:
    queue = FairQueue()
    weights = {f"u{number}": data.draw(WEIGHTS) for number in range(4)}
    for number in range(data.draw(st.integers(1, 40))):
        user = data.draw(st.sampled_from(sorted(weights)))
        queue.add(Waiting(f"j{number}", user, "fast"), weight=weights[user], concurrent=MANY)
        if data.draw(st.booleans()):
            queue.take("a", MODES)
    told = {
        job: queue.place(job) for user in weights for job in (standing.job for standing in queue.standings(user, MANY))
    }
    served = {job: place for place, job in enumerate(drain(queue), 1)}
    assert told.keys() == served.keys()
    for job, place in told.items():
        assert place is not None
        assert place == served[job]


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_no_job_is_lost_or_served_twice_in_any_order_of_events(seed: int) -> None:
    dice = random.Random(seed)
    queue = FairQueue()
    outside: dict[str, Waiting] = {}
    inside: set[str] = set()
    gone: set[str] = set()
    plan = {user: (dice.choice((0.5, 1.0, 2.0)), dice.randint(1, 3)) for user in "abc"}
    for step in range(150):
        match dice.choice(("add", "take", "end", "back", "remove")):
            case "add":
                user = dice.choice("abc")
                account = dice.choice((None, None, "fox"))
                job = Waiting(f"j{step}", user, dice.choice(MODES), account)
                queue.add(job, weight=plan[user][0], concurrent=plan[user][1])
                inside.add(job.job)
            case "take":
                account = dice.choice(("fox", "owl"))
                taken = queue.take(account, (dice.choice(MODES),))
                if taken is not None:
                    assert taken.job in inside
                    assert taken.account in (None, account)
                    inside.remove(taken.job)
                    outside[taken.job] = taken
                    running = sum(job.user == taken.user for job in outside.values())
                    assert running <= plan[taken.user][1]
            case "end" if outside:
                ended = outside.pop(dice.choice(sorted(outside)))
                gone.add(ended.job)
                queue.ended(ended.user)
            case "back" if outside:
                back = outside.pop(dice.choice(sorted(outside)))
                queue.put_back(back, weight=plan[back.user][0], concurrent=plan[back.user][1])
                inside.add(back.job)
            case "remove" if inside:
                job_id = dice.choice(sorted(inside))
                assert queue.remove(job_id) is not None
                inside.remove(job_id)
                gone.add(job_id)
        assert len(queue) == len(inside)
        assert all(job in queue for job in inside)
        assert not inside & gone


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_place_told_is_right_also_after_plans_changed_and_jobs_were_given_back_or_cancelled(
    data: st.DataObject,
) -> None:
    queue = FairQueue()
    taken: list[Waiting] = []
    for number in range(data.draw(st.integers(5, 40))):
        user = data.draw(st.sampled_from("abcd"))
        weight = data.draw(WEIGHTS)
        match data.draw(st.sampled_from(("add", "add", "add", "take", "back", "cancel"))):
            case "add":
                queue.add(Waiting(f"j{number}", user, "fast"), weight=weight, concurrent=MANY)
            case "take" if (job := queue.take("a", MODES)) is not None:
                taken.append(job)
            case "back" if taken:
                queue.put_back(taken.pop(), weight=weight, concurrent=MANY)
            case "cancel":
                for standing in queue.standings(user, 2)[1:]:
                    queue.remove(standing.job)
    told = {standing.job: standing.place for user in "abcd" for standing in queue.standings(user, MANY)}
    new = queue.standing_of_new("e", "fast", None, 1.0, MANY).place
    queue.add(Waiting("new", "e", "fast"), weight=1.0, concurrent=MANY)
    assert queue.place("new") == new
    queue.remove("new")
    assert told == {job: place for place, job in enumerate(drain(queue), 1)}


@settings(max_examples=200, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_limits_of_others_only_make_a_job_come_earlier_than_told(seed: int) -> None:
    dice = random.Random(seed)
    queue = FairQueue()
    plans = {user: (dice.choice((0.5, 1.0, 3.0)), dice.randint(1, 4)) for user in "abc"} | {"free": (1.0, MANY)}
    running: list[str] = []

    def step() -> str | None:
        """A place is asked for, or a drawing ends; the job that began, if one did."""
        if running and dice.random() < 0.4:
            queue.ended(running.pop(dice.randrange(len(running))))
        job = queue.take("a", MODES)
        if job is None:
            return None
        running.append(job.user)
        return job.job

    for number in range(80):
        user = dice.choice(sorted(plans))
        queue.add(Waiting(f"j{number}", user, "fast"), weight=plans[user][0], concurrent=plans[user][1])
        if dice.random() < 0.4:
            step()
    told = {standing.job: standing.place for standing in queue.standings("free", MANY)}
    served: list[str] = []
    while told.keys() - served:
        served.extend(filter(None, [step()]))
    for job, place in told.items():
        assert served.index(job) + 1 <= place


def test_a_users_own_limit_is_told_beside_the_place() -> None:
    queue = FairQueue()
    filled(queue, "ana", 7, concurrent=2)
    assert [standing.held for standing in queue.standings("ana", MANY)] == [0, 0, 0.5, 1, 1.5, 2, 2.5]
    drain(queue, 2)
    assert [(standing.place, standing.held) for standing in queue.standings("ana", 3)] == [(1, 0.5), (2, 1), (3, 1.5)]
    assert queue.standing_of_new("ana", "fast", None, 1.0, 2).held == 3.0


def test_whose_drawings_hang_is_not_counted_with_the_turns_they_miss() -> None:
    queue = FairQueue()
    filled(queue, "hangs", 50, concurrent=1)
    filled(queue, "ben", 200)
    drain(queue, 100)
    assert [standing.place for standing in queue.standings("ben", 3)] == [3, 5, 7]


def test_one_who_waits_for_a_busy_account_hoards_no_turns() -> None:
    queue = FairQueue()
    queue.add(Waiting("follow-up", "ana", "fast", account="fox"), weight=1.0, concurrent=MANY)
    filled(queue, "ben", 100)
    for _ in range(50):
        queue.take("owl", MODES)
    filled(queue, "ana", 50)
    share = Counter(job.partition("-")[0] for job in (queue.take("owl", MODES).job for _ in range(20)))
    assert abs(share["ana"] - share["ben"]) <= 2


def test_a_flood_of_follow_ups_does_not_starve_another_users_one() -> None:
    queue = FairQueue()
    for number in range(100):
        queue.add(Waiting(f"flood-{number}", "flood", "fast", account="fox"), weight=1.0, concurrent=MANY)
    filled(queue, "ben", 100)
    for _ in range(50):
        queue.take("owl", MODES)
    queue.add(Waiting("one", "ana", "fast", account="fox"), weight=1.0, concurrent=MANY)
    assert "one" in [queue.take("fox", MODES).job for _ in range(3)]
