"""StoreClient: what was not answered is sent again, soon after it was refused and after a while when nothing came."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from actors.store_client import READ_S_MAX, RESEND_AFTER_S, RESEND_EACH_S, StoreAsker
from actors.store_messages import Commit, Committed, LookedUp, Lookup, NotCommitted
from storage.operations import AddUser, CountJobs, Found, Nothing, Refused, Written
from tests.actors.stage import Stage, play

WRITE = AddUser("U1", "ana", "free", False, 1.0)
LATER = AddUser("U2", "ben", "free", False, 1.0)
AT_ONCE = AddUser("U3", "cy", "free", False, 1.0)
DONE = Refused("ref_conflict", "there is such a user")


class Clerk(StoreAsker):
    """Has one thing written, and keeps what came of it."""

    def on_start(self) -> None:
        super().on_start()
        self.answers: list[Written] = []
        self.store.commit(WRITE, self.answers.append)

    def write_more(self) -> None:
        """One that waits, and one that does not."""
        self.store.commit(LATER, self.answers.append)
        self.store.commit(AT_ONCE, self.answers.append, lambda why: None)


async def set_up(stage: Stage) -> tuple[Any, Commit]:
    """A clerk whose write is under way; both."""
    stage.cast("store")
    clerk = stage.cast("clerk", Clerk)
    return clerk, await stage.one("store", Commit)


def test_what_got_no_answer_is_sent_again_after_a_while_and_not_before() -> None:
    async def scene(stage: Stage) -> None:
        _, first = await set_up(stage)
        await stage.quiet(RESEND_AFTER_S - 1.0)
        assert await stage.heard("store", Commit) == []
        await stage.quiet(2 * RESEND_EACH_S)
        assert await stage.heard("store", Commit) == [replace(first, again=True)]

    play(scene)


def test_what_was_refused_is_sent_again_at_once_and_nothing_is_stuck_when_the_store_is_well() -> None:
    async def scene(stage: Stage) -> None:
        clerk, first = await set_up(stage)
        for _ in range(10):
            stage.tell("clerk", NotCommitted(first.op_id, "locked: not now"))
            await stage.quiet(RESEND_EACH_S)
            assert await stage.one("store", Commit) == first, "once each look, no more and no less"
        assert clerk.store.stuck_s > RESEND_AFTER_S
        stage.tell("clerk", Committed(first.op_id, DONE))
        await stage.quiet()
        assert (clerk.answers, clerk.store.stuck_s, len(clerk.store)) == ([DONE], 0.0, 0)

    play(scene)


def test_what_is_written_after_something_that_was_refused_is_not_sent_before_it() -> None:
    async def scene(stage: Stage) -> None:
        clerk, first = await set_up(stage)
        stage.tell("clerk", NotCommitted(first.op_id, "locked: not now"))
        await stage.base.idle()
        clerk.write_more()
        await stage.base.idle()
        assert [commit.write for commit in await stage.heard("store", Commit)] == [AT_ONCE]
        await stage.quiet(RESEND_EACH_S)
        assert [commit.write for commit in await stage.heard("store", Commit)] == [WRITE, LATER]

    play(scene)


class Reader(StoreAsker):
    """Reads one thing, for somebody who waits, and keeps what came of it."""

    def on_start(self) -> None:
        super().on_start()
        self.told: list[Found | str] = []

    def read(self, patient: bool) -> None:
        """What is read does not matter."""
        self.store.lookup(CountJobs(), self.told.append, self.told.append, patient)


async def reading(stage: Stage, patient: bool) -> tuple[Any, Lookup]:
    """A reader whose read is under way; both."""
    stage.cast("store")
    reader = stage.cast("reader", Reader)
    await stage.base.idle()
    reader.read(patient)
    return reader, await stage.one("store", Lookup)


@pytest.mark.parametrize("patient", [True, False])
def test_a_read_for_somebody_who_waits_is_over_in_time_when_no_answer_comes_and_a_late_one_changes_nothing(
    patient: bool,
) -> None:
    async def scene(stage: Stage) -> None:
        reader, lookup = await reading(stage, patient)
        await stage.quiet(READ_S_MAX - RESEND_EACH_S)
        assert reader.told == []
        await stage.quiet(2 * RESEND_EACH_S)
        assert len(reader.told) == 1
        stage.tell("reader", LookedUp(lookup.lookup_id, Nothing()))
        await stage.quiet(2 * READ_S_MAX)
        assert (len(reader.told), len(reader.store)) == (1, 0)

    play(scene)


def test_a_patient_read_outlasts_refusals_for_a_while_and_one_that_is_not_ends_with_the_first() -> None:
    async def scene(stage: Stage) -> None:
        reader, lookup = await reading(stage, patient=True)
        for _ in range(3):
            stage.tell("reader", NotCommitted(lookup.lookup_id, "io_error: not now"))
            await stage.quiet(RESEND_EACH_S)
            assert await stage.one("store", Lookup) == lookup
        stage.tell("reader", LookedUp(lookup.lookup_id, Nothing()))
        await stage.base.idle()
        assert reader.told == [Nothing()]
        reader.read(patient=False)
        again = await stage.one("store", Lookup)
        stage.tell("reader", NotCommitted(again.lookup_id, "io_error: not now"))
        await stage.base.idle()
        assert reader.told == [Nothing(), "io_error: not now"]

    play(scene)
