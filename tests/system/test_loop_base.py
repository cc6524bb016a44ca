"""What code on the loop sees of the base: telling, asking, names, stopping, counting."""

import asyncio
import socket
import time
from typing import Any

import pytest
from thespian.actors import Actor, ActorAddress, ActorExitRequest, Thespian_StatusReq

from system.loop_base import LoopBase, NameTaken, NobodyThere, run_on
from system.mailroom import PUMP_MESSAGES_MAX
from system.stats import ActorStats
from tests.system.cast import Diary, Forward, Hear, Note, Pages, heard, pass_time, with_base


def test_messages_between_two_actors_keep_their_order() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Diary, "a")
        base.create(Diary, "b")
        for number in range(3000):
            base.tell("a", Forward("b", str(number)))
        await base.idle()
        return await heard(base, "b")

    assert with_base(scene) == tuple(str(number) for number in range(3000))


@pytest.mark.parametrize("strict", [False, True])
def test_what_is_put_first_is_taken_before_all_that_waits(strict: bool) -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Diary, "a")
        asking = base.names["a"]
        asking.send_to_name("a", Note("told before"))
        asking.send_first("a", Note("asked"))
        asking.send_first("nobody", Note("for nobody"))
        await base.idle()
        return await heard(base, "a")

    assert with_base(scene, strict=strict) == ("asked", "told before")


def test_an_address_is_as_good_as_a_name() -> None:
    async def scene(base: LoopBase) -> Pages:
        address = base.create(Diary)
        base.tell(address, Note("by address"))
        base.tell(ActorAddress(address.actorAddressString), Note("by its text"))
        return await base.ask(address, Hear(), timeout=1)

    assert with_base(scene) == Pages(("by address", "by its text"))


def test_addresses_compare_by_their_text_and_stay_unhashable() -> None:
    async def scene(base: LoopBase) -> None:
        one, two = base.create(Diary), base.create(Diary)
        assert one == ActorAddress(one.actorAddressString)
        assert ActorAddress(one.actorAddressString) == one
        assert one != two
        assert one != "/0"
        with pytest.raises(TypeError):
            hash(one)

    with_base(scene)


def test_asking_nobody_fails_at_once_and_asking_the_silent_in_time() -> None:
    class Silent(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            pass

    async def scene(base: LoopBase) -> None:
        with pytest.raises(NobodyThere):
            await base.ask("nobody", Hear(), timeout=1)
        base.create(Silent, "silent")
        began = base.loop.time()
        with pytest.raises(TimeoutError):
            await base.ask("silent", Hear(), timeout=3)
        assert base.loop.time() - began == 3
        assert [address for address in base.actorRegistry if "Asker" in address] == []

    with_base(scene)


def test_each_asker_hears_its_own_answer() -> None:
    async def scene(base: LoopBase) -> list[Pages]:
        for name in ("a", "b", "c"):
            base.create(Diary, name)
            base.tell(name, Note(name))
        return await asyncio.gather(*(base.ask(name, Hear(), timeout=1) for name in ("c", "a", "b")))

    assert with_base(scene) == [Pages(("c",)), Pages(("a",)), Pages(("b",))]


def test_a_taken_name_is_refused_loudly() -> None:
    async def scene(base: LoopBase) -> None:
        first = base.create(Diary, "queue")
        with pytest.raises(NameTaken):
            base.create(Diary, "queue")
        other = base.create(Diary)
        with pytest.raises(NameTaken):
            other.record.register("queue")
        with pytest.raises(NameTaken):
            first.record.register("scheduler")
        first.record.register("queue")
        assert base.whereis("queue") == first
        assert base.totals().actors == 2

    with_base(scene)


def test_a_name_is_free_when_its_holder_has_ended_and_its_successor_gets_the_mail() -> None:
    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Diary, "queue")
        base.create(Diary, "friend")
        base.tell("queue", ActorExitRequest())
        await base.idle()
        assert base.whereis("queue") is None
        successor = base.create(Diary)
        successor.record.register("queue")
        base.tell("friend", Forward("queue", "hello again"))
        return await heard(base, "queue")

    assert with_base(scene) == ("hello again",)


def test_a_message_to_an_unknown_name_is_a_counted_dead_letter() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "a")
        base.tell("a", Forward("nobody", "x"))
        base.tell("a", Forward("nobody", "y"))
        base.tell("someone else", Note("z"))
        await base.idle()
        assert base.totals().dead_letters == 3
        assert base.unknown_names.snapshot() == {"nobody": 2, "someone else": 1}

    with_base(scene)


def test_the_table_of_unknown_names_is_bounded() -> None:
    async def scene(base: LoopBase) -> None:
        for number in range(10_000):
            base.tell(f"nobody {number}", Note("x"))
        assert len(base.unknown_names) == 256
        assert base.totals().dead_letters == 10_000

    with_base(scene)


def test_letters_to_the_dead_go_to_the_actor_that_handles_them() -> None:
    class Undertaker(Diary):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if hasattr(message, "deadMessage"):
                self.texts.append(f"{message.deadAddress}: {message.deadMessage.text}")
            elif isinstance(message, Note):
                self.handleDeadLetters()
            else:
                super().receiveMessage(message, sender)

    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Undertaker, "undertaker")
        base.tell("undertaker", Note("begin"))
        gone = base.create(Diary, "gone")
        base.tell("gone", ActorExitRequest())
        base.tell("gone", Note("still in its mailbox"))
        await base.idle()
        base.tell(gone, Note("by address"))
        await base.idle()
        base.tell("gone", Note("by name"))
        return await heard(base, "undertaker")

    assert with_base(scene) == ("/1: still in its mailbox", "/1: by address", "gone: by name")


