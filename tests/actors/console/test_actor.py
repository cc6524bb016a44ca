"""What operators ask for is done by the console, once the store has it, and said in words when it cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.console.actor import Console
from actors.console.messages import AskConsole
from actors.guests import digest_of
from actors.session.messages import Say
from actors.shell import Shell
from actors.store import Store
from actors.store_messages import LookedUp, Lookup
from core.config import Secret
from protocol.api import Instruct, Instructed
from storage.operations import FindKey, KeyHolder
from tests.actors.stage import Stage, play


class Idler(Shell):
    """Something that can be restarted."""


async def set_up(stage: Stage) -> None:
    for name in ("monitor", "gate"):
        stage.cast(name)
    stage.cast("store", Store)
    stage.cast("console", Console)


def ask(stage: Stage, noun: str, verb: str, id: str | None = None, **arguments: Any) -> None:
    stage.tell("console", AskConsole("op", "admin", "s1", Instruct(noun, id, verb, arguments)))


async def instruct(stage: Stage, noun: str, verb: str, id: str | None = None, **arguments: Any) -> tuple[int, Any]:
    ask(stage, noun, verb, id, **arguments)
    return await answer(stage)


async def answer(stage: Stage) -> tuple[int, Any]:
    said = await stage.one("gate", Say)
    assert isinstance(said.words, Instructed)
    return said.words.status, msgspec.json.decode(said.words.body)


async def holder_of(stage: Stage, key: str) -> KeyHolder:
    stage.tell("store", Lookup("look", "gate", FindKey(digest_of(key), 1e9)))
    found = (await stage.one("gate", LookedUp)).found
    assert isinstance(found, KeyHolder), found
    return found


def test_a_new_user_gets_a_key_that_opens_and_is_stored_as_a_digest_only() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, made = await instruct(stage, "users", "add", name="ana", plan="free")
        assert status == 201
        assert {made["user"], made["plan"], made["role"]} == {"ana", "free", "user"}
        holder = await holder_of(stage, made["key"])
        assert (holder.name, holder.plan, holder.role) == ("ana", "free", "user")

    play(scene)


def test_a_second_key_of_a_user_may_have_another_role() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await instruct(stage, "users", "add", name="ana")
        status, made = await instruct(stage, "keys", "new", "ana", role="viewer")
        assert status == 201
        assert (await holder_of(stage, made["key"])).role == "viewer"

    play(scene)


@pytest.mark.parametrize(
    ("noun", "verb", "id", "arguments", "status", "code"),
    [
        ("users", "add", None, {}, 400, "bad_frame"),
        ("users", "add", None, {"name": "x" * 65}, 400, "bad_frame"),
        ("users", "add", None, {"name": "../eve"}, 400, "bad_frame"),
        ("users", "add", None, {"name": "\x1b[31meve"}, 400, "bad_frame"),
        ("users", "add", None, {"name": "eve", "plan": "gold"}, 400, "bad_frame"),
        ("users", "add", None, {"name": "ana"}, 409, "ref_conflict"),
        ("keys", "new", "nobody", {}, 404, "not_found"),
        ("keys", "new", "ana", {"role": "king"}, 400, "bad_frame"),
        ("actors", "restart", "nobody", {}, 404, "not_found"),
        ("nonsense", "list", None, {}, 404, "not_found"),
        ("accounts", "suspend", "nobody", {}, 404, "not_found"),
        ("accounts", "resume", "nobody", {}, 404, "not_found"),
        ("accounts", "suspend", "fox", {"reason": "\x1b[31m"}, 400, "bad_frame"),
        ("accounts", "suspend", "fox", {"reason": "x" * 201}, 400, "bad_frame"),
        ("accounts", "suspend", "fox", {}, 503, "draining"),  # nobody plays it here
    ],
)
def test_what_cannot_be_done_is_answered_with_a_problem(
    noun: str, verb: str, id: str | None, arguments: dict[str, Any], status: int, code: str
) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await instruct(stage, "users", "add", name="ana")
        answered, body = await instruct(stage, noun, verb, id, **arguments)
        assert (answered, body["code"], body["status"]) == (status, code, status)

    play(scene)


def test_an_actor_is_restarted_by_its_name() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox", Idler)
        status, body = await instruct(stage, "actors", "restart", "account/fox")
        assert (status, body) == (200, {"ok": True, "changed": True})
        assert "account/fox" not in stage.base.names

    play(scene)


def test_the_operator_is_answered_before_the_actor_ends() -> None:
    """The gate carries the answer: killed first, it would have kept it."""

    async def scene(stage: Stage) -> None:
        await set_up(stage)
        order: list[str] = []
        tell = stage.base.enqueue

        def noting(record: Any, message: Any, sender: Any) -> None:
            order.append(type(message).__name__)
            tell(record, message, sender)

        stage.base.enqueue = noting  # type: ignore[method-assign]
        await instruct(stage, "actors", "restart", "gate")
        assert order.index("Say") < order.index("Kill")

    play(scene)


def test_the_tree_tells_of_actors() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        _, tree = await instruct(stage, "tree", "list")
        assert {"console", "store", "gate"} <= {actor["name"] for actor in tree["actors"]}

    play(scene)


def test_the_demo_key_opens() -> None:
    async def scene(stage: Stage) -> None:
        stage.base.process.demo_key = Secret("demo-key")
        await set_up(stage)
        await stage.quiet()
        assert (await holder_of(stage, "demo-key")).name == "demo"

    play(scene)


@pytest.mark.parametrize("verb", ["list", "show", "restart"])
def test_what_is_not_there_is_refused_by_what_there_is_instead(verb: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for noun in ("nonsense", "tree"):
            if (noun, verb) != ("tree", "list"):
                status, shown = await instruct(stage, noun, verb, "fox")
                assert (status, shown["code"]) == (404, "not_found")
                assert "there is" in shown["detail"]

    play(scene)
