"""Jobs that are expected, since the store has yet to take them, count for the places of those that come after them."""

from __future__ import annotations

from copy import deepcopy

from hypothesis import given, settings
from hypothesis import strategies as st

from core.fairness import FairQueue, Standing, Waiting

MODES = ("fast", "relax")
MANY = 10_000
WEIGHTS = st.sampled_from((0.3, 0.5, 1.0, 1.7, 2.0, 5.0))


def expect(queue: FairQueue, job: str, user: str, weight: float = 1.0, account: str | None = None) -> Standing:
    return queue.expect(Waiting(job, user, "fast", account), weight=weight, concurrent=3)


def test_of_a_burst_each_job_is_told_a_place_of_its_own() -> None:
    queue = FairQueue()
    told = [expect(queue, f"a{number}", "ana") for number in range(6)]
    assert [standing.place for standing in told] == [1, 2, 3, 4, 5, 6]
    assert [standing.held for standing in told] == [0, 0, 0, 1 / 3, 2 / 3, 1]
    assert [expect(queue, f"u{number}", f"u{number}").place for number in range(4)] == [2, 3, 4, 5]
    assert queue.expected == 10
    assert len(queue) == 0


def test_what_is_expected_no_more_is_forgotten_with_its_user() -> None:
    queue = FairQueue()
    expect(queue, "a", "ana")
    expect(queue, "b", "ben", account="fox")
    for job in ("a", "b", "b", "another"):
        queue.unexpect(job)
    assert queue.expected == 0
    assert expect(queue, "c", "cem").place == 1
    queue.unexpect("c")
    assert not queue._flows


def place_once_all_came(queue: FairQueue, expected: list[Waiting], new: Waiting, weights: dict[str, float]) -> int:
    """The new job's place if the expected ones and it were added now."""
    later = deepcopy(queue)
    for job in (*expected, new):
        later.add(job, weight=weights[job.user], concurrent=MANY)
        later.unexpect(job.job)
    return later.place(new.job) or 0


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_the_place_told_is_the_one_a_job_has_once_it_and_those_before_it_are_stored(data: st.DataObject) -> None:
    queue = FairQueue()
    weights = {user: data.draw(WEIGHTS) for user in "abcde"}
    expected: list[Waiting] = []
    for number in range(data.draw(st.integers(1, 30))):
        user = data.draw(st.sampled_from(sorted(weights)))
        match data.draw(st.sampled_from(("expect", "expect", "expect", "add", "refuse", "take"))):
            case "expect":
                job = Waiting(f"j{number}", user, "fast")
                told = place_once_all_came(queue, expected, job, weights)
                assert queue.expect(job, weight=weights[user], concurrent=MANY).place == told
                expected.append(job)
            case "add" if expected:
                job = expected.pop(0)
                queue.add(job, weight=weights[job.user], concurrent=MANY)
                queue.unexpect(job.job)
            case "refuse" if expected:
                # The last one: the others' places were not told with it before them.
                queue.unexpect(expected.pop().job)
            case "take" if not expected:
                queue.take("fox", MODES)
        assert queue.expected == len(expected)
