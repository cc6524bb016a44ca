"""The audit trail: every change and refusal is on it with who, what and what came of it, and no secret ever."""

from __future__ import annotations

from typing import Any

from actors.console.messages import AskConsole, Stranger
from actors.console.trail import REFUSALS_PER_MIN
from protocol.api import Instruct
from tests.actors.console.test_actor import answer, instruct, set_up
from tests.actors.stage import Stage, play


async def trail(stage: Stage) -> list[dict[str, Any]]:
    status, told = await instruct(stage, "audit", "list")
    assert status == 200
    return told["audit"]


def test_changes_and_refusals_are_written_down_and_reads_are_not() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await instruct(stage, "users", "add", name="ana")
        await instruct(stage, "users", "ban", "nobody", reason="spam")
        await instruct(stage, "users", "list")
        await instruct(stage, "users", "show", "nobody")
        told = [(row["by"], row["noun"], row["of"], row["verb"], row["outcome"]) for row in await trail(stage)]
        assert told == [("op", "users", "nobody", "ban", "not_found"), ("op", "users", "ana", "add", "changed")]
        assert (await trail(stage))[0]["detail"].startswith("reason=spam: There is no user nobody")

    play(scene)


def test_what_is_not_known_to_hold_no_secret_is_not_written_down() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await instruct(stage, "accounts", "add", name="hen", token="sesame", tokn="sesame", key="sesame")
        rows = await trail(stage)
        assert len(rows) == 1
        assert rows[0]["detail"].startswith("name=hen")
        assert "sesame" not in str(rows)

    play(scene)


def test_who_may_not_change_is_refused_and_written_down_at_an_even_pace() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for _ in range(REFUSALS_PER_MIN + 20):
            stage.tell("console", AskConsole("eve", "viewer", "s1", Instruct("queue", None, "pause", {})))
            status, refused = await answer(stage)
            assert (status, refused["code"]) == (403, "forbidden")
        rows = await trail(stage)
        assert REFUSALS_PER_MIN <= len(rows) <= REFUSALS_PER_MIN + 6  # some time passes meanwhile
        assert {(row["by"], row["role"], row["outcome"]) for row in rows} == {("eve", "viewer", "forbidden")}

    play(scene)


def test_control_characters_of_a_name_reach_no_terminal() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        await instruct(stage, "jobs", "cancel\x1b[31m", "x\x07y")
        (row,) = await trail(stage)
        assert (row["verb"], row["of"]) == ("cancel?[31m", "x?y")
        assert row["detail"].isprintable()

    play(scene)


def test_of_keys_their_ids_are_written_down_also_where_somebody_says_the_key_itself() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        _, first = await instruct(stage, "users", "add", name="ana")
        _, second = await instruct(stage, "keys", "new", "ana", role="viewer")
        await instruct(stage, "keys", "revoke", second["key"])
        await instruct(stage, "users", "ban", first["key"], reason=f"{first['key']} is everywhere")
        ids = [made["key"].removeprefix("limner_").partition(".")[0] for made in (first, second)]
        banned, revoked, made, added = await trail(stage)
        assert f"has the key {ids[0]}" in added["detail"]
        assert (made["of"], revoked["of"], banned["of"]) == ("ana", ids[1], ids[0])
        assert f"has the key {ids[1]}" in made["detail"]
        assert f"has the key {ids[1]} no more" in revoked["detail"]
        assert f"reason={ids[0]} is everywhere" in banned["detail"]
        secrets = [made["key"].partition(".")[2] for made in (first, second)]
        assert [secret for secret in secrets if secret in str(await trail(stage))] == []

    play(scene)


def test_an_empty_name_is_refused_and_lists_nothing() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        for verb, id in (("show", ""), ("suspend", " ")):
            status, refused = await instruct(stage, "accounts", verb, id)
            assert (status, refused["code"]) == (400, "bad_frame")
            assert "empty" in refused["detail"]
        assert [row["verb"] for row in await trail(stage)] == ["suspend"]

    play(scene)


def test_of_who_was_refused_before_the_console_it_is_told_from_where_they_came() -> None:
    async def scene(stage: Stage) -> None:
        await set_up(stage)
        log_in = Instruct("login", None, "add", {})
        stage.tell("console", Stranger(log_in, "192.0.2.7"), Stranger(log_in, "192.0.2.8", "ana", "user"))
        known, unknown = await trail(stage)
        assert (unknown["by"], unknown["outcome"], unknown["detail"]) == ("", "unauthenticated", "from 192.0.2.7")
        assert (known["by"], known["outcome"], known["detail"]) == ("ana", "forbidden", "from 192.0.2.8")

    play(scene)
