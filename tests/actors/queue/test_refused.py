"""A move that the Store refuses for a fault of ours is tried again, and in the end the job ends: nothing hangs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from actors.queue.messages import (
    Begin,
    Cancel,
    CancelHeard,
    Doubtful,
    Go,
    JobAccepted,
    JobRefused,
    JobSettled,
    Keep,
    Kept,
    LeaseVoid,
    LeaseVoided,
    Next,
    Returned,
    Sighted,
    Stop,
)
from actors.store import Store
from actors.store_messages import Commit, Committed, Lookup, NotCommitted
from storage.operations import (
    AskCancel,
    Doubt,
    Gather,
    GiveBack,
    Grant,
    Refused,
    Settle,
    Submit,
    Track,
    Ungrant,
)
from tests.actors.queue.test_actor import accepted, demand, drawn, picture, set_up, submitted, wish
from tests.actors.stage import Stage, play

FOR_EVER = 1_000_000
#: All tries of a move, and some time for what follows.
TRIED_S = 30.0


class Fastidious(Store):
    """A Store that refuses some kinds of writes, each so many times, as it does when one breaks."""

    def __init__(self) -> None:
        super().__init__()
        self.refuses: Counter[type] = Counter()

    def receiveMsg_Commit(self, commit: Commit, sender: Any) -> None:
        kind = type(commit.write)
        if self.refuses[kind] > 0:
            self.refuses[kind] -= 1
            self.tell(commit.reply_to, Committed(commit.op_id, Refused("internal", "it broke")))
        else:
            super().receiveMsg_Commit(commit, sender)


async def a_whole_life(stage: Stage) -> None:
    """One job, through every move there is: a void lease, an attempt given back, a doubt, links, a picture, its end."""
    told = await accepted(stage)
    stage.tell("queue", demand("l1"))
    await stage.quiet(TRIED_S)
    for following in await stage.heard("scheduler", Next):
        stage.tell("queue", LeaseVoid("l1", following.job, following.attempt))
    await stage.quiet(TRIED_S)
    for number in range(2, 9):
        stage.tell("queue", demand(f"l{number}"))
        await stage.quiet(TRIED_S)
        for following in await stage.heard("scheduler", Next):
            stage.tell("queue", Begin("fox", following.job, following.attempt, following.lease, "gs1"))
        await stage.quiet(TRIED_S)
        for go in await stage.heard("account/fox", Go):
            if number == 2:
                stage.tell("queue", Returned("fox", told.job.id, go.job.attempt, "429"))
                continue
            sighted = Sighted("fox", told.job.id, go.job.attempt, "i1", "m1", None)
            stage.tell("queue", Doubtful("fox", told.job.id, go.job.attempt), sighted)
            await stage.quiet(TRIED_S)
            stage.tell("queue", drawn(go))
        await stage.quiet(TRIED_S)
        for keep in await stage.heard("gallery", Keep):
            stage.tell("queue", Kept(keep.job.id, keep.job.attempt, (picture(keep.job.id),)))
        await stage.quiet(TRIED_S)


def lives(kind: type, times: int) -> Any:
    """How the job ended when the Store refuses this kind of move so many times; nothing of it may be left anywhere."""
    ends: list[Any] = []

    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Fastidious)
        stage.instance("store").refuses = Counter({kind: times})
        await a_whole_life(stage)
        ends.append((await stage.one("lobby", JobSettled)).job)
        queue = stage.instance("queue")
        assert (queue.jobs, queue.running, queue.tries, len(queue.fair), len(queue.store)) == ({}, {}, {}, 0, 0)
        assert not queue.unwanted

    play(scene)
    return ends[0]


MOVES = (Grant, Ungrant, Submit, GiveBack, Doubt, Track, Gather, Settle)


@pytest.mark.parametrize("kind", MOVES)
def test_a_move_that_is_refused_for_a_while_is_made_later(kind: type) -> None:
    assert lives(kind, 2).state == "done"


@pytest.mark.parametrize("kind", [kind for kind in MOVES if kind not in (Track, Settle)])
def test_a_job_that_cannot_be_moved_on_ends_refunded(kind: type) -> None:
    job = lives(kind, FOR_EVER)
    assert (job.state, job.code, job.charged) == ("failed", "internal", False)


def test_links_that_cannot_be_stored_keep_no_drawing_from_its_end() -> None:
    assert lives(Track, FOR_EVER).state == "done"


def test_an_end_that_cannot_be_stored_is_tried_until_it_can_and_the_job_stays_in_sight() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Fastidious)
        await accepted(stage)
        go = await submitted(stage)
        store = stage.instance("store")
        store.refuses = Counter({Settle: FOR_EVER})
        stage.tell("queue", drawn(go), Kept(go.job.id, 1, (picture(go.job.id),)))
        await stage.quiet(600.0)
        assert list(stage.instance("queue").jobs) == [go.job.id]
        assert await stage.heard("lobby", JobSettled) == []
        store.refuses.clear()
        await stage.quiet(70.0)
        settled = await stage.one("lobby", JobSettled)
        assert (settled.job.code, settled.job.charged) == ("internal", False)

    play(scene)


def test_a_cancel_that_cannot_be_stored_is_said_to_have_failed() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Fastidious)
        waiting = await accepted(stage)
        stage.instance("store").refuses = Counter({Settle: FOR_EVER, AskCancel: FOR_EVER})
        stage.tell("queue", Cancel("ana", "c1", waiting.job.id))
        await stage.quiet(TRIED_S)
        assert (await stage.one("lobby", CancelHeard)).code == "internal"
        await submitted(stage)
        stage.tell("queue", Cancel("ana", "c2", waiting.job.id))
        await stage.quiet(TRIED_S)
        assert (await stage.one("lobby", CancelHeard)).code == "internal"

    play(scene)


class Locked(Store):
    """A Store whose database another program holds, while `held`; it may not be read either, while `unread`."""

    def __init__(self) -> None:
        super().__init__()
        self.held = self.unread = False

    def receiveMsg_Commit(self, commit: Commit, sender: Any) -> None:
        if self.held:
            self.tell(commit.reply_to, NotCommitted(commit.op_id, "locked: not now"))
        else:
            super().receiveMsg_Commit(commit, sender)

    def receiveMsg_Lookup(self, lookup: Lookup, sender: Any) -> None:
        if self.unread:
            self.tell(lookup.reply_to, NotCommitted(lookup.lookup_id, "locked: not now"))
        else:
            super().receiveMsg_Lookup(lookup, sender)


@pytest.mark.parametrize("with_the_bot", [False, True])
def test_a_cancel_while_another_program_holds_the_database_is_put_off_at_once_and_not_done(with_the_bot: bool) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Locked)
        job = (await accepted(stage)).job.id
        if with_the_bot:
            await submitted(stage)
        store, queue = stage.instance("store"), stage.instance("queue")
        store.held = True
        stage.tell("queue", Cancel("ana", "c1", job))
        assert (await stage.one("lobby", CancelHeard)).code == "draining"
        store.held = False
        await stage.quiet(TRIED_S)
        assert await stage.heard("lobby", JobSettled) == []
        assert (await stage.heard("account/fox", Stop), queue.unwanted, len(queue.store)) == ([], set(), 0)
        stage.tell("queue", Cancel("ana", "c2", job))
        assert (await stage.one("lobby", CancelHeard)).code is None

    play(scene)


def test_a_cancel_while_the_database_cannot_be_read_is_put_off_at_once() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Locked)
        waiting = await accepted(stage)
        stage.instance("store").unread = True
        stage.tell("queue", Cancel("ana", "c1", waiting.job.id))
        assert await stage.one("lobby", CancelHeard) == CancelHeard("ana", "c1", None, "draining")

    play(scene)


@pytest.mark.parametrize("held_s", [10.0, 11.0, 12.0, 13.0, 14.0])  # whenever the trouble ends
def test_intake_is_open_within_two_seconds_of_the_store_being_well(held_s: float) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Locked)
        await accepted(stage)
        store = stage.instance("store")
        store.held = True
        stage.tell("queue", demand())
        await stage.quiet(held_s)
        stage.tell("queue", wish(ref="r2"))
        assert (await stage.one("lobby", JobRefused)).code == "draining"
        store.held = False
        await stage.quiet(2.0)
        stage.tell("queue", wish(ref="r3"))
        assert await stage.one("lobby", JobAccepted)

    play(scene)


def test_a_void_lease_is_answered_also_when_the_job_cannot_be_put_back() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage, store=Fastidious)
        await accepted(stage)
        stage.instance("store").refuses = Counter({Ungrant: FOR_EVER})
        stage.tell("queue", demand("l1"))
        following = await stage.one("scheduler", Next)
        stage.tell("queue", LeaseVoid("l1", following.job, following.attempt))
        await stage.quiet(TRIED_S)
        assert await stage.one("scheduler", LeaseVoided) == LeaseVoided("l1", begun=False)

    play(scene)
