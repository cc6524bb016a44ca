"""Interactions with other bots: the three seconds, the token's life, and who may answer what (rules 22, 23)."""

from __future__ import annotations

from typing import Any

import pytest

from sim import desk
from tests.sim.shop import Shop, served


def test_an_interaction_is_answered_once() -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        assert await shop.answer(asked, 4, {"content": "pong"}) == (204, None)
        status, body = await shop.answer(asked, 4, {"content": "pong"})
        assert (status, body["code"]) == (400, 40060)
        assert [row["outcome"] for row in (await shop.world.sim("ledger"))["rows"]] == ["done"]

    served(scenario)


def test_an_interaction_that_nobody_answers_is_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk, "ANSWER_S", 0.05)

    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        failure = await shop.user.event("INTERACTION_FAILURE", id=asked["id"])
        assert failure["nonce"] == str(shop.user.nonce)
        status, body = await shop.answer(asked, 4, {"content": "late"})
        assert (status, body["code"]) == (404, 10062)
        row = (await shop.world.sim("ledger"))["rows"][0]
        assert (row["kind"], row["outcome"]) == ("command", "failed")

    served(scenario)


def test_a_token_lives_a_quarter_of_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        await shop.answer(asked, 5)
        path = f"/webhooks/{shop.id}/{asked['token']}"
        status, message = await shop.bot.call("PATCH", f"{path}/messages/@original", {"content": "done"})
        assert (status, message["content"], message["flags"]) == (200, "done", 0)
        monkeypatch.setattr(desk, "TOKEN_S", 0.0)
        for method, place in (("PATCH", "/messages/@original"), ("POST", "")):
            status, body = await shop.bot.call(method, path + place, {"content": "late"})
            assert (status, body["code"]) == (401, 50027)

    served(scenario)


def test_a_token_asks_for_no_authorization_and_no_other_does() -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        path = f"/interactions/{asked['id']}/{asked['token']}/callback"
        async with shop.world.http.post(shop.world.where["api"] + path, json={"type": 5}) as answer:
            assert answer.status == 204
        for wrong, code in (
            (f"/interactions/1/{asked['token']}/callback", 10062),
            ("/interactions/1/made-up/callback", 10062),
            (f"/webhooks/{shop.id}/made-up", 50027),
            ("/webhooks/1/made-up", 10015),
        ):
            async with shop.world.http.post(shop.world.where["api"] + wrong, json={"type": 5}) as answer:
                assert (await answer.json())["code"] == code

    served(scenario)


def test_the_first_follow_up_after_a_deferral_takes_its_place_and_stays_hidden() -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        await shop.answer(asked, 5, {"flags": 64})
        promise = await shop.user.event("MESSAGE_CREATE", nonce=str(shop.user.nonce))
        assert promise["flags"] == 64 | 128
        _, message = await shop.bot.call("POST", f"/webhooks/{shop.id}/{asked['token']}", {"content": "here"})
        assert (message["id"], message["flags"]) == (promise["id"], 64)
        assert (await shop.user.event("MESSAGE_UPDATE", id=promise["id"]))["content"] == "here"
        status, _ = await shop.bot.call("GET", f"/channels/{promise['channel_id']}/messages/{promise['id']}")
        assert status == 404

    served(scenario)


def test_an_answer_and_its_follow_ups_can_be_taken_away() -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        await shop.answer(asked, 4, {"content": "pong"})
        path = f"/webhooks/{shop.id}/{asked['token']}"
        _, more = await shop.bot.call("POST", path, {"content": "more"})
        for place in (more["id"], "@original"):
            assert await shop.bot.call("DELETE", f"{path}/messages/{place}") == (204, None)
            status, body = await shop.bot.call("GET", f"{path}/messages/{place}")
            assert (status, body["code"]) == (404, 10008)

    served(scenario)


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("take", [], "APPLICATION_COMMAND_OPTIONS_REQUIRED_MISSING"),
        ("take", [{"type": 4, "name": "count", "value": "1"}], "APPLICATION_COMMAND_OPTIONS_VALUE_INVALID"),
        ("take", [{"type": 4, "name": "other", "value": 1}], "APPLICATION_COMMAND_OPTIONS_VALUE_INVALID"),
        (
            "take",
            [{"type": 4, "name": "count", "value": 1}, {"type": 3, "name": "kind", "value": "b"}],
            "APPLICATION_COMMAND_OPTIONS_VALUE_INVALID",
        ),
    ],
)
def test_options_are_held_to_the_registration(name: str, options: list[dict[str, Any]], code: str) -> None:
    async def scenario(shop: Shop) -> None:
        status, body = await shop.ask(name, *options)
        assert (status, body["code"]) == (400, 50035)
        assert body["errors"]["data"]["options"]["_errors"][0]["code"] == code

    served(scenario)


@pytest.mark.parametrize("kind", [1, 6, 7, 8, 99, "4"])
def test_a_callback_that_does_not_fit_is_refused_and_leaves_the_interaction_open(kind: Any) -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        status, body = await shop.answer(asked, kind)
        assert (status, body["code"]) == (400, 50035)
        assert (await shop.answer(asked, 4, {"content": "pong"}))[0] == 204

    served(scenario)


def test_what_an_option_still_lacks_is_proposed() -> None:
    async def scenario(shop: Shop) -> None:
        command = shop.commands[1]
        typed = {"type": 3, "name": "kind", "value": "a", "focused": True}
        data = {key: command[key] for key in ("id", "name", "version")} | {"options": [typed]}
        place = {"application_id": shop.id, "channel_id": shop.world.where["channel_id"]}
        await shop.user.interact({"type": 4, "data": data} | place)
        asked = await shop.bot.event("INTERACTION_CREATE")
        assert asked["data"]["options"][0]["focused"] is True
        assert (await shop.answer(asked, 8, {"choices": [{"name": "A", "value": "a"}]}))[0] == 204
        proposed = await shop.user.event("APPLICATION_COMMAND_AUTOCOMPLETE_RESPONSE", nonce=str(shop.user.nonce))
        assert proposed["choices"] == [{"name": "A", "value": "a"}]

    served(scenario)


def test_a_form_is_opened_and_sent_once() -> None:
    async def scenario(shop: Shop) -> None:
        asked = await shop.use("ping")
        line = {"type": 1, "components": [{"type": 4, "style": 1, "custom_id": "name", "label": "Name"}]}
        form = {"title": "Form", "custom_id": "f", "components": [line]}
        assert await shop.answer(asked, 9, form) == (204, None)
        opened = await shop.user.event("INTERACTION_MODAL_CREATE", id=asked["id"])
        typed = {"type": 1, "components": [{"type": 4, "custom_id": "name", "value": "Wren"}]}
        data = {"id": opened["id"], "custom_id": opened["custom_id"], "components": [typed]}
        body = {"type": 5, "application_id": shop.id, "channel_id": opened["channel_id"], "data": data}
        assert (await shop.user.interact(body))[0] == 204
        sent = await shop.bot.event("INTERACTION_CREATE", type=5)
        assert sent["data"]["components"][0]["components"][0]["value"] == "Wren"
        assert (await shop.answer(sent, 4, {"content": "Hello Wren"}))[0] == 204
        status, answer, _ = await shop.user.interact(body)
        assert (status, answer["code"]) == (400, 50035)

    served(scenario)
