"""Never twice, as a ruling: given back only with proof, let go only when it is too late."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.reconcile import IN_FLIGHT_S, LET_GO_S, TRACE_S, Doubt, Ruling, rule

UNDECIDED_S = 600.0
DOUBT = Doubt(since=1000.0, gateway_session="s1")


def test_a_resume_of_the_same_session_after_the_flight_time_proves_it_not_taken() -> None:
    resumed_at = DOUBT.since + IN_FLIGHT_S
    assert rule(DOUBT, resumed_at + TRACE_S, "s1", resumed_at, UNDECIDED_S) is Ruling.NOT_TAKEN


def test_a_resume_that_came_too_early_proves_nothing_and_another_is_made() -> None:
    now = DOUBT.since + IN_FLIGHT_S + TRACE_S
    assert rule(DOUBT, now, "s1", DOUBT.since + 1.0, UNDECIDED_S) is Ruling.PROVE
    assert rule(DOUBT, now, "s1", None, UNDECIDED_S) is Ruling.PROVE


def test_traces_may_come_a_little_after_resumed() -> None:
    resumed_at = DOUBT.since + IN_FLIGHT_S
    assert rule(DOUBT, resumed_at, "s1", resumed_at, UNDECIDED_S) is Ruling.WAIT


seconds = st.floats(min_value=0, max_value=2000)


@given(after_s=seconds, resumed_after_s=st.none() | seconds, live=st.sampled_from([None, "s1", "s2"]))
def test_it_is_given_back_only_when_a_resume_of_its_own_session_covers_it(
    after_s: float, resumed_after_s: float | None, live: str | None
) -> None:
    resumed_at = None if resumed_after_s is None else DOUBT.since + resumed_after_s
    ruling = rule(DOUBT, DOUBT.since + after_s, live, resumed_at, UNDECIDED_S)
    if ruling is Ruling.NOT_TAKEN:
        assert live == DOUBT.gateway_session
        assert resumed_after_s is not None
        assert IN_FLIGHT_S <= resumed_after_s <= after_s - TRACE_S
    if ruling is Ruling.LET_GO:
        assert after_s >= UNDECIDED_S + LET_GO_S


@given(after_s=seconds, live=st.sampled_from([None, "s1", "s2"]))
def test_a_doubt_without_a_known_session_is_never_proven(after_s: float, live: str | None) -> None:
    doubt = Doubt(1000.0, None)
    ruling = rule(doubt, doubt.since + after_s, live, doubt.since + after_s, UNDECIDED_S)
    assert ruling in (Ruling.WAIT, Ruling.LET_GO)
