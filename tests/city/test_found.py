"""What the city has found, one claim each, shown directly: the seed that found it would no longer lead there."""

from __future__ import annotations

import asyncio
from typing import Any

from actors.account.midjourney import Account
from actors.monitor.actor import Monitor
from actors.monitor.messages import TellHealth
from actors.queue.actor import Queue
from actors.queue.messages import (
    AskHoldings,
    Demand,
    Drawn,
    Enqueue,
    Failed,
    Holdings,
    JobAccepted,
    JobRefused,
    Keep,
    Kept,
    LeaseVoid,
    LedgerOpen,
    Next,
    Outdated,
    Sighted,
)
from actors.scheduler import AccountUp, Scheduler
from actors.session.messages import Attach, Detach
from actors.shell import Kill
from actors.store import Store
from actors.store_messages import Commit, Committed, LookedUp, Lookup, NotCommitted, StoreWell
from core.correlate import GHOST_S_MAX, Correlator
from core.reconcile import LET_GO_S
from core.signs import Drawing, Ended, Sign, Stage
from core.tokens import BEGIN_S, Ledger
from protocol.client import Accepted
from storage.operations import Applied, Backlog, Fence, Gather, JobRecord, Past, ReadBacklog, ReadPast, Settle, Track
from tests.actors.session.test_actor import present, said, set_up
from tests.actors.stage import Stage as Theatre
from tests.actors.stage import play

HOUR_S = 3600.0


def a_job(state: str, **changes: Any) -> JobRecord:
    values = dict.fromkeys(JobRecord.__struct_fields__)
    values |= {"id": "j1", "user": "ana", "plan": "free", "state": state, "kind": "imagine", "prompt": "a fox"}
    values |= {"mode": "fast", "images_in": (), "offers": (), "attempt": 1, "account": "fox", "lease": "l1"}
    values |= {"nonce": "7", "charged": True, "created_at": 1_000.0, "images": (), "history": ()}
    return JobRecord(**(values | changes))


def test_a_lease_is_overdue_also_when_its_timer_fires_a_rounding_error_early() -> None:
    granted_at = 9.2556283
    assert granted_at + BEGIN_S - granted_at < BEGIN_S, "the claim is about such a moment"
    ledger = Ledger()
    ledger.announce("fox", 1, ("fast",), 1.0, (), 0.0)
    (lease,) = ledger.ask("fox", lambda: "l1", 0.0)
    ledger.grant(lease.id, "j1", 1, granted_at)
    assert ledger.overdue(lease.id, 1, granted_at + BEGIN_S) is lease


def test_a_queue_that_died_before_it_heard_of_a_void_lease_hears_it_again() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "queue", "accounts"):
            stage.cast(name)
        stage.cast("scheduler", Scheduler)
        stage.tell("scheduler", AccountUp("fox", 1, ("fast",), 1.0, ()))
        demand = await stage.one("queue", Demand)
        stage.tell("scheduler", Next(demand.lease, demand.epoch, "ana", "j1", 1, "fox"))
        await stage.quiet(11)
        told = LeaseVoid(demand.lease, "j1", 1)
        assert await stage.heard("queue", LeaseVoid) == [told]
        await stage.quiet(15)
        assert await stage.heard("queue", LeaseVoid) == [told]

    play(scene)


def test_a_scheduler_whose_clock_was_set_back_asks_in_a_later_epoch_when_it_is_told() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "queue", "accounts"):
            stage.cast(name)
        stage.cast("scheduler", Scheduler)
        stage.tell("scheduler", AccountUp("fox", 2, ("fast",), 1.0, ()))
        before = await stage.heard("queue", Demand)
        later = before[0].epoch + 3_600_000
        stage.tell("scheduler", Outdated(later), Outdated(later))
        after = await stage.heard("queue", Demand)
        assert [demand.epoch for demand in after] == [later + 1] * 2

    play(scene)


async def open_queue(stage: Theatre, *begun: JobRecord) -> Any:
    """A Queue that has been rebuilt from these jobs; its store, scheduler and the rest are recorders."""
    for name in ("monitor", "lobby", "store", "scheduler", "gallery", "account/fox"):
        stage.cast(name)
    queue = stage.cast("queue", Queue)
    fence = await stage.one("store", Commit)
    stage.tell("queue", Committed(fence.op_id, Applied()))
    lookup = await stage.one("store", Lookup)
    stage.tell("queue", LookedUp(lookup.lookup_id, Backlog((), begun, None)))
    await stage.one("scheduler", LedgerOpen)
    return queue


