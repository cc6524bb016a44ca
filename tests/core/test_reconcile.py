"""Never twice, as a ruling: given back only with proof, let go only when it is too late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.reconcile import GRACE_S, LET_GO_S, TRACE_S, Doubt, Ruling, moment, patience_s, rule, stamp

UNDECIDED_S = 600.0
IN_FLIGHT_S = 100.0
DOUBT = Doubt(since=1000.0, until=1000.0 + UNDECIDED_S, gateway_session="s1", in_flight_s=IN_FLIGHT_S)
SETTLED_AT = 1000.0 + IN_FLIGHT_S + TRACE_S


def test_a_resume_of_the_same_session_proves_it_not_taken_when_nothing_could_be_taken_or_told_any_more() -> None:
    assert rule(DOUBT, SETTLED_AT, "s1", SETTLED_AT) is Ruling.NOT_TAKEN


def test_a_resume_that_came_too_early_proves_nothing_and_another_is_made_in_time() -> None:
    early = SETTLED_AT - 0.1
    assert rule(DOUBT, SETTLED_AT, "s1", early) is Ruling.PROVE
    assert rule(DOUBT, SETTLED_AT, "s1", None) is Ruling.PROVE
    assert rule(DOUBT, early, "s1", None) is Ruling.WAIT


def test_a_proof_holds_whatever_becomes_of_the_time_after_it() -> None:
    assert rule(DOUBT, SETTLED_AT + 200.0, "s1", SETTLED_AT) is Ruling.NOT_TAKEN


seconds = st.floats(min_value=0, max_value=2000)


@given(after_s=seconds, resumed_after_s=st.none() | seconds, live=st.sampled_from([None, "s1", "s2"]))
def test_it_is_given_back_only_when_a_resume_of_its_own_session_covers_it(
    after_s: float, resumed_after_s: float | None, live: str | None
) -> None:
    resumed_at = None if resumed_after_s is None else DOUBT.since + resumed_after_s
    ruling = rule(DOUBT, DOUBT.since + after_s, live, resumed_at)
    if ruling is Ruling.NOT_TAKEN:
        assert live == DOUBT.gateway_session
        assert resumed_after_s is not None
        assert resumed_after_s >= IN_FLIGHT_S + TRACE_S
        assert after_s >= IN_FLIGHT_S + TRACE_S
    if ruling is Ruling.LET_GO:
        assert after_s >= UNDECIDED_S + LET_GO_S


@given(after_s=seconds, live=st.sampled_from([None, "s1", "s2"]))
def test_a_doubt_without_a_known_session_is_never_proven(after_s: float, live: str | None) -> None:
    doubt = Doubt(1000.0, 1000.0 + UNDECIDED_S, None, IN_FLIGHT_S)
    ruling = rule(doubt, doubt.since + after_s, live, doubt.since + after_s)
    assert ruling in (Ruling.WAIT, Ruling.LET_GO)


clocks = st.sampled_from(["boot-1", "boot-1 time:[1]", "boot-2 time:[1]"])


@given(then=st.floats(0, 1e9), clock=clocks, later_clock=clocks, after_s=st.floats(-1e9, 1e9))
def test_a_moment_is_known_to_later_lives_of_the_same_clock_and_begins_anew_in_all_others(
    then: float, clock: str, later_clock: str, after_s: float
) -> None:
    now = then + after_s
    found = moment(stamp(then, clock), later_clock, now)
    assert found <= now
    if found < now:
        assert clock == later_clock
        assert abs(found - then) <= 0.001
    if clock == later_clock and after_s >= 0.001:
        assert found < now


@given(told=st.none() | st.text() | st.sampled_from(["nan boot-1", "-inf boot-1", "inf boot-1", "5.0", "boot-1"]))
def test_what_is_no_moment_of_ours_begins_anew(told: str | None) -> None:
    assert moment(told, "boot-1", 100.0) == 100.0
    assert moment("5.0 boot-1", None, 100.0) == 100.0
    assert stamp(5.0, None) is None


@given(lives=st.lists(st.floats(min_value=0.1, max_value=GRACE_S - 1), min_size=1, max_size=200))
def test_a_time_of_waiting_ends_as_if_there_had_been_one_life_however_often_we_die(lives: list[float]) -> None:
    since = now = 1_000_000.0
    for life_s in lives:
        wait_s = patience_s(since, now, UNDECIDED_S)
        if wait_s <= life_s:
            assert now + wait_s - since <= UNDECIDED_S + GRACE_S
            return
        now += life_s
    assert now - since < UNDECIDED_S + GRACE_S


def test_what_came_due_while_nobody_was_there_gets_a_while_for_its_evidence() -> None:
    assert patience_s(0.0, 3_600.0, UNDECIDED_S) == GRACE_S
    assert patience_s(0.0, 3_600.0, 2.0) == 2.0
    assert patience_s(0.0, UNDECIDED_S - 1.0, UNDECIDED_S) == GRACE_S
    assert patience_s(0.0, UNDECIDED_S + 10.0, UNDECIDED_S) == GRACE_S - 10.0


def test_a_clock_that_was_set_back_makes_nobody_wait_longer_than_the_limit() -> None:
    assert patience_s(10_000.0, 10_000.0 - 3_600.0, UNDECIDED_S) == UNDECIDED_S
