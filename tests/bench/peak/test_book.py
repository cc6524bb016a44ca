"""The crowd's ledger and the verdict on it."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from bench.peak.book import Book, Kept, Read
from bench.peak.plan import Plan, prompt_of
from bench.peak.verdict import acknowledgements, counts, fairness, percentiles, rates, waits

PLAN = Plan(jobs=4, users=100)


def row(number: int, outcome: str = "done", sha256: str | None = None) -> dict[str, str | None]:
    """Of the simulator's ledger."""
    digest = (sha256 or f"sha-{number}") if outcome == "done" else None
    return {"prompt": prompt_of(number) + " --fast", "outcome": outcome, "sha256": digest}


def kept(number: int, state: str = "done", sha256: str | None = None) -> Kept:
    """Of the daemon's database."""
    digest = (sha256 or f"sha-{number}") if state == "done" else None
    return Kept(prompt_of(number), state, digest, 1001.0, 1002.0)


class Story:
    """A run of four jobs, one a second: heard of and ended half a second and two seconds after."""

    def __init__(self) -> None:
        self.book = Book(array("L", [0, 50, 50, 99]), array("d", [0.0, 1.0, 2.0, 3.0]), 2)
        for number in range(4):
            self.book.send(number, 100.0 + number)
            self.hear("accepted", number, 100.5 + number, ref=str(number))

    def hear(self, kind: str, number: int, now: float, **more: object) -> None:
        self.book.hear({"type": kind, "job": f"j{number}", "seq": 10 + number, **more}, now)

    def finish(self, *numbers: int) -> None:
        for number in numbers:
            self.hear("started", number, 101.0 + number)
            self.hear("done", number, 102.0 + number, images=[{"url": f"/images/{number}"}])

    def read(self, folder: Path) -> Read:
        self.book.save(folder / "book", {"begun": 100.0, "settled": 110.0, "cpu_s": 1.0, "looked": {"swapped": 0}})
        return Read(folder / "book")


@pytest.fixture
def story() -> Story:
    return Story()


def test_a_run_without_fault_has_none(story, tmp_path):
    story.finish(0, 1, 2, 3)
    found = counts(PLAN, story.read(tmp_path), map(row, range(4)), map(kept, range(4)), 0)
    assert found["accepted"] == found["done"] == 4
    assert {found[name] for name in ("lost", "doubled", "swapped", "done without a drawing", "unanswered")} == {0}


def test_a_job_whose_end_nobody_was_told_is_lost(story, tmp_path):
    story.finish(0, 1, 2)
    assert counts(PLAN, story.read(tmp_path), map(row, range(4)), map(kept, range(4)), 0)["lost"] == 1


def test_a_job_that_the_daemon_does_not_have_is_lost_also_while_it_is_held(story, tmp_path):
    held, waiting = Plan(jobs=4, users=100, hold=True), [kept(number, "queued") for number in (0, 1, 2)]
    assert counts(held, story.read(tmp_path), (), waiting, 0)["lost"] == 1


def test_what_was_drawn_or_ended_twice_is_doubled(story, tmp_path):
    story.finish(0, 1, 2, 3)
    story.hear("failed", 3, 109.0, seq=99, code="internal")
    drawn = [*map(row, range(4)), row(2), row(1, "refused")]
    assert counts(PLAN, story.read(tmp_path), drawn, map(kept, range(4)), 3)["doubled"] == 1 + 1 + 3


def test_a_picture_that_was_drawn_for_another_job_is_swapped(story, tmp_path):
    story.finish(0, 1, 2, 3)
    pictures = [kept(0, sha256="sha-1"), kept(1, sha256="sha-0"), kept(2), kept(3)]
    assert counts(PLAN, story.read(tmp_path), map(row, range(4)), pictures, 0)["swapped"] == 2


def test_an_event_that_is_replayed_changes_nothing(story):
    story.finish(0, 1, 2, 3)
    before = story.book.settled_count, list(story.book.ended)
    story.finish(0, 1)
    story.hear("accepted", 0, 109.0, ref="0")
    assert (story.book.settled_count, list(story.book.ended)) == before
    assert not story.book.wrong


def test_a_refusal_is_an_answer_and_an_end(story):
    story.book.hear({"type": "error", "code": "queue_full", "message": "", "ref": "3"}, 104.0)
    assert story.book.refused == {"queue_full": 1}
    assert story.book.answered_count - story.book.settled_count == 4


def test_of_every_so_many_th_job_the_picture_is_remembered(story):
    story.finish(0, 1, 2, 3)
    assert story.book.looks == [(0, "/images/0"), (2, "/images/2")]


def test_waits_are_told_of_each_class_of_users(story, tmp_path):
    story.finish(0, 1, 2, 3)
    book = story.read(tmp_path)
    assert waits(book, PLAN)["heavy"]["accepted to done"] == {"p50": 1.5, "p90": 1.5, "p99": 1.5, "max": 1.5}
    assert acknowledgements(book, PLAN)["ack"] == {"p50": 500.0, "p90": 500.0, "p99": 500.0, "max": 500.0}
    assert acknowledgements(book, PLAN)["client late"] == {"p50": 0.0, "p90": 0.0, "p99": 0.0, "max": 0.0}
    assert fairness(book, PLAN)["light"] == pytest.approx(1.0)


def test_when_the_jobs_of_those_who_were_away_ended_is_told_by_the_database(story, tmp_path):
    story.finish(0, 1, 2, 3)
    book = story.read(tmp_path)
    book.learn(map(kept, range(4)), 60, -900.0)
    assert list(book.ended) == [102.0, 103.0, 104.0, 102.0]
    assert list(book.started) == [101.0, 102.0, 103.0, 101.0]


def test_rates_are_jobs_by_the_time_they_took(story, tmp_path):
    story.finish(0, 1, 2, 3)
    found = rates(story.read(tmp_path))
    assert found["in total"] == pytest.approx(4 / 5)
    assert found["accepted"] == pytest.approx(4 / 3.5)


def test_percentiles_leave_out_what_never_happened():
    assert percentiles([float("nan"), *range(101)]) == {"p50": 50, "p90": 90, "p99": 99, "max": 100}
    assert percentiles([float("nan")]) is None
