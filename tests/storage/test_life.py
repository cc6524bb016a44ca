"""A job's life under any order of writes, late and repeated ones included: what holds at every moment."""

from __future__ import annotations

import itertools
from collections import Counter
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule
from msgspec.structs import replace

from core.job import TERMINAL, State, may_move
from protocol.client import TERMINAL_FRAMES, Accepted, Started
from storage.operations import (
    AcceptJob,
    Applied,
    CountJobs,
    Doubt,
    GiveBack,
    Grant,
    JobRecord,
    ListJobs,
    Refused,
    Replayed,
    Settle,
    Stale,
    Submit,
    Track,
    Unfinished,
    Ungrant,
    Write,
    Written,
)
from tests.storage.book import ACCEPT, DAY, Book, gather, known, picture

USERS = ("U1", "U2")
DAYS = (DAY, "2026-01-02")
DAILY = 3
STATES = tuple(state.value for state in State)


class JobLives(RuleBasedStateMachine):
    """Two users, a few jobs, and every write with an attempt that may be the current one or not."""

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.jobs: list[str] = []
        self.sent: list[tuple[str, Write, Written]] = []

    def teardown(self) -> None:
        self.book.database.close()

    def send(self, write: Write) -> Written:
        op_id = f"op{len(self.sent)}"
        outcome = self.book.do(write, op_id)
        self.sent.append((op_id, write, outcome))
        return outcome

    # --- what may be asked for ---

    @rule(
        user=st.sampled_from(USERS),
        ref=st.sampled_from((None, "r1", "r2")),
        digest=st.sampled_from("de"),
        day=st.sampled_from(DAYS),
        charge=st.sampled_from((0, 1, 1)),
    )
    def accept(self, **changes: Any) -> None:
        job = f"J{len(self.jobs):03}"
        outcome = self.send(replace(ACCEPT, job=job, daily=DAILY, queued=4, at=self.book.now(), **changes))
        assert not isinstance(outcome, Stale)
        if isinstance(outcome, Applied):
            self.jobs.append(job)
        elif isinstance(outcome, Replayed):
            assert outcome.job.ref == changes["ref"]

    @precondition(lambda self: self.jobs)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        """The one right step, so that lives also reach their end."""
        before = self.book.job(data.draw(st.sampled_from(self.jobs)))
        job, attempt, at = before.id, before.attempt, self.book.now()
        steps: dict[str, Write] = {
            "queued": Grant(job, attempt + 1, f"lease-{job}-{attempt + 1}", "fox", at),
            "granted": Submit(job, attempt, f"lease-{job}-{attempt}", f"nonce-{job}-{attempt}", "gw", at),
            "submitting": Track(job, attempt, "i", None, None, at),
            "undecided": Track(job, attempt, "i", None, None, at),
            "drawing": gather(job, at, attempt),
            "keeping": Settle(job, attempt, ("keeping",), "done", None, None, True, (picture(job, before.user),), at),
        }
        if before.state in steps:
            outcome = self.send(steps[before.state])
            assert isinstance(outcome, Applied)
            self.check_move(before, outcome)

    @precondition(lambda self: self.jobs)
    @rule(data=st.data(), offset=st.sampled_from((0, 0, 0, -1, 1)))
    def move(self, data: st.DataObject, offset: int) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        attempt = max(0, self.book.job(job).attempt + offset)
        at = self.book.now()
        lease = f"lease-{job}-{attempt}"
        moves: tuple[Write, ...] = (
            Grant(job, attempt + 1, f"lease-{job}-{attempt + 1}", "fox", at),
            Ungrant(job, attempt, at),
            Submit(job, attempt, lease, f"nonce-{job}-{attempt}", "gw", at),
            GiveBack(job, attempt, "refused", at),
            Doubt(job, attempt, at),
            Track(job, attempt, data.draw(st.sampled_from((None, "i"))), "m", None, at),
            gather(job, at, attempt),
        )
        before = self.book.job(job)
        self.check_move(before, self.send(data.draw(st.sampled_from(moves))))

    @precondition(lambda self: self.jobs)
    @rule(
        data=st.data(),
        states=st.lists(st.sampled_from(STATES), min_size=1, max_size=4),
        state=st.sampled_from(sorted(TERMINAL)),
        charged=st.booleans(),
        current=st.sampled_from((True, True, False)),
    )
    def settle(self, data: st.DataObject, states: list[str], state: str, charged: bool, current: bool) -> None:
        job = data.draw(st.sampled_from(self.jobs))
        before = self.book.job(job)
        images = (picture(job, before.user),) if state == State.DONE else ()
        attempt = data.draw(st.sampled_from((None, before.attempt))) if current else before.attempt + 1
        at = self.book.now()
        self.check_move(before, self.send(Settle(job, attempt, tuple(states), state, "c", "m", charged, images, at)))

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def send_again(self, data: st.DataObject) -> None:
        op_id, write, outcome = data.draw(st.sampled_from(self.sent))
        before = self.everything()
        assert known(self.book.do(write, op_id)) == known(outcome)
        assert self.everything() == before

    # --- what holds ---

    def check_move(self, before: JobRecord, outcome: Written) -> None:
        assert not isinstance(outcome, Refused | Replayed)
        after = self.book.job(before.id)
        if isinstance(outcome, Stale):
            assert after == before == outcome.job
        else:
            assert after.state == before.state or may_move(State(before.state), State(after.state))
            assert replace(outcome.job, history=(), images=()) == replace(after, history=(), images=())

    def everything(self) -> tuple[Any, ...]:
        found = self.book.ask(ListJobs(None, None, 1000, None))
        return found.jobs, *(self.book.events(user) for user in USERS)

    @invariant()
    def histories_follow_the_table(self) -> None:
        for job in map(self.book.job, self.jobs):
            states = [State(moment.state) for moment in job.history]
            assert (states[0], states[-1]) == (State.QUEUED, job.state)
            assert all(may_move(before, after) for before, after in itertools.pairwise(states))
            assert (job.finished_at is None) == (job.state not in TERMINAL)

    @invariant()
    def seqs_have_no_gap_and_every_job_ends_at_most_once(self) -> None:
        ends: Counter[str] = Counter()
        told: Counter[tuple[str, type]] = Counter()
        for user in USERS:
            events = self.book.events(user)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            ends.update(event.job for event in events if isinstance(event, TERMINAL_FRAMES))
            told.update((event.job, type(event)) for event in events)
        for job in map(self.book.job, self.jobs):
            assert ends[job.id] == (job.state in TERMINAL)
            assert told[job.id, Accepted] == 1
            entered = [moment.state for moment in job.history].count(State.DRAWING)
            assert told[job.id, Started] == entered

    @invariant()
    def the_quota_of_a_day_is_what_is_charged_to_it(self) -> None:
        days = {
            write.job: write.day
            for _, write, outcome in self.sent
            if isinstance(write, AcceptJob) and isinstance(outcome, Applied)
        }
        charged = Counter((job.user, days[job.id]) for job in map(self.book.job, self.jobs) if job.charged)
        for user in USERS:
            for day in DAYS:
                assert self.book.used(user, day) == charged[user, day] <= DAILY

    @invariant()
    def the_unfinished_are_those_that_have_not_ended(self) -> None:
        found = self.book.ask(Unfinished(None, None, 1000)).jobs
        wanted = [job for job in self.jobs if self.book.job(job).state not in TERMINAL]
        assert [job.id for job in found] == wanted
        assert sum(self.book.ask(CountJobs()).jobs.values()) == len(self.jobs)


TestJobLives = JobLives.TestCase
TestJobLives.settings = settings(
    max_examples=40, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