def test_a_queue_reads_only_after_its_predecessors_last_writes() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "store", "scheduler"):
            stage.cast(name)
        stage.cast("queue", Queue)
        fence, *more = await stage.heard("store")
        assert isinstance(fence, Commit)
        assert isinstance(fence.write, Fence)
        assert more == []
        stage.tell("queue", Committed(fence.op_id, Applied()))
        assert isinstance((await stage.one("store", Lookup)).read, ReadBacklog)

    play(scene)


def test_a_queue_tells_a_scheduler_of_an_epoch_that_is_over() -> None:
    async def scene(stage: Theatre) -> None:
        await open_queue(stage)
        stage.tell("queue", Demand("l1", 5, "fox", ("fast",), 0.0), Demand("l2", 4, "fox", ("fast",), 0.0))
        assert await stage.one("scheduler", Outdated) == Outdated(5)

    play(scene)


def test_places_asked_for_while_the_queue_was_rebuilt_do_not_count_twice() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "store", "scheduler"):
            stage.cast(name)
        queue = stage.cast("queue", Queue)
        stage.tell("queue", Demand("l1", 5, "fox", ("fast",), 0.0))
        fence = await stage.one("store", Commit)
        stage.tell("queue", Committed(fence.op_id, Applied()))
        lookup = await stage.one("store", Lookup)
        stage.tell("queue", LookedUp(lookup.lookup_id, Backlog((), (), None)))
        await stage.one("scheduler", LedgerOpen)
        assert len(queue.demands) == 0

    play(scene)


def test_an_answer_that_was_lost_and_comes_again_does_not_bring_a_job_back_from_its_end() -> None:
    async def scene(stage: Theatre) -> None:
        queue = await open_queue(stage, a_job("drawing"))
        stage.tell("queue", Sighted("fox", "j1", 1, None, None, "h"), Drawn("fox", "j1", 1, "m", "u", "h", (), None))
        commits = {type(commit.write): commit for commit in await stage.heard("store", Commit)}
        stage.tell("queue", Committed(commits[Gather].op_id, Applied(a_job("keeping"))))
        await stage.one("gallery", Keep)
        stage.tell("queue", Kept("j1", 1, ()))
        settle = await stage.one("store", Commit)
        assert isinstance(settle.write, Settle)
        stage.tell("queue", Committed(settle.op_id, Applied(a_job("done"), 3)))
        stage.tell("queue", Committed(commits[Track].op_id, Applied(a_job("drawing"), 2)))
        await stage.quiet()
        assert queue.jobs == {}

    play(scene)


def test_a_write_is_refused_only_when_no_copy_of_it_can_be_stored_any_more() -> None:
    async def scene(stage: Theatre) -> None:
        await open_queue(stage)
        stage.tell("queue", Enqueue("ana", "q1", "free", "r1", "imagine", "a fox", "fast"))
        await stage.quiet(6)
        first, again = await stage.heard("store", Commit)
        assert (first.op_id, first.write) == (again.op_id, again.write)
        stage.tell("queue", NotCommitted(first.op_id, "full"))
        assert await stage.heard("lobby", JobRefused) == []
        stage.tell("queue", Committed(first.op_id, Applied(a_job("queued", attempt=0), 1)))
        assert (await stage.one("lobby", JobAccepted)).job.id == "j1"

    play(scene)


def test_what_a_dead_store_was_writing_comes_before_what_the_next_one_writes() -> None:
    async def scene(stage: Theatre) -> None:
        stage.cast("monitor")
        writers = []
        for _ in range(2):
            store = stage.cast("store", Store)
            await stage.quiet()
            writers.append(store.writer)
            stage.tell("store", Kill("a test wants it"))
            await stage.quiet()
        assert writers[0] is writers[1]

    play(scene)


def test_an_account_that_gives_up_a_doubt_says_so() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "store", "scheduler", "queue"):
            stage.cast(name)
        stage.base.process.links = Silence()
        stage.cast("account/fox", Account)
        stage.tell("account/fox", Holdings("fox", (a_job("submitting", submitted_at=stage.base.wall()),)))
        await stage.quiet(stage.base.process.config.limits.undecided_s + LET_GO_S + 1)
        told = (await stage.heard("queue", Failed))[0]
        assert (told.job, told.code, told.charged) == ("j1", "undecided", False)

    play(scene)


class Silence:
    """Links of a Discord that never answers."""

    async def request(self, request: Any, authorization: Any) -> Any:
        await asyncio.Event().wait()


