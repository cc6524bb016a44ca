"""The adverse scenarios, live: the daemon with fourteen accounts before a simulator that does what Discord may do.

Each begins drawings, lets Discord misbehave, and claims how the accounts came back and that every drawing was drawn
once. docs/CONFORMANCE.md says which scenario is which; those that need no daemon are in test_live_account.py.
"""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from protocol.gateway import RESUME_TRIES_MAX
from tests.conformance.hasty import HELLO_S_MAX
from tests.conformance.stand import PNG, Stand, standing
from tests.live.daemon import eventually

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

HEARTBEAT_S = 2.0
#: Longer than the 5.5 s between two IDENTIFYs.
SPENT_S = 6.0
#: Within this time a beat on request is no scheduled one: those are 41 s apart.
AT_ONCE_S = 3.0


@pytest.fixture(scope="module")
def stand(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    with standing(tmp_path_factory.mktemp("conformance")) as running:
        yield running


@pytest.fixture
def jobs(stand: Stand) -> dict[str, str]:
    """Drawings under way."""
    drawings = stand.draw()
    stand.begun(drawings)
    stand.pulse(forget=True)
    return drawings


def test_01_op_7_in_the_middle_of_drawings(stand: Stand, jobs: dict[str, str]) -> None:
    stand.strike("reconnect")
    stand.all_came("resume", stand.names)
    stand.drawn_once(jobs)


def test_02_op_7_instead_of_hello(stand: Stand, jobs: dict[str, str]) -> None:
    stand.fault("reconnect_no_hello", count=5)
    stand.strike("drop_all")
    stand.all_came("resume", stand.names)
    stand.drawn_once(jobs)


def test_03_a_server_that_says_nothing(stand: Stand, jobs: dict[str, str]) -> None:
    stand.twins_up()  # or they would take what is meant for others
    begun_at = time.time()
    stand.fault("no_hello", count=len(stand.workers))
    stand.strike("drop_all", stand.workers)
    stand.all_came("resume", stand.workers)
    assert stand.first_came(stand.workers) - begun_at >= HELLO_S_MAX
    stand.drawn_once(jobs)


def test_04_and_05_swallowed_acks_and_the_healthy_connection_after(stand: Stand) -> None:
    stand.configure(heartbeat_s=HEARTBEAT_S)
    try:
        stand.reconnected()
        victim = stand.victims[0]
        stand.pulse(forget=True)
        stand.fault("no_ack", account=victim)
        stand.all_came("resume", [victim], limit_s=4 * HEARTBEAT_S)
        beats = stand.pulse()["beats"]
        eventually(lambda: stand.pulse()["beats"] >= beats + 2 * len(stand.names), "two beats of each")
        assert stand.came("resume") == [victim]
        assert stand.came("identify") == []
        assert stand.pulse()["late_s_max"] < HEARTBEAT_S / 2
    finally:
        stand.configure(heartbeat_s=41.25)
        stand.reconnected()


def test_06_op_1_at_any_time(stand: Stand) -> None:
    stand.pulse(forget=True)
    asked_at = time.monotonic()
    struck = stand.fault("op1")
    eventually(lambda: stand.pulse()["beats"] >= struck, "a beat of each", AT_ONCE_S)
    assert time.monotonic() - asked_at < AT_ONCE_S
    stand.fault("op1_early")
    stand.fault("close_4009", account=stand.victims[0])
    stand.all_came("identify", [stand.victims[0]])
    eventually(lambda: stand.pulse()["beats"] >= struck + 1, "a beat between HELLO and READY", AT_ONCE_S)
    assert stand.came("resume") == []


def test_07_a_reset_in_the_middle_of_a_replay(stand: Stand, jobs: dict[str, str]) -> None:
    stand.fault("reset_in_replay", count=3)
    stand.strike("drop_all")
    stand.all_came("resume", stand.workers)
    stand.drawn_once(jobs)
    assert stand.came("identify") == []
    stand.reconnected()


def test_08_op_9_true(stand: Stand, jobs: dict[str, str]) -> None:
    stand.strike("invalid_true")
    stand.all_came("resume", stand.names)
    stand.drawn_once(jobs)


def test_09_op_9_false(stand: Stand, jobs: dict[str, str]) -> None:
    begun_at = time.time()
    stand.strike("invalid_false", stand.workers)
    stand.all_came("identify", stand.workers)
    assert stand.first_came(stand.workers) - begun_at >= 1.0
    stand.drawn_once(jobs)


def test_10_a_session_that_is_over(stand: Stand, jobs: dict[str, str]) -> None:
    stand.strike("close_4009", stand.workers)
    stand.strike("close_4007", stand.victims)
    stand.all_came("identify", stand.names)
    assert sorted(stand.came("identify")) == sorted(stand.names)
    stand.drawn_once(jobs)


@pytest.mark.parametrize("code", [4000, 4003, 4008])
def test_12_other_closes_are_survived(stand: Stand, jobs: dict[str, str], code: int) -> None:
    stand.strike(f"close_{code}")
    stand.all_came("identify" if code == 4003 else "resume", stand.names)
    stand.drawn_once(jobs)


def test_13_and_14_a_resume_url_that_is_dead_and_a_session_that_no_resume_revives(stand: Stand) -> None:
    deaf, bricked = stand.victims[:2]
    stand.pulse(forget=True)
    stand.fault("dead_resume_url", account=deaf)
    stand.fault("close_4009", account=deaf)
    stand.all_came("identify", [deaf])
    stand.pulse(forget=True)
    stand.fault("resume_1006", account=bricked, count=RESUME_TRIES_MAX)  # one more would be taken
    stand.strike("drop_all", [deaf, bricked])
    stand.all_came("identify", [deaf, bricked])
    assert sorted(stand.came("identify")) == sorted([deaf, bricked])


def test_15_all_dropped_at_once_come_back_apart(stand: Stand, jobs: dict[str, str]) -> None:
    stand.strike("drop_all")
    stand.all_came("resume", stand.names)
    at = sorted(arrival["at"] for arrival in stand.pulse()["arrivals"])
    assert at[-1] - at[0] > 0.2
    stand.drawn_once(jobs)


def test_15_an_application_waits_as_discord_says_and_then_one_by_one(stand: Stand) -> None:
    stand.twins_up()
    stand.pulse(forget=True)
    begun_at = time.time()
    stand.fault("no_starts_left", account="bot-01", seconds=SPENT_S, count=len(stand.twins))
    stand.fault("invalid_false", account="bot-01")
    eventually(lambda: stand.came("identify") == ["bot-01"] * 2, "both of one application")
    first, second = (arrival["at"] for arrival in stand.pulse()["arrivals"])
    assert first - begun_at >= SPENT_S
    assert second - first >= 5.0
    assert stand.came("identify", taken=False) == []


def test_16_a_corrupt_stream(stand: Stand, jobs: dict[str, str]) -> None:
    stand.strike("bad_zlib", stand.workers)
    stand.fault("op1")  # a frame for each, also for one that is not drawing
    stand.all_came("resume", stand.workers)
    stand.drawn_once(jobs)


def test_17_what_is_huge_unknown_doubled_or_late(stand: Stand) -> None:
    stand.configure(duplicate_events=True, reorder=True)
    try:
        stand.pulse(forget=True)
        stand.fault("huge_guild", account=stand.workers[0])
        stand.fault("close_4009", account=stand.workers[0])
        stand.all_came("identify", stand.workers[:1])
        jobs = stand.draw(2 * len(stand.workers))
        stand.begun(jobs)
        stand.fault("unknown_events")
        stand.drawn_once(jobs)
        assert stand.came("identify") == stand.workers[:1]
        assert stand.came("resume") == []
    finally:
        stand.configure(duplicate_events=False, reorder=False)


@pytest.mark.parametrize("fault", ["r429_user", "r429_shared", "r429_global", "r429_html"])
def test_18_a_429_of_each_kind(stand: Stand, fault: str) -> None:
    before = stand.stats()
    stand.fault(fault)
    stand.drawn_once(stand.draw())
    assert stand.stats()["rate_limited"] - before["rate_limited"] == 1
    assert stand.stats()["duplicates"] == before["duplicates"]


@pytest.mark.parametrize("fault", ["bad_gateway", "lost_response"])
def test_19_an_answer_that_does_not_come(stand: Stand, fault: str) -> None:
    stand.fault(fault, count=2)
    stand.drawn_once(stand.draw())


def test_19_a_post_that_is_taken_after_it_was_cut_off(stand: Stand) -> None:
    stand.fault("late_response", count=2, seconds=2.0)
    stand.drawn_once(stand.draw())


def test_19_a_message_whose_answer_is_lost_is_posted_once(stand: Stand) -> None:
    before = stand.posted()
    stand.fault("lost_message")
    stand.drawn_once(stand.draw(1, images=[stand.upload(PNG)]))
    assert stand.posted() == before + 1


def test_20_pictures_that_cannot_be_fetched_and_uploads_that_fail(stand: Stand) -> None:
    stand.fault("cdn_404", count=2)
    stand.fault("cdn_truncated", count=2)
    stand.fault("put_fails")
    stand.drawn_once(stand.draw() | stand.draw(1, images=[stand.upload(PNG)]))


def test_19_a_token_that_is_refused_stops_its_account_alone(stand: Stand) -> None:
    worker = stand.workers[-1]
    stand.fault("unauthorized", account=worker)
    eventually(lambda: stand.drawn_once(stand.draw()) or suspended(stand, worker), f"{worker} is suspended")
    assert "401" in stand.accounts()[worker][1]
    stand.drawn_once(stand.draw())
    assert stand.accounts()[stand.workers[0]][0] == "up"


def test_11_fatal_closes_stop_their_account_alone(stand: Stand, jobs: dict[str, str]) -> None:
    codes = dict(zip(stand.victims[2:], (4004, 4010, 4011, 4012, 4013, 4014), strict=True))
    for victim, code in codes.items():
        stand.fault(f"close_{code}", account=victim)
    for victim, code in codes.items():
        eventually(lambda victim=victim: suspended(stand, victim), f"{victim} is suspended")
        assert str(code) in stand.accounts()[victim][1]
    stand.drawn_once(jobs)
    assert stand.pulse()["arrivals"] == []
    assert stand.accounts()[stand.workers[0]][0] == stand.accounts()[stand.victims[0]][0] == "up"


def suspended(stand: Stand, name: str) -> bool:
    return stand.accounts()[name][0] == "suspended"
