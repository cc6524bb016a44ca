"""What is followed is shown a line each, once, also over a lost connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from console.admin import completion
from console.endings import NO_CONNECTION, Quit
from tests.console.admin.conftest import KEY, Admin, Fake
from tests.console.admin.samples import AT, CHANGED, EVENT, JOB, READS, TIMELINE


def event(id: int, **more: Any) -> dict[str, Any]:
    return EVENT | {"id": id, "event": f"event {id}"} | more


def paged(fake: Fake, monkeypatch: pytest.MonkeyPatch, pages: list[Any]) -> None:
    """Answers to one question after another; then Ctrl-C. No time passes."""
    left = iter(pages)

    def call(daemon: Any, method: str, path: str, body: Any = None, wait_s: float = 1) -> Any:
        fake.asked.append((method, path, body))
        if method == "POST":
            return CHANGED
        page = next(left, None)
        if page is None:
            raise KeyboardInterrupt
        if isinstance(page, Exception):
            raise page
        return page

    monkeypatch.setattr("console.reach.call", call)
    monkeypatch.setattr("time.sleep", lambda seconds: None)


LOST = Quit(NO_CONNECTION, "no connection to the test")


def test_events_are_followed_from_the_last_one_seen(fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = [{"events": [event(1), event(2)], "next": 2}, {"events": [], "next": 2}, {"events": [event(5)], "next": 5}]
    paged(fake, monkeypatch, pages)
    code, out, err = admin("events", "-f", "--level", "warning", "--limit", "2")
    assert (code, err) == (130, "")
    assert [line.split("  ")[-2].strip() for line in out.splitlines()] == ["event 1", "event 2", "event 5"]
    assert [path.partition("?")[2] for _, path, _ in fake.asked] == [
        "limit=2&level=warning",
        *["after=2&limit=1000&level=warning"] * 2,
        "after=5&limit=1000&level=warning",
    ]


def test_a_lost_connection_is_noted_once_and_the_events_go_on(
    fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [{"events": [event(1)], "next": 1}, LOST, LOST, LOST, {"events": [event(2)], "next": 2}]
    paged(fake, monkeypatch, pages)
    _, out, err = admin("events", "--follow", "-o", "json")
    assert [json.loads(line)["id"] for line in out.splitlines()] == [1, 2]
    assert err.splitlines() == [
        "(no connection to the test; trying again)",
        "(the connection is back)",
    ]


def test_who_was_never_connected_is_told_so(fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    paged(fake, monkeypatch, [LOST])
    assert admin("events", "-f") == (4, "", "limner: no connection to the test\n")


@pytest.mark.parametrize("page", [None, {"events": 7, "next": 1}, {"events": []}])
def test_events_that_nobody_understands_end_it(
    page: Any, fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged(fake, monkeypatch, [page or []])
    code, _, err = admin("events", "-f")
    assert code == 1
    assert "not one that this limner knows" in err


def test_an_event_is_a_line_with_its_fields_and_nothing_that_a_terminal_obeys(fake: Fake, admin: Admin) -> None:
    fake.answers = {"GET events": {"events": [event(1, fields={"why": "\x1b[2Jgone\nagain"})], "next": 1}}
    _, out, _ = admin("events")
    assert out == f"{AT[11:23]}  warning  queue               event 1  why=?[2Jgone again\n"


def test_of_an_event_people_read_what_they_learn_something_by(fake: Fake, admin: Admin) -> None:
    fields = {"account": "fox-07", "why": None, "logger": "actors.account", "trace": "57ef", "job": "J1"}
    fake.answers = {"GET events": {"events": [event(1, actor="account/fox-07", fields=fields)], "next": 1}}
    assert admin("events")[1].endswith("account/fox-07      event 1  job=J1\n")
    assert json.loads(admin("events", "-o", "json")[1])["events"][0]["fields"] == fields


def test_a_jobs_path_is_followed_until_it_ends_each_step_once(
    fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    going = JOB | {"status": "drawing", "timeline": TIMELINE[:1]}
    paged(fake, monkeypatch, [going, LOST, going, JOB])
    code, out, err = admin("job", "trace", "-f", "J1", "--seconds", "60")
    assert code == 0
    assert [line.split("  ")[1] for line in out.splitlines()] == ["queued", "Token"]
    assert out.splitlines()[1].split()[-3:] == ["session/u1", "from", "lobby"]
    assert err == "(no connection to the test; trying again)\n"
    assert fake.asked[0] == ("POST", "/admin/v1/jobs/J1/trace", {"seconds": 60.0})


def test_without_following_a_jobs_path_is_shown_as_it_is(
    fake: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    paged(fake, monkeypatch, [JOB | {"status": "drawing"}])
    code, out, _ = admin("job", "trace", "J1")
    assert (code, len(out.splitlines())) == (0, 2)


def completed(words: str) -> list[str]:
    """What bash is told to put behind the words."""
    environment = os.environ | {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    environment |= {"_LIMNER_COMPLETE": "complete_bash"}
    program = (sys.executable, "-c", "import runtime; runtime.main()")
    found = subprocess.run(program, env=environment, capture_output=True, text=True, timeout=30, check=False)
    assert found.stderr == ""
    return found.stdout.split()


def test_accounts_are_completed_by_their_names(fake: Fake) -> None:
    fake.answers = {"GET accounts": {"accounts": [{"name": "fox-07"}, {"name": "fox-08"}, {"name": "heron-02"}]}}
    words = f"limner admin --url {fake.url} --key {KEY} account suspend fo"
    assert completed(words) == ["fox-07", "fox-08"]
    assert completed(words.replace(fake.url, "http://127.0.0.1:9")) == []


@pytest.mark.parametrize(
    ("complete", "incomplete", "names"),
    [
        (completion.actor_names, "account/", ["account/fox-07"]),
        (completion.user_names, "", ["ana"]),
        (completion.node_names, "v", ["vm"]),
        (completion.job_ids, "J", ["J1", "J2"]),
        (completion.job_ids, "X", []),
    ],
)
def test_what_there_is_is_completed(complete: Any, incomplete: str, names: list[str], fake: Fake) -> None:
    fake.answers = {f"GET {name}": answer for name, answer in READS.items()}
    fake.answers["GET jobs"] = {"jobs": [JOB, JOB | {"job": "J2"}, JOB | {"job": None}], "next": None}
    context = SimpleNamespace(params={"url": fake.url, "key": KEY}, parent=None)
    assert complete(context, incomplete) == names


def test_describe_completes_what_is_of_its_kind(fake: Fake) -> None:
    fake.answers = {f"GET {name}": answer for name, answer in READS.items()}
    for kind, names in (("user", ["ana"]), ("node", ["vm"]), ("planet", [])):
        context: Any = SimpleNamespace(params={"kind": kind}, parent=None)
        context.parent = SimpleNamespace(params={"url": fake.url, "key": KEY}, parent=None)
        assert completion.ids_of_its_kind(context, "") == names
    assert completion.job_states("d") == ["drawing", "done"]
