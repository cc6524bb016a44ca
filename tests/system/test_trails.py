"""What is noted of a job's messages while it is followed, and that nothing is while none is."""

from collections import deque
from datetime import timedelta
from typing import Any

import msgspec

from system.loop_base import LoopBase
from system.message import Message
from system.trails import FOLLOWED_MAX, SIGHTS_MAX, Trails
from tests.system.cast import Diary, Forward, Note, heard, pass_time, with_base


class Inner(msgspec.Struct, frozen=True):
    id: str


class Errand(Message, frozen=True):
    """About a job in a field of what it holds."""

    inner: Inner
    more: tuple[Inner, ...] = ()


class Clerk(Diary):
    """Takes errands too."""

    def receiveMessage(self, message: Any, sender: Any) -> None:
        if isinstance(message, Errand):
            self.wakeupAfter(timedelta(seconds=1), Note(message.inner.id))
        else:
            super().receiveMessage(message, sender)


def seen(base: LoopBase, job: str) -> list[tuple[str, str, str]]:
    return [(sight.by, sight.sender, sight.what) for sight in base.trail(job)]


def test_each_message_about_a_job_is_noted_with_its_receiver_and_sender() -> None:
    async def scene(base: LoopBase) -> None:
        for name in ("clerk", "one"):
            base.create(Clerk, name)
        assert base.trace("j1", 60) is True
        assert base.trace("j1", 60) is False
        await base.idle()
        base.tell("clerk", Forward("one", "j1"))
        base.tell("clerk", Note("j2"))
        base.tell("clerk", Errand(Inner("j1")))
        base.tell("one", Errand(Inner("j2"), (Inner("j3"), Inner("j1"))))
        await pass_time(2)
        system = base.root.label
        assert seen(base, "j1") == [
            ("clerk", system, "Forward"),
            ("clerk", system, "Errand"),
            ("one", system, "Errand"),
            ("one", "clerk", "Note"),
            ("clerk", "clerk", "Note"),
        ]
        assert base.trail("j2") == ()
        assert base.trail("j1")[-1].at == base.wall() - 1

    with_base(scene)


def test_following_ends_by_itself_and_costs_nothing_afterwards_but_what_was_seen_is_kept() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "one")
        base.trace("j1", 10)
        await base.idle()
        assert type(base.fifo) is not deque
        base.tell("one", Note("j1"))
        await pass_time(11)
        assert type(base.fifo) is deque
        base.tell("one", Note("j1"))
        assert await heard(base, "one") == ("j1", "j1")
        assert len(base.trail("j1")) == 1

    with_base(scene)


def test_what_waits_for_a_suspended_actor_is_noted_when_it_is_taken() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "one")
        base.trace("j1", 60)
        base.suspend("one")
        await base.idle()
        base.tell("one", Note("j1"))
        await base.idle()
        assert base.trail("j1") == ()
        base.resume("one")
        await base.idle()
        assert len(base.trail("j1")) == 1

    with_base(scene)


def test_a_message_sent_in_the_turn_that_began_the_following_is_neither_lost_nor_doubled() -> None:
    class Asker(Diary):
        def receiveMessage(self, message: Any, sender: Any) -> None:
            if message == Note("go"):
                self._myRef.base.trace("j1", 5)
                for number in range(3):
                    self._myRef.send_to_name("one", Note("j1", number))
            else:
                super().receiveMessage(message, sender)

    async def scene(base: LoopBase) -> None:
        base.create(Diary, "one")
        base.create(Asker, "asker")
        base.tell("asker", Note("go"))
        assert await heard(base, "one") == ("j1",) * 3

    with_base(scene)


def test_only_so_many_are_followed_at_once_and_the_over_make_room() -> None:
    trails = Trails()
    assert all(trails.follow(f"j{number}", 10, 0) for number in range(FOLLOWED_MAX))
    assert not trails.follow("more", 10, 5)
    assert trails.follow("j0", 20, 5)  # known already: for longer
    assert trails.follow("more", 20, 11)
    assert not trails.is_followed("j1")


def test_of_a_job_that_says_much_the_latest_is_kept() -> None:
    async def scene(base: LoopBase) -> None:
        base.create(Diary, "one")
        base.trace("j1", 60)
        await base.idle()
        for number in range(SIGHTS_MAX + 10):
            base.tell("one", Note("j1", number))
        await base.idle()
        assert len(base.trail("j1")) == SIGHTS_MAX

    with_base(scene, strict=False)
