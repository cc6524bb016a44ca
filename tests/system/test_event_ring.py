"""The ring of the latest log lines."""

from __future__ import annotations

from enum import Enum

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from system.event_ring import FIELDS_MAX, TEXT_CHARS_MAX, EventRing


def ring_of(*lines: dict, length_max: int = 2_000) -> EventRing:
    ring = EventRing(length_max, wall=lambda: 1_700_000_000.125)
    for line in lines:
        ring.add({"level": "info", **line})
    return ring


def told(events) -> list[str]:
    return [event.event for event in events]


def test_a_line_is_kept_with_its_time_its_actor_and_its_other_fields():
    ring = ring_of(
        {"event": "account is up", "actor": "account/fox-07", "level": "warning", "job": "j1", "wait_s": 1.5}
    )
    ((event,), _) = ring.after()
    assert msgspec.to_builtins(event) == {
        "id": 1_700_000_000_126,
        "at": "2023-11-14T22:13:20.125Z",
        "level": "warning",
        "actor": "account/fox-07",
        "event": "account is up",
        "fields": {"job": "j1", "wait_s": 1.5},
    }


def test_who_follows_sees_each_event_once_and_in_order():
    ring = ring_of({"event": "a"}, {"event": "b"}, {"event": "c"})
    first, seen = ring.after(0, limit=2)
    second, seen = ring.after(seen, limit=2)
    assert (told(first), told(second)) == (["a", "b"], ["c"])
    assert ring.after(seen) == ([], seen)
    ring.add({"event": "d"})
    assert told(ring.after(seen)[0]) == ["d"]


def test_who_has_seen_nothing_yet_gets_the_latest_oldest_first():
    ring = ring_of(*({"event": str(number)} for number in range(10)))
    events, seen = ring.after(limit=3)
    assert told(events) == ["7", "8", "9"]
    assert ring.after(seen)[0] == []


def test_the_oldest_give_way_and_what_was_missed_is_missed():
    ring = ring_of(*({"event": str(number)} for number in range(10)), length_max=4)
    assert len(ring) == 4
    assert told(ring.after(0)[0]) == ["6", "7", "8", "9"]


def test_levels_and_texts_narrow_what_is_seen_and_what_was_passed_over_is_not_looked_at_again():
    ring = ring_of(
        {"event": "fine", "actor": "queue"},
        {"event": "Slow", "level": "warning", "why": "Disk"},
        {"event": "broken", "level": "error"},
    )
    assert told(ring.after(0, level="warning")[0]) == ["Slow", "broken"]
    assert told(ring.after(0, text="disk")[0]) == ["Slow"]
    assert told(ring.after(0, text="QUEUE")[0]) == ["fine"]
    assert told(ring.after(level="error")[0]) == ["broken"]
    _, seen = ring.after(0, text="nowhere")
    assert told(ring.after(seen)[0]) == []
    with pytest.raises(KeyError):
        ring.after(0, level="loud")


def test_a_ring_holds_no_live_object_and_no_endless_text():
    class Mode(Enum):
        FAST = "fast"

    line = {"event": "x" * 10_000, "mode": Mode.FAST, "jobs": ["j1"], "exception": "y" * 10_000}
    ((event,), _) = ring_of({**line, **{f"field{number}": number for number in range(100)}}).after()
    assert event.fields["mode"] == "Mode.FAST"
    assert event.fields["jobs"] == "['j1']"
    assert (len(event.event), len(event.fields["exception"])) == (TEXT_CHARS_MAX, TEXT_CHARS_MAX)
    assert len(event.fields) <= FIELDS_MAX


@given(st.integers(0, 30), st.integers(1, 10), st.integers(1, 7))
def test_pages_of_any_size_show_what_the_ring_holds(lines, length_max, limit):
    ring = ring_of(*({"event": str(number)} for number in range(lines)), length_max=length_max)
    seen, shown = 0, []
    while True:
        events, seen = ring.after(seen, limit)
        if not events:
            break
        shown += told(events)
    assert shown == [str(number) for number in range(lines)][-length_max:]
