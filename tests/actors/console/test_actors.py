"""Actors are suspended, resumed, read and heard by their names; ten thousand of them are a tree all the same."""

from __future__ import annotations

from typing import Any

import pytest

from actors.console.actors import NEEDED, RESTARTS, SLICE, SORTS, SUMMARY_S_MAX
from actors.console.messages import AskConsole, AskProgress
from actors.console.traces import is_a_look
from actors.gate_messages import Asked
from actors.queue.messages import Stop
from actors.shell import AskSummary, Kill, Shell
from actors.store_messages import Lookup
from protocol.api import Instruct, ShowJob
from storage.operations import ReadJob
from system.message import Message
from tests.actors.console.test_actor import answer, ask, instruct, set_up
from tests.actors.stage import Stage, play

CHANGED, UNCHANGED = {"ok": True, "changed": True}, {"ok": True, "changed": False}


class Uttered(Message, frozen=True):
    """Something for an idler to count."""


class Counting(Shell):
    """Counts what it is told, and says so."""

    ACCEPTS = (Uttered,)

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def receiveMsg_Uttered(self, uttered: Uttered, sender: Any) -> None:
        self.count += 1

    def summary(self) -> dict[str, Any]:
        return {"count": self.count}


class Parent(Shell):
    """Has children, which nobody supervises."""

    def on_start(self) -> None:
        for number in range(3):
            self._myRef.create(Counting, f"child/{number}")


def test_a_suspended_actors_mail_waits_until_it_is_resumed() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        fox = stage.cast("account/fox", Counting)
        await stage.quiet()
        assert await instruct(stage, "actors", "suspend", "account/fox") == (200, CHANGED)
        assert await instruct(stage, "actors", "suspend", "account/fox") == (200, UNCHANGED)
        stage.tell("account/fox", Uttered(), Uttered())
        _, shown = await instruct(stage, "actors", "show", "account/fox")
        assert (shown["suspended"], shown["depth"], shown["state"]) == (True, 2, None)
        assert shown["silent"] == "it is suspended"
        assert fox.count == 0
        assert await instruct(stage, "actors", "resume", "account/fox") == (200, CHANGED)
        assert await instruct(stage, "actors", "resume", "account/fox") == (200, UNCHANGED)
        assert fox.count == 2

    play(scene)


