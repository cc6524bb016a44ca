"""Dead children are started again, siblings notice nothing, and a child that keeps dying is given up upward."""

from __future__ import annotations

from typing import Any

from actors.monitor.messages import Restarted
from actors.shell import Kill, Shell
from actors.supervisor import Child, Shutdown, Supervisor
from core.restarts import Restart
from system.message import Message
from tests.actors.stage import Stage, play

ORDER: list[str] = []


class Echo(Message, frozen=True):
    text: str


class Worker(Shell):
    ACCEPTS = (Echo,)

    def __init__(self) -> None:
        super().__init__()
        self.heard: list[str] = []

    def on_start(self) -> None:
        ORDER.append(f"start {self.name}")

    def on_stop(self) -> None:
        ORDER.append(f"stop {self.name}")

    def receiveMsg_Echo(self, echo: Echo, sender: Any) -> None:
        if echo.text == "leave":
            self.leave()
        self.heard.append(echo.text)


class Fragile(Worker):
    def on_start(self) -> None:
        raise RuntimeError("cannot start")


class Team(Supervisor):
    CHILDREN = (
        Child("first", Worker),
        Child("second", Worker, Restart.TRANSIENT),
        Child("third", Worker, Restart.TEMPORARY),
    )


class HopelessTeam(Supervisor):
    CHILDREN = (Child("fragile", Fragile),)
    INTENSITY = 3


async def on_stage(stage: Stage, team: type[Supervisor] = Team) -> None:
    ORDER.clear()
    stage.cast("monitor")
    stage.cast("team", team)
    await stage.quiet()


def test_a_dead_child_is_started_again_under_its_name_and_its_siblings_notice_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await on_stage(stage)
        first, second = stage.instance("first"), stage.instance("second")
        stage.tell("second", Echo("before"))
        stage.tell("first", Kill("test"))
        await stage.quiet(40)
        assert stage.instance("first") is not first
        assert stage.instance("second") is second
        assert second.heard == ["before"]
        assert await stage.one("monitor", Restarted) == Restarted("first")

    play(scene)


def test_the_restarts_of_a_name_are_counted_whoever_bears_it_and_as_the_metric_counts_them() -> None:
    async def scene(stage: Stage) -> None:
        await on_stage(stage)
        for _ in range(3):
            stage.tell("first", Kill("test"))
            await stage.quiet(40)
        shown = {row.name: row.restarts for row in stage.base.census()}
        assert (shown["first"], shown["second"], shown["team"]) == (3, 0, 0)
        assert await stage.heard("monitor", Restarted) == [Restarted("first")] * 3
        stage.tell("team", Kill("test"))  # the figure outlives the supervisor too
        await stage.quiet()
        stage.cast("team", Team)
        await stage.quiet()
        assert {row.name: row.restarts for row in stage.base.census()}["first"] == 3

    play(scene)


def test_a_permanent_child_that_leaves_comes_back_and_a_transient_one_does_not() -> None:
    async def scene(stage: Stage) -> None:
        await on_stage(stage)
        stage.tell("first", Echo("leave"))
        stage.tell("second", Echo("leave"))
        await stage.quiet(40)
        assert "first" in stage.base.names
        assert "second" not in stage.base.names

    play(scene)


def test_a_transient_child_that_dies_comes_back_and_a_temporary_one_does_not() -> None:
    async def scene(stage: Stage) -> None:
        await on_stage(stage)
        stage.tell("second", Kill("test"))
        stage.tell("third", Kill("test"))
        await stage.quiet(40)
        assert "second" in stage.base.names
        assert "third" not in stage.base.names

    play(scene)


def test_children_that_keep_dying_are_the_death_of_their_supervisor() -> None:
    async def scene(stage: Stage) -> None:
        ORDER.clear()
        stage.cast("monitor")
        stage.cast("team", HopelessTeam)
        reason = await stage.base.ended("team")
        assert "TooManyRestarts" in str(reason)
        assert "cannot start" in str(reason)
        assert len(await stage.heard("monitor", Restarted)) == 3

    play(scene)


def test_children_start_in_order_and_stop_in_reverse() -> None:
    async def scene(stage: Stage) -> None:
        await on_stage(stage)
        stage.tell("team", Shutdown())
        assert await stage.base.ended("team") is None
        assert [f"start {n}" for n in ("first", "second", "third")] + [
            f"stop {n}" for n in ("third", "second", "first")
        ] == ORDER

    play(scene)


def test_a_child_that_died_during_the_stop_is_not_started_again() -> None:
    async def scene(stage: Stage) -> None:
        await on_stage(stage)
        stage.tell("second", Kill("test"))
        stage.tell("team", Shutdown())
        await stage.base.ended("team")
        assert ORDER.count("start second") == 1
        assert not {"first", "second", "third"} & set(stage.base.names)

    play(scene)