def test_an_account_that_cannot_reach_discord_lives_on_with_its_doubts() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "store", "scheduler", "queue"):
            stage.cast(name)
        stage.base.process.links = Silence()
        account = stage.cast("account/fox", Account)
        await stage.one("queue", AskHoldings)
        stage.tell("account/fox", Holdings("fox", (a_job("undecided", submitted_at=1_000.0),)))
        await stage.quiet(30)
        assert stage.instance("account/fox") is account
        assert list(account.works) == ["j1"]

    play(scene)


def test_a_result_without_proof_is_nobodys_as_long_as_drawings_of_before_a_restart_may_be_forgotten() -> None:
    result = Sign(Stage.FINISHED, message_id="99")
    young, old = Correlator(born=0.0), Correlator(born=0.0)
    for correlator, now in ((young, 60.0), (old, GHOST_S_MAX + 1)):
        correlator.open(Drawing("j1", 1, "7"))
        correlator.doubt("j1", 1)
        correlator.observe(result, now)
    assert not [found for found in young.sweep(90.0) if isinstance(found, Ended)]
    assert [found.job_id for found in old.sweep(GHOST_S_MAX + 30) if isinstance(found, Ended)] == ["j1"]


def test_an_order_answered_again_comes_after_the_events_that_nobody_told_of() -> None:
    async def scene(stage: Theatre) -> None:
        shelf = set_up(stage)
        await present(stage, "s1")
        for seq in (1, 2, 3):  # stored by a Queue that died before it said a word
            shelf.store(Accepted(seq, f"r{seq}", f"j{seq}", 1, None))
        stage.tell("session/u1", JobAccepted("u1", "q1", a_job("queued", id="j3", ref="r3"), 3, 1, None, replayed=True))
        assert [frame.seq for frame in await said(stage)] == [1, 2, 3]

    play(scene)


def test_welcome_is_never_behind_what_another_socket_of_the_user_was_told() -> None:
    async def scene(stage: Theatre) -> None:
        shelf = set_up(stage)
        await present(stage, "s1")
        shelf.open = False
        stage.tell("session/u1", Attach("u1", "s2"))
        await stage.quiet()  # the record is read now, and on its way for a while
        stage.tell("session/u1", JobAccepted("u1", "q1", a_job("queued"), 1, 1, None, replayed=False))
        assert [frame.seq for frame in await said(stage)] == [1]
        stage.tell("session/u1", Detach("u1", "s2"), Attach("u1", "s3"))
        await stage.quiet()
        shelf.answer()
        assert [frame.seq for frame in await said(stage, "s3")] == [1]

    play(scene)


def test_a_monitor_that_died_alone_hears_again_who_is_well() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("gate", "store", "account/fox"):
            stage.cast(name)
        stage.cast("monitor", Monitor)
        for name in ("store", "account/fox"):
            assert await stage.heard(name) == [TellHealth()]

    play(scene)


def test_a_store_tells_a_new_monitor_how_it_is() -> None:
    async def scene(stage: Theatre) -> None:
        stage.cast("monitor")
        stage.cast("store", Store)
        assert await stage.heard("monitor", StoreWell) == [StoreWell()]
        stage.tell("store", TellHealth())
        assert await stage.heard("monitor", StoreWell) == [StoreWell()]

    play(scene)


def test_a_picture_that_may_still_come_is_nobodys_also_when_the_clock_was_set_meanwhile() -> None:
    async def scene(stage: Theatre) -> None:
        for name in ("monitor", "lobby", "store", "scheduler", "queue"):
            stage.cast(name)
        stage.base.process.links = Silence()
        account, wall = stage.cast("account/fox", Account), stage.base.wall()
        stage.tell("account/fox", Holdings("fox", ()))
        asked = {type(lookup.read): lookup for lookup in await stage.heard("store", Lookup)}
        assert asked[ReadPast].read.since <= wall - HOUR_S - GHOST_S_MAX
        # It ended a moment ago, when the clock went an hour behind.
        ended = a_job("failed", code="undecided", submitted_at=wall - HOUR_S - 60, finished_at=wall - HOUR_S - 30)
        stage.tell("account/fox", LookedUp(asked[ReadPast].lookup_id, Past((), (ended,), True)))
        await stage.quiet(GHOST_S_MAX / 2)
        result = Sign(Stage.FINISHED, message_id="99")
        account.correlator.open(Drawing("j2", 1, "8"))
        account.correlator.doubt("j2", 1)
        account.correlator.observe(result, account.now())
        assert not [found for found in account.correlator.sweep(account.now() + 30) if isinstance(found, Ended)]

    play(scene)
