"""What operators ask for is done by the console, once the store has it, and said in words when it cannot be."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from actors.account.messages import AskStanding, Obeyed, Reinstate, Standing, Suspend
from actors.console.accounts import OBEYED_S_MAX, STANDING_S_MAX
from actors.console.actor import Console
from actors.console.messages import AskConsole
from actors.guests import digest_of
from actors.session.messages import Say
from actors.shell import Shell
from actors.store import Store
from actors.store_messages import LookedUp, Lookup, NotCommitted
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


def test_status_and_tree_tell_of_jobs_and_actors() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        _, status = await instruct(stage, "status", "list")
        assert status["users"] == 0
        assert status["accounts"] == 1
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


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize(("verb", "kind"), [("suspend", Suspend), ("resume", Reinstate)])
def test_an_order_to_an_account_is_answered_when_the_account_says_that_it_is_stored(
    verb: str, kind: type[Suspend | Reinstate], changed: bool
) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", verb, "fox")
        order = await stage.one("account/fox", kind)
        assert await stage.heard("gate", Say) == []
        stage.tell("console", Obeyed(order.ask or "", changed), Obeyed(order.ask or "", changed))
        assert await answer(stage) == (200, {"ok": True, "changed": changed})

    play(scene)


def test_the_reason_of_a_suspension_names_who_gave_it() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", "suspend", "fox", reason="maintenance")
        assert (await stage.one("account/fox", Suspend)).reason == "suspended by op: maintenance"

    play(scene)


def test_an_order_that_nobody_confirms_is_not_said_to_be_done() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", "suspend", "fox")
        await stage.quiet(OBEYED_S_MAX)
        status, body = await answer(stage)
        assert (status, body["code"]) == (503, "draining")

    play(scene)


def test_accounts_are_listed_as_they_say_they_are_and_as_degraded_when_they_say_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        silent = {"name": "fox", "state": "degraded", "cause": "starting", "reason": "it does not answer"}
        silent |= {"ends": "by itself, when it has started", "since": None, "slots": 2, "busy": 0}
        assert await instruct(stage, "accounts", "list") == (200, {"accounts": [silent]})
        stage.cast("account/fox")
        ask(stage, "accounts", "list")
        question = await stage.one("account/fox", AskStanding)
        why = ("blocked", "Blocked: too fast", 1_786_017_600.0, "a person answers")
        stage.tell("console", Standing(question.ask, "fox", "paused", *why, 2, 1))
        paused = {"name": "fox", "state": "paused", "cause": "blocked", "reason": "Blocked: too fast"}
        paused |= {"ends": "a person answers", "since": "2026-08-06T12:00:00.000Z", "slots": 2, "busy": 1}
        assert await answer(stage) == (200, {"accounts": [paused]})
        ask(stage, "accounts", "list")
        await stage.quiet(STANDING_S_MAX)
        assert await answer(stage) == (200, {"accounts": [silent]})

    play(scene)


def test_one_account_is_shown_with_its_state_why_since_when_and_what_it_draws() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", "show", "fox")
        question = await stage.one("account/fox", AskStanding)
        why = ("captcha", "Action required", 1_786_017_600.0, "a person answers")
        stage.tell("console", Standing(question.ask, "fox", "paused", *why, 2, 2, ("j1", "j2")))
        shown = {"name": "fox", "state": "paused", "cause": "captcha", "reason": "Action required"}
        shown |= {"ends": "a person answers", "since": "2026-08-06T12:00:00.000Z", "slots": 2, "busy": 2}
        shown |= {"holding": ["j1", "j2"], "modes": ["fast", "relax"], "weight": 1.0}
        assert await answer(stage) == (200, shown)

    play(scene)


def test_an_account_that_does_not_answer_is_shown_as_that_and_one_that_is_not_there_is_not_found() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, shown = await instruct(stage, "accounts", "show", "fox")
        assert (status, shown["state"], shown["since"], shown["holding"]) == (200, "degraded", None, [])
        status, shown = await instruct(stage, "accounts", "show", "wolf")
        assert (status, shown["code"]) == (404, "not_found")
        assert "no account wolf" in shown["detail"]

    play(scene)


#: The collections of CONTRACT §6 that there are, and those of which there is one by its id.
THERE = {"status": False, "tree": False, "accounts": True}


@pytest.mark.parametrize("noun", ["status", "tree", "accounts", "queue", "jobs", "users", "nodes", "audit"])
def test_a_collection_or_one_of_it_is_there_or_refused_by_what_there_is_instead(noun: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, shown = await instruct(stage, noun, "list")
        assert status == (200 if noun in THERE else 404), shown
        if status == 404:
            assert "there is" in shown["detail"]
        status, shown = await instruct(stage, noun, "show", "fox")
        assert status == (200 if THERE.get(noun) else 404), shown
        if status == 404:
            assert "there is" in shown["detail"]

    play(scene)


def test_a_status_that_cannot_be_counted_now_is_refused_at_once() -> None:
    async def scene(stage: Stage) -> None:
        for name in ("gate", "monitor", "store"):
            stage.cast(name)
        stage.cast("console", Console)
        ask(stage, "status", "list")
        (lookup,) = await stage.heard("store", Lookup)
        stage.tell("console", NotCommitted(lookup.lookup_id, "corrupt: the database is damaged"))
        status, shown = await answer(stage)
        assert (status, shown["code"]) == (503, "draining")

    play(scene)
