"""Each fault raises its alarm, pacing does its part, no accepted job is lost or drawn twice, and all is normal again.

The table in docs/DRILLS.md is what `python -m tests.drills` printed: the same runs.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.drills.faults import FAULTS
from tests.drills.town import SLOTS, Record, hold

TABLE = Path(__file__).parents[2] / "docs" / "DRILLS.md"
#: Two looks at most until an alarm that rises at once; three more for one that must last.
SOON_S, LASTING_S = 10.0, 30.0
NORMAL_S_MAX = 90.0


@cache
def held(name: str) -> Record:
    """The drill, held once for all claims."""
    return hold(FAULTS[name])


def reasons(record: Record, did: str) -> list[str]:
    """Why what reads like this was decided, each time."""
    return [decision.why for decision in record.decisions if re.search(did, decision.did)]


@pytest.mark.parametrize("name", FAULTS)
def test_no_job_is_lost_none_is_drawn_twice_and_all_is_normal_soon_after(name: str) -> None:
    record = held(name)
    assert record.accepted == record.orders > 50
    assert (record.lost, record.drawn_twice) == (0, 0)
    assert record.normal_after_s < NORMAL_S_MAX


@pytest.mark.parametrize("name", FAULTS)
def test_every_alarm_that_was_raised_ended_and_both_are_on_record_with_their_reason(name: str) -> None:
    record = held(name)
    for code in record.alarms:
        assert len(reasons(record, f"alarm {code} raised")) == len(reasons(record, f"alarm {code} ended")) > 0
    assert all(decision.why for decision in record.decisions)


def test_rate_limits_slow_accounts_down_to_one_drawing_and_refuse_nobody() -> None:
    record = held("Discord answers 429 for a minute")
    assert record.alarms["account_limited"] <= SOON_S
    assert record.least_places == 1
    assert not record.refused
    assert reasons(record, f"^pace {SLOTS} to 1")[0].endswith("of 429")
    assert any("nothing has been wrong" in why for why in reasons(record, f"^pace 2 to {SLOTS}"))


def test_a_blocked_account_is_told_in_words_and_the_other_one_goes_on() -> None:
    record = held("one account is blocked")
    assert record.alarms["account_paused"] <= SOON_S
    (why,) = reasons(record, "alarm account_paused raised")
    assert why.startswith("account fox paused: Blocked")
    assert not record.refused


def test_a_disk_that_fills_stops_intake_before_the_store_must_refuse() -> None:
    record = held("the disk fills")
    assert record.alarms["disk_full"] <= SOON_S
    assert record.least_pace == 0.0
    assert set(record.refused) == {"draining"}


def test_a_mailbox_that_grows_slows_intake() -> None:
    record = held("a mailbox grows")
    assert record.alarms["mailbox_growing"] <= LASTING_S
    assert 0.0 < record.least_pace < 1.0
    assert set(record.refused) == {"queue_full"}


def test_a_slow_store_slows_intake_and_stops_it_if_that_is_not_enough() -> None:
    record = held("the store slows down")
    assert record.alarms["store_slow"] <= LASTING_S
    assert record.least_pace == 0.0
    assert record.refused["queue_full"]
    assert "a commit of the store takes" in reasons(record, "^intake 100% to 50%")[0]


def test_the_table_in_the_docs_has_every_drill_with_its_alarms() -> None:
    """Its numbers change with whatever makes a virtual second different; the rows do not."""
    rows = [line for line in TABLE.read_text().splitlines() if line.startswith("| ")]
    for name in FAULTS:
        (told,) = [line for line in rows if line.startswith(f"| {name} |")]
        assert set(held(name).alarms) == set(re.findall(r"`(\w+)` \d+ s", told))
