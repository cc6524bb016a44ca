"""What `limner admin` changes: each asks first, says what came of it, and ends with an exit code for scripts."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from tests.console.admin.conftest import Admin, Fake, Terminal
from tests.console.admin.samples import CHANGED

UNCHANGED = {"ok": True, "changed": False}
NEW_KEY = {"user": "ana", "plan": "free", "role": "viewer", "key": "limner_k1.secret"}

#: A command, where it goes, and with what.
CHANGES: dict[str, tuple[str, dict[str, Any]]] = {
    "account suspend fox-07 --reason holiday": ("accounts/fox-07/suspend", {"reason": "holiday"}),
    "account resume fox-07": ("accounts/fox-07/resume", {}),
    "account drain fox-07": ("accounts/fox-07/drain", {}),
    "account remove fox-07": ("accounts/fox-07/remove", {}),
    "account slots fox-07 2": ("accounts/fox-07/slots", {"slots": 2}),
    "queue pause": ("queue/pause", {}),
    "queue resume": ("queue/resume", {}),
    "job cancel J1": ("jobs/J1/cancel", {}),
    "job retry J1": ("jobs/J1/retry", {}),
    "user add ana --plan free": ("users", {"name": "ana", "plan": "free"}),
    "user ban ana --reason spam": ("users/ana/ban", {"reason": "spam"}),
    "user unban ana": ("users/ana/unban", {}),
    "user quota ana --used 3 --plan gold": ("users/ana/quota", {"used": 3, "plan": "gold"}),
    "key new ana --role viewer": ("keys/ana/new", {"role": "viewer"}),
    "key revoke k1": ("keys/k1/revoke", {}),
    "actor restart account/fox-07": ("actors/account/fox-07/restart", {}),
    "actor suspend account/fox-07": ("actors/account/fox-07/suspend", {}),
    "actor resume account/fox-07": ("actors/account/fox-07/resume", {}),
    "loglevel account/fox-07 debug --seconds 60": ("actors/account/fox-07/loglevel", {"level": "debug", "seconds": 60}),
    "node drain vm": ("nodes/vm/drain", {}),
    "node resume vm": ("nodes/vm/resume", {}),
    "config reload": ("config/reload", {}),
    "backup /srv/limner.db": ("backup", {"file": "/srv/limner.db"}),
}


@pytest.mark.parametrize("command", CHANGES)
def test_each_change_is_asked_for_once_it_shall_be(command: str, fake: Fake, admin: Admin) -> None:
    path, arguments = CHANGES[command]
    fake.answers = {f"POST {path}": CHANGED}
    for given in ((*command.split(), "--yes"), ("--yes", *command.split())):
        assert admin(*given) == (0, "done\n", "")
    assert fake.asked == [("POST", path, arguments)] * 2


@pytest.mark.parametrize("command", CHANGES)
def test_with_nobody_to_be_asked_nothing_is_changed(command: str, fake: Fake, admin: Admin) -> None:
    code, out, err = admin(*command.split())
    assert (code, out) == (2, "")
    assert "give --yes" in err
    assert fake.asked == []


@pytest.mark.parametrize("command", CHANGES)
def test_no_to_the_question_is_exit_3_and_changes_nothing(command: str, fake: Fake, admin: Admin) -> None:
    code, _, err = admin(*command.split(), stdin=Terminal("n\n"))
    assert code == 3
    assert err.endswith("limner: nothing was changed\n")
    assert "[y/N]" in err
    assert fake.asked == []


def test_ctrl_c_and_the_end_of_the_input_are_no_answer(fake: Fake, admin: Admin) -> None:
    code, _, err = admin("queue", "pause", stdin=Terminal(""))
    assert (code, fake.asked) == (130, [])
    assert err.splitlines()[-1] == "limner: interrupted"


def test_yes_to_the_question_changes_it(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST queue/pause": CHANGED}
    code, out, _ = admin("queue", "pause", stdin=Terminal("y\n"))
    assert (code, out.strip()) == (0, "done")


def test_what_is_so_already_is_no_failure(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST queue/pause": UNCHANGED}
    assert admin("queue", "pause", "--yes") == (0, "nothing to do: it is so already\n", "")
    code, out, _ = admin("queue", "pause", "--yes", "-o", "json")
    assert (code, json.loads(out)) == (0, UNCHANGED)


@pytest.mark.parametrize(
    ("status", "code", "ending"),
    [
        *((400, "bad_frame", 2), (401, "unauthenticated", 3), (403, "forbidden", 3), (404, "not_found", 3)),
        *((409, "ref_conflict", 3), (503, "draining", 3), (500, "internal", 1)),
    ],
)
def test_a_refusal_is_an_exit_code_and_one_line(status: int, code: str, ending: int, fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST queue/pause": (status, {"code": code, "detail": "Not\nnow."})}
    assert admin("queue", "pause", "--yes") == (ending, "", f"limner: {code}: Not now.\n")


def test_a_refusal_holds_nothing_that_a_terminal_obeys(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST queue/pause": (404, {"code": "not_found", "detail": "There is no \x1b]0;x\x07 \x9b2J."})}
    assert admin("queue", "pause", "--yes") == (3, "", "limner: not_found: There is no ?]0;x? ?2J.\n")


def test_what_more_a_change_answers_stands_below_what_came_of_it(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST users/ana/ban": CHANGED | {"cancelled": 3}}
    assert admin("user", "ban", "ana", "--yes") == (0, "done\ncancelled  3\n", "")
    fake.answers = {"POST users/ana/ban": UNCHANGED | {"cancelled": 0}}
    assert admin("user", "ban", "ana", "--yes") == (0, "nothing changed by this\ncancelled  0\n", "")


def test_what_did_not_happen_is_a_failure(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST queue/pause": {"ok": False}}
    assert admin("queue", "pause", "--yes")[0] == 1


def test_a_new_key_is_shown_once_it_is_made(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST keys/ana/new": (201, NEW_KEY)}
    _, out, _ = admin("key", "new", "ana", "--role", "viewer", "--yes")
    assert out.splitlines()[-1] == "key   limner_k1.secret"


def test_a_quota_that_says_nothing_is_a_mistake(fake: Fake, admin: Admin) -> None:
    code, _, err = admin("user", "quota", "ana", "--yes")
    assert code == 2
    assert "--used N, --plan PLAN" in err
    assert fake.asked == []


def test_a_negative_number_of_slots_is_for_the_daemon_to_refuse_and_write_down(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST accounts/fox-07/slots": (400, {"code": "bad_frame", "detail": "slots is 1 to 10000."})}
    assert admin("account", "slots", "fox-07", "-1", "--yes") == (2, "", "limner: bad_frame: slots is 1 to 10000.\n")
    assert fake.asked == [("POST", "accounts/fox-07/slots", {"slots": -1})]


def test_an_accounts_token_is_a_line_of_stdin(fake: Fake, admin: Admin) -> None:
    fake.answers = {"POST accounts": (201, CHANGED)}
    arguments = ("account", "add", "fox-08", "--guild-id", "1", "--channel-id", "2", "--modes", "fast", "--yes")
    assert admin(*arguments, stdin=io.StringIO("the-token\n")) == (0, "done\n", "")
    asked = {"name": "fox-08", "token": "the-token", "kind": "bot", "guild_id": "1", "channel_id": "2", "modes": "fast"}
    assert fake.asked == [("POST", "accounts", asked)]


def test_an_accounts_token_is_typed_without_being_seen(
    fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    hidden: list[str] = []

    def prompt(words: str, **options: Any) -> str:
        assert options["hide_input"]
        hidden.append(words)
        return "the-token"

    monkeypatch.setattr("typer.prompt", prompt)
    fake.answers = {"POST accounts": (201, CHANGED)}
    code, out, err = admin("account", "add", "fox-08", stdin=Terminal("y\n"))
    assert (code, len(hidden)) == (0, 1)
    assert "the-token" not in out + err


@pytest.mark.parametrize("given", ["", "\n", "   \n"])
def test_an_account_without_a_token_is_a_mistake(given: str, fake: Fake, admin: Admin) -> None:
    code, _, err = admin("account", "add", "fox-08", "--yes", stdin=io.StringIO(given))
    assert (code, fake.asked) == (2, [])
    assert "there is no token" in err


def test_a_token_cannot_be_an_argument(fake: Fake, admin: Admin) -> None:
    code, _, _ = admin("account", "add", "fox-08", "--token", "the-token", "--yes")
    assert (code, fake.asked) == (2, [])
