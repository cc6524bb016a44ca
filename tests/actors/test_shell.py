"""Every actor is named, takes only what it says, and dies of its faults where its supervisor sees it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from actors.shell import Kill, Shell
from system.message import Message
from tests.actors.stage import Stage, play


class Poke(Message, frozen=True):
    text: str


class Ring(Message, frozen=True):
    number: int


class Fetched(Message, frozen=True):
    text: str


class Curious(Shell):
    ACCEPTS = (Poke, Ring, Fetched)

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Message] = []

    def on_start(self) -> None:
        self.after(5, Ring(1))

    def receiveMsg_Poke(self, poke: Poke, sender: Any) -> None:
        if poke.text == "fail":
            raise ValueError("poked too hard")
        if poke.text == "work":
            self.work(self.fetch(), "fetch")
        if poke.text == "work badly":
            self.work(self.fail(), "fail")
        self.seen.append(poke)

    def receiveMsg_Ring(self, ring: Ring, sender: Any) -> None:
        self.seen.append(ring)

    def receiveMsg_Fetched(self, fetched: Fetched, sender: Any) -> None:
        self.seen.append(fetched)

    async def fetch(self) -> Fetched:
        return Fetched("news")

    async def fail(self) -> None:
        raise OSError("wire cut")


class MoreCurious(Curious):
    ACCEPTS = (Kill,)

    def receiveMsg_Kill(self, kill: Kill, sender: Any) -> None:
        self.seen.append(kill)


def test_an_actor_without_a_handler_for_what_it_accepts_cannot_be_defined() -> None:
    with pytest.raises(TypeError, match="Deaf accepts Poke"):

        class Deaf(Shell):
            ACCEPTS = (Poke,)


def test_an_actor_accepts_what_its_base_accepts_and_more() -> None:
    assert set(MoreCurious._handlers) == {Poke, Ring, Fetched, Kill}


def test_timers_and_results_of_tasks_come_back_as_messages() -> None:
    async def scene(stage: Stage) -> None:
        actor = stage.cast("c", Curious)
        stage.tell("c", Poke("work"))
        await stage.quiet(6)
        assert actor.seen == [Poke("work"), Fetched("news"), Ring(1)]

    play(scene)


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        (Poke("fail"), "poked too hard"),
        (Poke("work badly"), "wire cut"),
        (Kill("by the operator"), "by the operator"),
    ],
)
def test_a_fault_in_a_handler_or_a_task_is_the_actors_death_with_its_reason(message: Any, reason: str) -> None:
    async def scene(stage: Stage) -> None:
        stage.cast("c", Curious)
        stage.tell("c", message)
        assert reason in str(await stage.base.ended("c"))

    play(scene)


def test_an_unknown_message_is_refused_loudly() -> None:
    class Strange(Message, frozen=True):
        pass

    async def scene(stage: Stage) -> None:
        stage.cast("c", Curious)
        stage.tell("c", Strange())
        assert "does not take Strange" in str(await stage.base.ended("c"))

    play(scene)


def test_an_actor_says_more_only_while_it_is_wanted_and_says_what_it_is_about(
    capsys: pytest.CaptureFixture[str],
) -> None:
    async def scene(stage: Stage) -> None:
        account, session = stage.cast("account/fox", Curious), stage.cast("session/ana", Curious)
        levels = stage.base.process.log_levels
        await stage.quiet()
        account.debug("unheard", job="j1")
        levels.set("account/fox", "debug", until=math.inf)
        account.debug("heard", job="j1")
        session.log.info("said")

    play(scene)
    heard, said = capsys.readouterr().out.splitlines()
    assert "heard" in heard
    assert {"account=fox", "actor=account/fox", "job=j1"} <= set(heard.split())
    assert {"user=ana", "actor=session/ana"} <= set(said.split())