@pytest.mark.parametrize("name", sorted(NEEDED))
def test_who_is_needed_to_resume_others_is_not_suspended(name: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        if name == "root":
            stage.cast(name)
        status, body = await instruct(stage, "actors", "suspend", name)
        assert (status, body["code"]) == (403, "forbidden")
        assert f"Without {name} nobody could be resumed" in body["detail"]
        assert not stage.base.held

    play(scene)


def test_a_suspended_actor_can_be_restarted() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox", Counting)
        await instruct(stage, "actors", "suspend", "account/fox")
        assert await instruct(stage, "actors", "restart", "account/fox") == (200, CHANGED)
        assert "account/fox" not in stage.base.names
        assert not stage.base.held

    play(scene)


@pytest.mark.parametrize("verb", ["show", "suspend", "resume", "restart", "loglevel"])
def test_an_actor_that_is_not_there_is_not_found(verb: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, body = await instruct(stage, "actors", verb, "account/nobody", level="debug")
        assert (status, body["code"]) == (404, "not_found")

    play(scene)


def test_an_actor_says_itself_what_it_holds() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox", Counting)
        stage.tell("account/fox", Uttered())
        status, shown = await instruct(stage, "actors", "show", "account/fox")
        assert (status, shown["name"], shown["kind"], shown["handled"]) == (200, "account/fox", "Counting", 3)
        assert shown["state"] == {"count": 1}

    play(scene)


def test_of_an_actor_that_says_nothing_that_is_told() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "actors", "show", "account/fox")
        await stage.one("account/fox", AskSummary)
        await stage.quiet(SUMMARY_S_MAX)
        status, shown = await answer(stage)
        assert (status, shown["state"], shown["silent"]) == (200, None, "it did not answer within 1 s")

    play(scene)


def test_the_tree_is_sorted_filtered_and_cut_and_says_how_many_there_are() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("parent", Parent)
        await stage.quiet()
        stage.tell("child/1", *[Uttered()] * 5)
        await stage.quiet()
        stage.base.sample_rates()
        _, tree = await instruct(stage, "tree", "list", sort="rate", filter="CHILD", limit="2")
        assert tree["total"] == 3
        assert [actor["name"] for actor in tree["actors"]] == ["child/1", "child/0"]
        assert tree["actors"][0]["rate"] > 0
        _, tree = await instruct(stage, "tree", "list", under="parent", sort="name")
        assert [actor["name"] for actor in tree["actors"]] == ["child/0", "child/1", "child/2"]
        _, tree = await instruct(stage, "tree", "list")
        names = [actor["name"] for actor in tree["actors"]]
        assert names.index("parent") < names.index("child/0")
        assert tree["total"] == len(names)

    play(scene)


def test_more_actors_than_a_slice_are_all_shown_once_though_some_end_meanwhile() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for number in range(3 * SLICE):
            stage.base.create(Counting, f"many/{number}")
        await stage.quiet()
        ask(stage, "tree", "list", filter="many/")
        stage.base.names[f"many/{3 * SLICE - 1}"].exit()
        _, tree = await answer(stage)
        assert [actor["name"] for actor in tree["actors"]] == [f"many/{number}" for number in range(3 * SLICE - 1)]

    play(scene)


def test_what_actors_are_sorted_by_is_what_is_told_of_them() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("parent", Parent)
        await stage.quiet()
        stage.tell("child/1", *[Uttered()] * 5)
        stage.tell("child/2", Kill("a test"))
        await stage.quiet()
        stage.base.sample_rates()
        for sort in (RESTARTS, *SORTS):
            _, tree = await instruct(stage, "tree", "list", sort=sort)
            told = [actor[f"{sort}_s" if sort in ("uptime", "busy") else sort] for actor in tree["actors"]]
            assert told == sorted(told, reverse=True), sort

    play(scene)


@pytest.mark.parametrize(
    ("noun", "verb", "arguments", "words"),
    [
        ("tree", "list", {"sort": "beauty"}, "sort is one of name, depth"),
        ("tree", "list", {"limit": "0"}, "limit is a number from 1"),
        ("tree", "list", {"limit": "1.5"}, "limit is a whole number from 1"),
        ("tree", "list", {"limit": "many"}, "limit is a number from 1"),
        ("actors", "loglevel", {}, "Give level, one of debug"),
        ("actors", "loglevel", {"level": "loud"}, "level is one of debug"),
        ("actors", "loglevel", {"level": "debug", "seconds": -1}, "seconds is a number from 1"),
        ("actors", "loglevel", {"level": "debug", "seconds": True}, "seconds is a number from 1"),
        ("events", "list", {"limit": "100000"}, "limit is a number from 1 to 2000"),
        ("users", "quota", {"used": -1}, "used is a number from 0 to 1000000."),
        ("users", "ban", {"reason": "two\nlines"}, "reason is one line of at most 200 characters"),
        ("users", "ban", {"reason": "x" * 201}, "reason is one line of at most 200 characters"),
        ("accounts", "suspend", {"reason": ["a"]}, "reason is one line of at most 200 characters"),
        ("events", "list", {"level": "loud"}, "level is one of debug"),
        ("events", "list", {"after": "yesterday"}, "after is a number"),
    ],
)
def test_arguments_that_cannot_be_are_refused_with_what_can(
    noun: str, verb: str, arguments: dict[str, Any], words: str
) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        id = "monitor" if noun == "actors" else None
        status, body = await instruct(stage, noun, verb, id, **arguments)
        assert (status, body["code"]) == (400, "bad_frame")
        assert words in body["detail"]

    play(scene)


def test_an_actor_says_more_for_a_while() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        levels = stage.base.process.log_levels
        levels._now = stage.base.loop.time
        usual = levels.level_of("monitor")
        arguments = {"level": "debug", "seconds": 60}
        assert await instruct(stage, "actors", "loglevel", "monitor", **arguments) == (200, CHANGED)
        assert await instruct(stage, "actors", "loglevel", "monitor", **arguments) == (200, UNCHANGED)
        assert levels.level_of("monitor") < usual
        await stage.quiet(61)
        assert levels.level_of("monitor") == usual

    play(scene)


def test_events_are_the_latest_lines_of_the_log_and_go_on_after_one() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        ring = stage.base.process.events
        for level, event in (("info", "first"), ("error", "second"), ("info", "third")):
            ring.add({"level": level, "event": event, "actor": "queue", "job": "j1"})
        _, body = await instruct(stage, "events", "list", limit="2")
        assert [event["event"] for event in body["events"]] == ["second", "third"]
        assert body["events"][0] | {"id": 0, "at": ""} == {
            **{"id": 0, "at": "", "level": "error", "actor": "queue", "event": "second", "fields": {"job": "j1"}}
        }
        ring.add({"level": "info", "event": "fourth"})
        _, later = await instruct(stage, "events", "list", after=str(body["next"]))
        assert [event["event"] for event in later["events"]] == ["fourth"]
        _, grave = await instruct(stage, "events", "list", level="error")
        assert [event["event"] for event in grave["events"]] == ["second"]
        _, about = await instruct(stage, "events", "list", filter="THIRD")
        assert [event["event"] for event in about["events"]] == ["third"]

    play(scene)


def test_a_job_that_nobody_knows_is_not_followed() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, body = await instruct(stage, "jobs", "trace", "j404")
        assert (status, body["code"]) == (404, "not_found")
        status, body = await instruct(stage, "jobs", "trace", "j404", seconds=0)
        assert (status, body["code"]) == (400, "bad_frame")

    play(scene)


def test_who_looks_at_a_job_leaves_no_trail_and_who_does_something_with_it_does() -> None:
    look = AskConsole("op", "admin", "s1", Instruct("jobs", "j1", "show", {}))
    assert is_a_look(look, "console", "gate")
    assert is_a_look(Lookup("l1", "console", ReadJob("j1", None)), "store", "console")
    assert is_a_look(Asked("s1", "127.0.0.1", None, look.instruct), "gate", "outside")
    assert is_a_look(AskProgress("u1", "a1", ("j1",)), "session/u1", "lobby")
    assert not is_a_look(Lookup("l1", "gallery", ReadJob("j1", None)), "store", "gallery")
    assert not is_a_look(Asked("s1", "127.0.0.1", None, ShowJob("j1")), "gate", "outside")
    assert not is_a_look(Stop("fox", "j1"), "account/fox", "console")


def test_a_trail_names_a_messages_type_and_nothing_of_it() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.base.trace("j1", 60)
        await stage.quiet()
        stage.tell("console", AskConsole("op", "admin", "s1", Instruct("jobs", "j1", "retry", {"secret": "hush"})))
        await stage.quiet()
        assert "AskConsole" in {sight.what for sight in stage.base.trail("j1")}
        assert "hush" not in str(stage.base.trail("j1"))

    play(scene)
