"""An alarm is raised by what lasts, ends when it has been over for a while, and does not flicker in between."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from core.alarms import RULES, Alarm, Alarms, Finding, Level
from core.pacing import Verdict

BAD, BETWEEN, WELL = Verdict.BAD, Verdict.BETWEEN, Verdict.WELL
looks = st.lists(st.dictionaries(st.sampled_from(sorted(RULES)), st.sampled_from(Verdict), max_size=5), max_size=40)


def course(code: str, *verdicts: Verdict) -> list[bool]:
    """Whether the alarm is on after each look."""
    alarms, on = Alarms(), []
    for moment, verdict in enumerate(verdicts):
        alarms.look([Finding(code, None, verdict, "words")], float(moment))
        on.append(alarms.has(code))
    return on


def test_the_disk_raises_at_once_and_ends_after_two_good_looks():
    assert course("disk_full", BAD, BETWEEN, WELL, WELL) == [True, True, True, False]


def test_a_slow_store_is_an_alarm_only_when_it_lasts():
    assert course("store_slow", BAD, BAD, WELL, BAD, BAD, BAD) == [False, False, False, False, False, True]


def test_between_well_and_bad_an_alarm_neither_begins_nor_ends():
    assert course("disk_full", BETWEEN, BAD, WELL, BETWEEN, WELL, BETWEEN) == [False, True, True, True, True, True]


def test_what_is_not_spoken_of_any_more_is_well():
    alarms = Alarms()
    alarms.look([Finding("account_paused", "fox", BAD, "words")], 1.0)
    assert alarms.has("account_paused", "fox")
    assert [alarm.about for alarm in alarms.look([], 2.0).ended] == ["fox"]
    assert alarms.active == ()


def test_an_alarm_is_since_when_it_was_first_seen_and_in_the_newest_words():
    alarms = Alarms()
    for moment in (1.0, 2.0, 3.0):
        changes = alarms.look([Finding("store_slow", None, BAD, f"at {moment}", "less is let in")], moment)
    assert changes.raised == (Alarm("store_slow", Level.RED, None, "at 3.0", 1.0, "less is let in"),)
    alarms.look([Finding("store_slow", None, BAD, "worse")], 4.0)
    assert [alarm.words for alarm in alarms.active] == ["worse"]


def test_red_ones_come_first_and_the_oldest_that_stops_intake_says_so():
    alarms = Alarms()
    alarms.look([Finding("account_limited", "fox", BAD, "words")], 1.0)
    assert alarms.stopped_by is None
    alarms.look([Finding("account_limited", "fox", BAD, "words"), Finding("disk_full", None, BAD, "words")], 2.0)
    assert [alarm.code for alarm in alarms.active] == ["disk_full", "account_limited"]
    assert alarms.stopped_by == "disk_full"


def test_a_finding_may_be_graver_or_less_than_its_rule_says():
    alarms = Alarms()
    alarms.look([Finding("account_suspended", "fox", BAD, "by the operator", level=Level.YELLOW)], 1.0)
    assert alarms.active[0].level is Level.YELLOW


@given(looks)
def test_whatever_is_found_what_was_raised_and_has_not_ended_is_on(found):
    alarms, on = Alarms(), set()
    for moment, verdicts in enumerate(found):
        findings = [Finding(code, None, verdict, "words") for code, verdict in verdicts.items()]
        changes = alarms.look(findings, float(moment))
        raised, ended = {alarm.code for alarm in changes.raised}, {alarm.code for alarm in changes.ended}
        assert not raised & on
        assert ended <= on
        on = (on | raised) - ended
        assert {alarm.code for alarm in alarms.active} == on
        assert (alarms.stopped_by is not None) == any(RULES[code].stops_intake for code in on)
    for moment in range(max(rule.falls_after for rule in RULES.values())):
        alarms.look([], 100.0 + moment)
    assert alarms.active == ()
