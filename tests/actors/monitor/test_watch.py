"""A look at everything is put into words; what changes is a decision with its reason; what is orderly is let be."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from actors.monitor.messages import AccountState
from actors.monitor.watch import MAILBOX_DEPTH_MAX, MB, Look, Watch
from core.alarms import Level
from core.config import Config, Limits, Pacing
from core.pacing import Seen

CONFIG = Config(pacing=Pacing(memory_mb=500), limits=Limits(queue_max=1_000))
WELL = Look(
    seconds=5.0,
    late_s=0.0,
    depths={},
    commit_s=0.01,
    queue_depth=0,
    memory_bytes=100 * MB,
    disk_free_bytes=10_000 * MB,
    store_trouble=None,
    pictures_trouble=None,
    any_up=True,
    seen={},
)


def state(state: str = "up", cause: str | None = None, **more: Any) -> AccountState:
    told: dict[str, Any] = {"words": cause, "slots": 4, "places": 4, "going_on": 0, "moving": 0} | more
    return AccountState("fox", state, cause, **told)


def looks(watch: Watch, times: int = 1, **changes: Any) -> list[str]:
    """What was decided at so many looks that are well but for these."""
    decided = []
    for number in range(times):
        decided += watch.look(replace(WELL, **changes), CONFIG, 1_000.0 + 5 * number)
    return [decision.did for decision in decided]


def on(watch: Watch) -> list[str]:
    return [alarm.code for alarm in watch.alarms.active]


def test_when_all_is_well_nothing_is_decided() -> None:
    watch = Watch()
    watch.heard(state())
    assert looks(watch, 20, seen={"fox": Seen(done=3)}) == []
    assert (watch.pace, watch.places("fox"), on(watch)) == (1.0, 4, [])


@pytest.mark.parametrize(
    ("code", "trouble", "words"),
    [
        ("disk_full", {"disk_free_bytes": 512 * MB}, "512 MB are free on the disk, 1024 must be"),
        ("memory_full", {"memory_bytes": 600 * MB}, "600 MB of memory are filled, 500 may be"),
        ("store_slow", {"commit_s": 0.4}, "a commit of the store takes 400 ms, 200 may be"),
    ],
)
def test_what_stops_intake_says_why_and_ends_by_itself(code: str, trouble: dict[str, Any], words: str) -> None:
    watch = Watch()
    looks(watch, 3, **trouble)
    assert on(watch) == [code]
    assert watch.alarms.stopped_by == code
    assert watch.pace == 0.0
    assert watch.alarms.active[0].words == words
    looks(watch, 2)
    assert on(watch) == []
    assert watch.pace == watch.share > 0.0


@pytest.mark.parametrize(
    ("code", "trouble", "about"),
    [
        ("loop_late", {"late_s": 0.3}, None),
        ("mailbox_growing", {"depths": {"gallery": MAILBOX_DEPTH_MAX + 1}}, "gallery"),
    ],
)
def test_one_bad_look_slows_nothing_down_the_second_halves_intake(
    code: str, trouble: dict[str, Any], about: str | None
) -> None:
    watch = Watch()
    assert looks(watch, **trouble) == []
    assert looks(watch, **trouble)[-1] == "intake 100% to 50% of new drawings"
    assert [(alarm.code, alarm.about) for alarm in watch.alarms.active] == [(code, about)]
    assert watch.alarms.stopped_by is None
    looks(watch, 6)
    assert (watch.pace, on(watch)) == (1.0, [])


def test_a_mailbox_that_is_worked_off_is_no_alarm_any_more_than_a_single_burst() -> None:
    watch = Watch()
    for depth in (9_000, 6_000, 3_000):
        looks(watch, depths={"gate": depth})
    assert (watch.pace, on(watch)) == (1.0, [])


def test_a_queue_that_will_soon_be_full_slows_intake_and_a_full_one_that_shrinks_does_not() -> None:
    watch = Watch()
    for depth in (600, 700, 800):
        looks(watch, queue_depth=depth)
    assert on(watch) == ["queue_growing"]
    assert watch.alarms.active[0].words == "800 of 1000 drawings wait: the queue is full in 10 s"
    for depth in (790, 780, 770):
        looks(watch, queue_depth=depth)
    assert on(watch) == []


def test_an_account_that_is_limited_is_slowed_down_and_comes_back_by_itself() -> None:
    watch = Watch()
    watch.heard(state())
    assert looks(watch, seen={"fox": Seen(limited=2)})[0] == "pace 4 to 2 of 4"
    (alarm,) = watch.alarms.active
    assert (alarm.code, alarm.about, alarm.level) == ("account_limited", "fox", Level.YELLOW)
    assert alarm.words == "account fox is rate limited: 2 answers of 429"
    assert alarm.did == "pace 2 of 4"
    assert "pace 3 to 4 of 4" in looks(watch, 8, seen={"fox": Seen()})
    assert on(watch) == []


@pytest.mark.parametrize(
    ("told", "code", "level"),
    [
        (state("paused", "moderation", moving=4), "account_paused", Level.RED),
        (state("exhausted", "credits"), "account_exhausted", Level.RED),
        (state("suspended", "token"), "account_suspended", Level.RED),
        (state("suspended", "operator"), "account_suspended", Level.YELLOW),
        (state("suspended", "drain"), "account_suspended", Level.YELLOW),
    ],
)
def test_an_account_that_waits_for_a_person_is_an_alarm_and_a_faint_one_if_the_operator_wanted_it(
    told: AccountState, code: str, level: Level
) -> None:
    watch = Watch()
    watch.heard(told)
    looks(watch)
    assert [(alarm.code, alarm.level) for alarm in watch.alarms.active] == [(code, level)]
    watch.heard(state())
    looks(watch)
    assert on(watch) == []


def test_an_alarm_tells_what_was_held_when_it_came_to_it_not_what_is_left() -> None:
    watch = Watch()
    watch.heard(state("paused", "moderation", going_on=1, moving=4, words="a notice"))
    watch.heard(state("paused", "moderation", going_on=0, moving=0, words="a notice"))
    looks(watch)
    (alarm,) = watch.alarms.active
    assert alarm.words == "account fox paused: a notice, 4 drawings moved"
    assert alarm.did == "it gets no new drawings; 1 drawing goes on"


def test_a_blink_of_the_connection_is_no_alarm() -> None:
    watch = Watch()
    watch.heard(state("degraded", "connection"))
    looks(watch)
    watch.heard(state())
    looks(watch)
    assert on(watch) == []


def test_more_slots_are_used_at_once_unless_it_is_slowed_down_and_fewer_always() -> None:
    watch = Watch()
    watch.heard(state())
    watch.heard(state(slots=8, places=4))
    assert watch.places("fox") == 8
    looks(watch, seen={"fox": Seen(limited=1)})
    watch.heard(state(slots=12, places=4))
    assert watch.places("fox") == 4
    watch.heard(state(slots=2, places=2))
    assert watch.places("fox") == 2


def test_a_new_watch_goes_on_from_the_pace_that_an_account_has() -> None:
    watch = Watch()
    watch.heard(state(places=1))
    assert watch.places("fox") == 1
    watch.forget("fox")
    assert watch.places("fox") is None


def test_a_store_that_refuses_is_one_alarm_not_a_slow_one_too_that_lasts_longer() -> None:
    watch = Watch()
    looks(watch, 6, commit_s=5.0, store_trouble="store_locked")
    assert on(watch) == ["store_trouble"]
    looks(watch)
    assert (watch.pace, on(watch)) == (1.0, [])
