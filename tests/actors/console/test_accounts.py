"""Operators see Discord accounts as those say they are, take them out of work, resize, add and remove them."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec import structs

from actors.account.messages import AskStanding, Obeyed, Reinstate, SetSlots, Standing, Suspend, Vacant
from actors.added import NO_KEY, WRONG_KEY, take_in
from actors.console.accounts import OBEYED_S_MAX
from actors.console.actor import Console
from actors.console.survey import ANSWER_S_MAX
from actors.monitor.messages import AskOverview, Overview
from actors.queue.messages import AccountsChanged
from actors.session.messages import Say
from actors.store_messages import LookedUp, Lookup
from core.config import AccountConfig, Discord, Secret, Store
from core.health import Cause
from storage.added import AddedAccounts, ReadAccounts
from tests.actors.console.test_actor import answer, ask, instruct, set_up
from tests.actors.stage import Stage, play

OWL = {"name": "owl", "token": "owls-own-secret", "guild_id": "1", "channel_id": "2"}
UNMEASURED = {"pace": None, "done": None, "failed": None, "reconnects": None, "limited": None, "seconds": None}
SILENT = {"name": "fox", "state": "degraded", "cause": "starting", "reason": "it does not answer"}
SILENT |= {"ends": "by itself, when it has started", "since": None, "slots": 2, "busy": 0, "draining": False}


def with_key(stage: Stage, key: str = "A" * 43) -> None:
    """The config has a key to seal tokens with."""
    process = stage.base.process
    process.config = structs.replace(process.config, store=Store(token_key=Secret(key)))


async def stored(stage: Stage) -> AddedAccounts:
    """What the store has of added accounts."""
    stage.tell("store", Lookup("look", "gate", ReadAccounts()))
    found = (await stage.one("gate", LookedUp)).found
    assert isinstance(found, AddedAccounts)
    return found


# --- what is shown ----------------------------------------------------------------------------------------------


def test_accounts_are_listed_as_they_say_they_are_and_as_degraded_when_they_say_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", "list")
        question = await stage.one("account/fox", AskStanding)
        why = ("blocked", "Blocked: too fast", 1_786_017_600.0, "a person answers")
        stage.tell("console", Standing(question.ask, "fox", "paused", *why, 2, 1))
        measured = {"pace": 1, "done": 7, "failed": 2, "reconnects": 3, "limited": 4, "seconds": 41.5}
        stage.tell("console", Overview(question.ask, {}, {"fox": measured | {"round_trip_s": 0.1}}))
        paused = {"name": "fox", "state": "paused", "cause": "blocked", "reason": "Blocked: too fast"}
        paused |= {"ends": "a person answers", "since": "2026-08-06T12:00:00.000Z", "slots": 2, "busy": 1}
        assert await answer(stage) == (200, {"accounts": [paused | {"draining": False} | measured]})
        ask(stage, "accounts", "list")
        await stage.quiet(ANSWER_S_MAX)
        assert await answer(stage) == (200, {"accounts": [SILENT | UNMEASURED]})

    play(scene)


def test_who_is_being_started_again_is_not_waited_for() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        ask(stage, "accounts", "list")
        question = await stage.one("monitor", AskOverview)
        assert await stage.heard("gate", Say) == []
        stage.tell("console", Overview(question.ask, {}, {}))
        assert await answer(stage) == (200, {"accounts": [SILENT | UNMEASURED]})

    play(scene)


def test_an_account_whose_actor_is_suspended_is_not_waited_for_and_says_what_ends_it() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        assert (await instruct(stage, "actors", "suspend", "account/fox"))[0] == 200
        ask(stage, "accounts", "list")
        stage.tell("console", Overview((await stage.one("monitor", AskOverview)).ask, {}, {}))
        held = SILENT | {"reason": "its actor is suspended", "ends": "`actor resume`"}
        assert await answer(stage) == (200, {"accounts": [held | UNMEASURED]})

    play(scene)


def test_one_account_is_shown_with_its_state_why_since_when_and_what_it_draws() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", "show", "fox")
        question = await stage.one("account/fox", AskStanding)
        why = ("drain", "drained by op", 1_786_017_600.0, "`account resume`")
        stage.tell("console", Standing(question.ask, "fox", "suspended", *why, 2, 2, ("j1", "j2"), draining=True))
        stage.tell("console", Overview(question.ask, {}, {}))
        shown = {"name": "fox", "state": "suspended", "cause": "drain", "reason": "drained by op", "draining": True}
        shown |= {"ends": "`account resume`", "since": "2026-08-06T12:00:00.000Z", "slots": 2, "busy": 2} | UNMEASURED
        shown |= {"holding": ["j1", "j2"], "modes": ["fast", "relax"], "weight": 1.0, "driver": "midjourney"}
        assert await answer(stage) == (200, shown | {"kind": "bot", "added": False})

    play(scene)


def test_an_account_that_is_not_there_is_not_found_by_any_verb() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for verb in ("show", "suspend", "drain", "resume", "slots", "remove"):
            status, shown = await instruct(stage, "accounts", verb, "wolf", slots=3)
            assert (status, shown["code"]) == (404, "not_found")
            assert "no account wolf" in shown["detail"]

    play(scene)


# --- orders -----------------------------------------------------------------------------------------------------

ORDERS = [("suspend", Suspend), ("drain", Suspend), ("resume", Reinstate), ("slots", SetSlots)]


@pytest.mark.parametrize("changed", [True, False])
@pytest.mark.parametrize(("verb", "kind"), ORDERS)
def test_an_order_to_an_account_is_answered_when_the_account_says_that_it_is_stored(
    verb: str, kind: type[Suspend | Reinstate | SetSlots], changed: bool
) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", verb, "fox", slots=4)
        order = await stage.one("account/fox", kind)
        assert await stage.heard("gate", Say) == []
        stage.tell("console", Obeyed(order.ask or "", changed), Obeyed(order.ask or "", changed))
        assert await answer(stage) == (200, {"ok": True, "changed": changed})

    play(scene)


@pytest.mark.parametrize(
    ("verb", "cause", "words"), [("suspend", Cause.OPERATOR, "suspended"), ("drain", Cause.DRAIN, "drained")]
)
def test_the_reason_says_what_was_done_and_names_who_did_it(verb: str, cause: Cause, words: str) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        ask(stage, "accounts", verb, "fox", reason="maintenance")
        order = await stage.one("account/fox", Suspend)
        assert (order.cause, order.reason) == (cause, f"{words} by op: maintenance")

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


@pytest.mark.parametrize("slots", [0, -1, 1.5, "three", True, None, ("3",), 10_001, "1e400"])
def test_slots_are_a_whole_number_from_one(slots: Any) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        status, body = await instruct(stage, "accounts", "slots", "fox", slots=slots)
        assert (status, body["code"]) == (400, "bad_frame")
        assert await stage.heard("account/fox", SetSlots) == []

    play(scene)


# --- coming and going -------------------------------------------------------------------------------------------


def test_an_added_account_is_stored_sealed_begins_at_once_and_its_token_shows_nowhere() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        with_key(stage)
        stage.cast("accounts")
        status, body = await instruct(stage, "accounts", "add", **OWL, slots=5, modes=("turbo",))
        assert (status, body) == (201, {"ok": True, "changed": True, "account": "owl"})
        await stage.one("accounts", AccountsChanged)
        owl = stage.base.process.accounts[-1]
        assert (owl.name, owl.token.reveal(), owl.slots, owl.modes) == ("owl", OWL["token"], 5, ("turbo",))
        (kept,) = (await stored(stage)).accounts
        assert OWL["token"].encode() not in kept.token
        assert OWL["token"] not in f"{kept} {owl} {stage.base.process.config}"
        take_in(stage.base.process, (kept,))  # as a restart does
        assert stage.base.process.added == (owl,)
        assert stage.base.process.withheld == {}

    play(scene)


@pytest.mark.parametrize(
    ("given", "status", "code", "words"),
    [
        ({"name": "fox"}, 409, "ref_conflict", "already"),
        ({"name": "a/b"}, 400, "bad_frame", "name: "),
        ({"name": None}, 400, "bad_frame", "name: is missing"),
        ({"token": None}, 400, "bad_frame", "token: is missing"),
        ({"token": "no\nline"}, 400, "bad_frame", "token: "),
        ({"channel_id": ""}, 400, "bad_frame", "channel_id: is missing"),
        ({"slots": 0}, 400, "bad_frame", "slots: "),
        ({"slots": "3"}, 400, "bad_frame", "slots: "),
        ({"modes": "fast,slow"}, 400, "bad_frame", "modes"),
        ({"weight": 0}, 400, "bad_frame", "weight: "),
        ({"kind": "person"}, 400, "bad_frame", "kind: "),
        ({"driver": "crayon"}, 400, "bad_frame", "driver: "),
        ({"tokn": "owls-own-secret"}, 400, "bad_frame", "tokn: unknown key"),
        ({"kind": "user"}, 403, "forbidden", "accept_terms_risk"),
    ],
)
def test_an_account_that_cannot_be_added_is_refused_by_what_is_wrong_and_never_by_its_token(
    given: dict[str, Any], status: int, code: str, words: str
) -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        with_key(stage)
        answered, body = await instruct(stage, "accounts", "add", **(OWL | given))
        assert (answered, body["code"]) == (status, code)
        assert words in body["detail"]
        assert OWL["token"] not in str(body)
        assert (await stored(stage)).accounts == ()

    play(scene)


def test_without_a_key_to_seal_with_none_is_added_and_the_key_to_set_is_named() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        status, body = await instruct(stage, "accounts", "add", **OWL)
        assert (status, body["code"]) == (403, "forbidden")
        assert "[store] token_key" in body["detail"]

    play(scene)


def test_the_same_name_twice_is_refused_also_when_the_first_is_on_its_way() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        with_key(stage)
        stage.cast("accounts")
        ask(stage, "accounts", "add", **OWL)
        ask(stage, "accounts", "add", **OWL)
        said = await stage.heard("gate", Say)
        assert sorted(each.words.status for each in said) == [201, 409]

    play(scene)


def test_an_account_of_the_config_is_not_removed_and_what_to_do_is_said() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        stage.cast("account/fox")
        status, body = await instruct(stage, "accounts", "remove", "fox")
        assert (status, body["code"]) == (403, "forbidden")
        assert "config file" in body["detail"]
        stage.tell("console", Vacant("fox"))  # one that was removed while it was added, and is in the config now
        await stage.quiet()
        assert [account.name for account in stage.base.process.accounts] == ["fox"]

    play(scene)


def test_an_added_account_is_gone_for_good_when_it_says_that_it_holds_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        with_key(stage)
        for name in ("accounts", "account/owl"):
            stage.cast(name)
        await instruct(stage, "accounts", "add", **OWL)
        ask(stage, "accounts", "remove", "owl")
        order = await stage.one("account/owl", Suspend)
        assert (order.cause, order.reason) == (Cause.LEAVING, "being removed by op")
        stage.tell("console", Obeyed(order.ask or "", True))
        assert await answer(stage) == (200, {"ok": True, "changed": True})
        await stage.heard("accounts", AccountsChanged)
        stage.tell("console", Vacant("owl"), Vacant("owl"))
        await stage.one("accounts", AccountsChanged)
        assert stage.base.process.added == ()
        assert (await stored(stage)).accounts == ()
        assert (await instruct(stage, "accounts", "remove", "owl"))[0] == 404
        assert (await instruct(stage, "accounts", "add", **OWL))[0] == 201

    play(scene)


# --- after a restart --------------------------------------------------------------------------------------------


async def added_before(stage: Stage) -> AddedAccounts:
    await set_up(stage)
    with_key(stage)
    stage.cast("accounts")
    await instruct(stage, "accounts", "add", **OWL)
    await stage.heard("accounts", AccountsChanged)
    return await stored(stage)


def test_what_a_console_stored_and_did_not_come_to_tell_the_next_one_tells() -> None:
    async def scene(stage: Stage) -> None:
        await added_before(stage)
        stage.base.process.added = ()
        stage.base.tell("console", Vacant("nobody"))
        stage.cast("second", Console)
        await stage.one("accounts", AccountsChanged)
        assert [account.name for account in stage.base.process.accounts] == ["fox", "owl"]

    play(scene)


def test_a_token_that_cannot_be_opened_withholds_its_account_and_no_other() -> None:
    async def scene(stage: Stage) -> None:
        kept = await added_before(stage)
        process = stage.base.process
        for key, why in (("B" * 43, WRONG_KEY), (None, NO_KEY)):
            process.config = structs.replace(process.config, store=Store(token_key=key and Secret(key)))
            take_in(process, kept.accounts)
            assert process.withheld == {"owl": why}
            assert [account.name for account in process.accounts] == ["fox", "owl"]
            assert process.added[0].token == ""

    play(scene)


def test_a_persons_account_that_was_taken_on_is_withheld_when_that_is_taken_back() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        with_key(stage)
        process = stage.base.process
        process.config = structs.replace(process.config, discord=Discord(accept_terms_risk=True))
        assert (await instruct(stage, "accounts", "add", **OWL, kind="user"))[0] == 201
        process.config = structs.replace(process.config, discord=Discord())
        take_in(process, (await stored(stage)).accounts)
        assert "accept_terms_risk" in process.withheld["owl"]

    play(scene)


def test_where_a_name_is_in_the_config_too_the_config_counts() -> None:
    async def scene(stage: Stage) -> None:
        await added_before(stage)
        process = stage.base.process
        mine = AccountConfig("owl", Secret("of the config"), "1", "2")
        process.config = structs.replace(process.config, accounts=(*process.config.accounts, mine))
        assert [account.token.reveal() for account in process.accounts] == ["t", "of the config"]
        assert process.accounts is process.accounts
        assert (await instruct(stage, "accounts", "remove", "owl"))[0] == 403

    play(scene)