def test_strict_mode_refuses_in_the_sender_what_could_not_leave_the_host() -> None:
    class Careless(Diary):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, Note):
                for wrong in ("text", object(), Note(text=5), Note(text="x", number=print)):
                    try:
                        self.send(self.myAddress, wrong)
                    except (TypeError, ValueError) as refusal:
                        self.texts.append(type(refusal).__name__)
            else:
                super().receiveMessage(message, sender)

    async def scene(base: LoopBase) -> tuple[str, ...]:
        base.create(Careless, "careless")
        base.tell("careless", Note("go"))
        with pytest.raises(TypeError):
            base.tell("careless", "text")
        return await heard(base, "careless")

    assert with_base(scene) == ("TypeError", "TypeError", "UndecodableMessage", "UnencodableMessage")


@pytest.mark.parametrize("strict", [True, False])
def test_only_strict_mode_hands_over_a_copy(strict: bool) -> None:
    class Keeper(Actor):
        kept: Any = None

        def receiveMessage(self, message: Any, sender: Any) -> None:
            Keeper.kept = message

    async def scene(base: LoopBase) -> None:
        base.create(Keeper, "keeper")
        note = Note("x")
        base.tell("keeper", note)
        await base.idle()
        assert note == Keeper.kept
        assert (note is Keeper.kept) is not strict

    with_base(scene, strict=strict)


def test_a_status_request_is_still_answered() -> None:
    async def scene(base: LoopBase) -> None:
        address = base.create(Diary, "a")
        child = address.record.create(Diary, "b")
        address.record.wakeupAfter(50, "later")
        status = await base.ask("a", Thespian_StatusReq(), timeout=1)
        assert status.actorAddress == address
        assert status.childActors == [child]
        assert len(status.pendingWakeups) == 1

    with_base(scene)


def test_the_census_counts_each_actor_and_the_totals_all() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "parent").record.create(Diary, "child")
        for _ in range(3):
            base.tell("child", Note("x"))
        before = {row.name: row for row in base.census()}
        await pass_time(10)
        after = {row.name: row for row in base.census()}
        assert (before["child"].depth, before["child"].handled) == (3, 0)
        assert after["child"] == ActorStats(
            "child", "/0/0", "Diary", "parent", depth=0, handled=3, busy_s=0.0, uptime_s=10.0, tasks=0, children=0,
            restarts=0,
            last_error=None,
        )  # fmt: skip
        assert (after["parent"].children, after["parent"].parent) == (1, None)
        totals = base.totals()
        assert (totals.messages, totals.actors, totals.waiting, totals.crashes) == (3, 2, 0, 0)

    with_base(scene)


def test_stopping_is_orderly_and_ends_everybody() -> None:
    async def scene(base: LoopBase) -> None:
        parent = base.create(Diary, "parent")
        parent.record.create(Diary, "child").record.create(Diary, "grandchild")
        diaries = [record.instance for record in base.actorRegistry.values() if isinstance(record.instance, Diary)]
        assert await base.stop() is True
        assert [diary.texts[-1] for diary in diaries] == ["asked to exit"] * 3
        assert base.census() == ()
        assert base.names == {}
        base.tell("parent", Note("too late"))
        assert base.totals().dead_letters == 1

    with_base(scene)


def test_stopping_takes_no_longer_than_its_bound() -> None:
    class Chatterbox(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            for child in (self.createActor(Chatterbox), self.myAddress):
                self.send(child, message)

    class Clinging(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if isinstance(message, Note):
                self._myRef.start_task(self.cling(), "cling")

        async def cling(self) -> None:
            try:
                await asyncio.sleep(1000)
            except asyncio.CancelledError:
                await asyncio.sleep(1000)

    async def scene(base: LoopBase) -> None:
        base.create(Clinging, "clinging")
        base.tell("clinging", Note("hold on"))
        await pass_time(1)
        began = base.loop.time()
        assert await base.stop(stop_s=2) is False
        assert base.loop.time() - began <= 2.2

    with_base(scene)


def test_a_flood_of_messages_starves_no_socket() -> None:
    class Flood(Actor):
        """Never runs out of messages: each one begets the next."""

        def receiveMessage(self, message: Any, sender: Any) -> None:
            self.send(self.myAddress, message)

    async def main() -> int:
        loop = asyncio.get_running_loop()
        base = run_on(loop)
        for _ in range(4 * PUMP_MESSAGES_MAX):
            base.tell(base.create(Flood), "drop")
        near, far = socket.socketpair()
        reader, near_writer = await asyncio.open_connection(sock=near)
        _, writer = await asyncio.open_connection(sock=far)
        for number in range(20):
            writer.write(b"line %d\n" % number)
            assert await reader.readline() == b"line %d\n" % number
        writer.close()
        near_writer.close()
        delivered_meanwhile = base.totals().messages
        await base.stop(stop_s=0.1)
        return delivered_meanwhile

    assert asyncio.run(asyncio.wait_for(main(), 20)) > 0


def test_time_at_work_and_lateness_are_measured_on_a_real_loop() -> None:
    class Busy(Actor):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if message == "work":
                spin(0.02)

    def spin(seconds: float) -> None:
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass

    async def main() -> None:
        loop = asyncio.get_running_loop()
        base = run_on(loop)
        for name in ("busy", "idler"):
            base.create(Busy, name)
        loop.call_soon(spin, 0.05)  # holds up the turn that hands out the messages
        base.tell("busy", "work")
        base.tell("idler", "nothing")
        await base.idle()
        busy, idler = base.census()
        assert busy.busy_s >= 0.02
        assert idler.busy_s < busy.busy_s
        assert base.totals().loop_lag_s >= 0.05
        await base.stop()

    asyncio.run(main())
