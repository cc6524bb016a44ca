"""What `limner admin` shows of a daemon: tables that fit, JSON as it came, again and again, never a traceback."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from typing import Any
from urllib.parse import parse_qs

import pytest

from console import show
from console.admin import asked as asking
from console.show import as_table, cell, width_of
from tests.console.admin import samples
from tests.console.admin.conftest import KEY, Admin, Fake, Terminal

COMMANDS = {
    **{name: (name,) for name in samples.READS},
    "config show": ("config", "show"),
    "top": ("top", "--sort", "busy", "-n", "2"),
}


@pytest.fixture
def daemon(fake: Fake) -> Fake:
    fake.answers = {f"GET {name}": answer for name, answer in samples.READS.items()}
    fake.answers |= {"GET jobs/J1": samples.JOB, "GET users/ana": samples.USER | {"keys": [], "sockets": 0}}
    fake.answers |= {"GET actors/account/fox-07": samples.FOX | {"state": {"holding": ["J1"], "steps": {}}}}
    fake.answers |= {"GET accounts/fox-07": samples.an_account("fox-07", holding=["J1"])}
    fake.answers |= {"GET nodes/vm": samples.NODES["nodes"][0]}
    return fake


class Screen(Terminal):
    """Standard output that is a terminal."""


def on_terminal(monkeypatch: pytest.MonkeyPatch, columns: int, lines: int = 50) -> Screen:
    screen = Screen()
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setenv("LINES", str(lines))
    monkeypatch.setattr("sys.stdout", screen)
    return screen


def unstyled(text: str) -> str:
    for style in (show.BOLD, show.DIM, show.RED, show.YELLOW, show.PLAIN):
        text = text.replace(style, "")
    return text


@pytest.mark.parametrize("command", COMMANDS)
def test_every_table_fits_the_terminal(
    command: str, daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    for columns in (80, 120, 200):
        screen = on_terminal(monkeypatch, columns)
        assert admin(*COMMANDS[command])[0] == 0
        lines = unstyled(screen.getvalue()).splitlines()
        assert lines
        assert command == "events" or max(map(len, lines)) <= columns


@pytest.mark.parametrize("command", COMMANDS)
def test_as_json_it_is_printed_as_it_came_before_and_after_the_verb(command: str, daemon: Fake, admin: Admin) -> None:
    expected = samples.READS[{"top": "tree"}.get(command, command.split()[0])]
    for arguments in ((*COMMANDS[command], "-o", "json"), ("-o", "json", *COMMANDS[command])):
        code, out, err = admin(*arguments)
        assert (code, json.loads(out), err) == (0, expected, "")
        assert out.count("\n") == 1


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("strange", [{}, [], None, "words", {"actors": 7, "users": None, "alarms": [1]}])
def test_an_answer_that_nobody_understands_is_said_to_be_so(
    command: str, strange: Any, fake: Fake, admin: Admin
) -> None:
    fake.answers = {f"GET {name}": strange for name in samples.READS}
    code, _, err = admin(*COMMANDS[command])
    # What is shown by its own names is shown whatever they are.
    shown = isinstance(strange, dict) and (command.startswith("config") or not strange)
    assert (code, err) == ((0, "") if shown and code == 0 else (1, f"limner: {asking.STRANGE}\n"))


def test_what_is_no_json_is_no_limner(fake: Fake, admin: Admin) -> None:
    fake.answers = {"GET status": b"<html>It works!</html>"}
    code, _, err = admin("status")
    assert code == 1
    assert "is no limner; check --url" in err


def test_the_tree_shows_children_below_their_parents_and_how_often_each_was_started_again(
    daemon: Fake, admin: Admin
) -> None:
    _, out, _ = admin("tree")
    head, *rows = out.splitlines()
    assert head.split()[:2] == ["actor", "mailbox"]
    assert [row.split()[0] for row in rows] == ["root", "accounts", "account/fox-07", "gate"]
    assert rows[2].startswith("    account/fox-07")
    assert rows[2].split()[1:3] == ["3", "2"]
    assert "Killed: restarted by ada" in rows[2]
    assert head.index("restarts") + len("restarts") == rows[2].index("7", rows[2].index("20")) + 1


def test_the_tree_is_asked_for_as_it_is_wanted(daemon: Fake, admin: Admin) -> None:
    admin("tree", "--sort", "depth", "--filter", "fox", "--under", "accounts", "--limit", "5")
    admin("top")
    assert [path for _, path, _ in daemon.asked] == [
        "tree?sort=depth&filter=fox&under=accounts&limit=5",
        "tree?sort=rate&limit=20",
    ]


def test_alarms_stand_above_everything(daemon: Fake, admin: Admin) -> None:
    _, out, _ = admin("status")
    assert out.splitlines()[0] == "RED  account fox-07 paused: moderation notice"
    assert "4 drawings moved" in out.splitlines()[1]


def test_a_page_says_how_the_next_one_is_got(daemon: Fake, admin: Admin) -> None:
    _, out, _ = admin("jobs", "--user", "ana", "--state", "failed", "--limit", "2", "--before", "J3")
    assert out.splitlines()[-1] == "more: --before J1"
    assert daemon.asked[-1][1] == "jobs?user=ana&state=failed&limit=2&before=J3"


@pytest.mark.parametrize(
    ("kind", "id", "words"),
    [
        ("job", "J1", ("attempts", "nonce", "123", "timeline", "session/u1", "history")),
        ("user", "ana", ("created at", "ago)", "banned")),
        ("actor", "account/fox-07", ("last error", "state", "holding", "J1")),
        ("account", "fox-07", ("holding", "seconds")),
        ("node", "vm", ("core, edge",)),
    ],
)
def test_of_one_thing_all_is_told(kind: str, id: str, words: tuple[str, ...], daemon: Fake, admin: Admin) -> None:
    code, out, _ = admin("describe", kind, id)
    assert code == 0
    assert all(word in out for word in words), out


def test_of_an_attempt_its_outcome_is_told_also_where_there_is_no_room_for_all(
    daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = {"nonce": "1" * 19, "interaction_id": "2" * 19, "message_id": "3" * 19}
    attempt = {"attempt": 1, "account": "fox-01", **ids, "outcome": "done", "at": samples.AT}
    daemon.answers["GET jobs/J1"] = samples.JOB | {"attempts": [attempt], "prompt": "a fox " * 40}
    screen = on_terminal(monkeypatch, 80, 200)
    admin("describe", "job", "J1")
    lines = unstyled(screen.getvalue()).splitlines()
    titles = next(line.split() for line in lines if "outcome" in line)
    assert titles == ["attempt", "account", "nonce", "outcome", "at"]
    assert screen.getvalue().count("fox ") >= 39, "folded, not cut"
    assert max(map(len, lines)) <= 80


def test_what_is_not_there_is_exit_3_in_the_daemons_words(fake: Fake, admin: Admin) -> None:
    fake.answers = {"GET actors/nobody": (404, {"code": "not_found", "detail": "There is no actor nobody."})}
    assert admin("describe", "actor", "nobody") == (3, "", "limner: not_found: There is no actor nobody.\n")


def test_nobody_there_is_exit_4(fake: Fake, admin: Admin) -> None:
    fake.url = "http://127.0.0.1:9"
    code, out, err = admin("status")
    assert (code, out) == (4, "")
    assert err.startswith("limner: no connection to http://127.0.0.1:9")


# --- again and again


class Enough(Exception):
    """The test has seen enough."""


def watched(fake: Fake, monkeypatch: pytest.MonkeyPatch, times: int, before: Any = None) -> list[float]:
    """Time does not pass, and Ctrl-C comes after so many turns."""
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) >= times:
            raise KeyboardInterrupt
        if before is not None:
            before(len(slept))

    monkeypatch.setattr("time.sleep", sleep)
    return slept


def test_watched_it_is_shown_each_two_seconds_until_ctrl_c(
    daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept = watched(daemon, monkeypatch, 3)
    code, out, _ = admin("accounts", "-w")
    assert (code, slept) == (130, [2.0] * 3)
    blocks = out.split("\n\n")
    assert len(blocks) == 3
    assert all("heron-02" in block for block in blocks)


def test_watched_as_json_it_is_a_line_each_time(daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch) -> None:
    watched(daemon, monkeypatch, 3)
    _, out, _ = admin("-o", "json", "queue", "-w")
    assert [json.loads(line) for line in out.splitlines()] == [samples.QUEUE] * 3


def test_on_a_terminal_it_is_drawn_anew_and_never_scrolls(
    daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched(daemon, monkeypatch, 2)
    screen = on_terminal(monkeypatch, 80, lines=4)
    admin("tree", "-w")
    assert screen.getvalue().count(asking.REDRAW) == 2
    last = screen.getvalue().split(asking.REDRAW)[-1]
    assert len(last.splitlines()) == 3
    assert last.splitlines()[-1] == "… 3 more"


def test_a_connection_that_is_lost_while_watching_is_said_and_waited_for(
    daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lose(turn: int) -> None:
        monkeypatch.setattr("console.reach.ANSWER_S_MAX", 1)
        if turn == 1:
            monkeypatch.setattr("console.reach.call", lost)
        else:
            monkeypatch.setattr("console.reach.call", call)

    from console.endings import NO_CONNECTION, Quit
    from console.reach import call

    def lost(*request: Any, **more: Any) -> Any:
        raise Quit(NO_CONNECTION, "no connection to the test")

    watched(daemon, monkeypatch, 3, lose)
    code, out, _ = admin("accounts", "-w")
    assert code == 130
    first, gone, back = out.split("\n\n")
    assert gone == "no connection to the test"
    assert first.strip() == back.strip()


def test_a_connection_that_is_lost_leaves_json_valid(
    daemon: Fake, admin: Admin, monkeypatch: pytest.MonkeyPatch
) -> None:
    from console.endings import NO_CONNECTION, Quit
    from console.reach import call

    def lose(turn: int) -> None:
        monkeypatch.setattr("console.reach.call", lost if turn == 1 else call)

    def lost(*request: Any, **more: Any) -> Any:
        raise Quit(NO_CONNECTION, "no connection to the test")

    watched(daemon, monkeypatch, 3, lose)
    code, out, err = admin("-w", "accounts", "-o", "json")
    assert (code, [json.loads(line) for line in out.splitlines()]) == (130, [samples.ACCOUNTS] * 2)
    assert "no connection to the test" in err


def test_where_nothing_can_be_printed_that_is_said_in_a_line(daemon: Fake) -> None:
    command = (
        f"{sys.executable} -c 'import runtime; raise SystemExit(runtime.main())' admin --url {daemon.url} --key {KEY}"
    )
    for where, why in (("/dev/full", "No space left on device"), ("&-", "there is no standard output")):
        found = subprocess.run(
            ["/bin/sh", "-c", f"{command} accounts >{where}"], capture_output=True, text=True, timeout=60, check=False
        )
        assert (found.returncode, len(found.stderr.splitlines())) == (1, 1)
        assert why in found.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("acount",), "No such command 'acount'. Did you mean 'account', 'accounts'?; see limner admin --help"),
        (("job", "cansel", "J1"), "No such command 'cansel'. Did you mean 'cancel'?; see limner admin job --help"),
        (("key",), "Missing command: new, revoke; see limner admin key --help"),
        (("job", "cancel"), "Missing argument 'ID'; see limner admin job cancel --help"),
    ],
)
def test_a_mistake_is_told_with_what_was_meant_and_where_its_help_is(
    arguments: tuple[str, ...], said: str, fake: Fake, admin: Admin
) -> None:
    assert admin(*arguments) == (2, "", f"limner: {said}\n")
    assert fake.asked == []


# --- tables


def table(columns: int, monkeypatch: pytest.MonkeyPatch, titles: Any, rows: Any) -> list[str]:
    out = Terminal()
    monkeypatch.setenv("COLUMNS", str(columns))
    as_table(titles, rows, out)
    return unstyled(out.getvalue()).splitlines()


def test_words_are_shortened_first_then_columns_of_the_highest_rank_go(monkeypatch: pytest.MonkeyPatch) -> None:
    titles = (show.Column("id", cut=False), show.Column("words", 1), "n", show.Column("more", 2))
    rows = [("J1234567890", "many words that are long", 7, "even more of them than fit")]
    assert table(80, monkeypatch, titles, rows)[1].endswith("even more of them than fit")
    assert table(60, monkeypatch, titles, rows) == [
        "id           words                  n  more",
        "J1234567890  many words that are…   7  even more of them th…",
    ]
    assert table(40, monkeypatch, titles, rows) == [
        "id           words                     n",
        "J1234567890  many words that are long  7",
    ]
    assert table(30, monkeypatch, titles, rows)[1] == "J1234567890  many words th…  7"
    assert table(16, monkeypatch, titles, rows)[1] == "J1234567890  7"


def test_wide_letters_count_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    from rich.cells import cell_len

    lines = table(24, monkeypatch, ("name", "n"), [("狐" * 20, 1), ("fox", 22)])
    assert cell_len(lines[1]) == cell_len(lines[2]) == 24


def test_what_is_piped_is_never_cut() -> None:
    out = io.StringIO()
    as_table(("words",), [("x" * 500,)], out)
    assert width_of(out) is None
    assert "x" * 500 in out.getvalue()


def test_a_terminal_obeys_nothing_that_a_table_holds() -> None:
    assert cell("\x1b[31mred\x07\u202e") == "?[31mred??"


@pytest.mark.parametrize(
    "arguments",
    [
        ("describe", "account", ""),
        ("describe", "node", " "),
        ("account", "suspend", "", "--yes"),
        ("job", "trace", ""),
        ("key", "new", "", "--yes"),
    ],
)
def test_an_empty_name_is_a_mistake_and_asks_for_nothing(arguments: tuple[str, ...], fake: Fake, admin: Admin) -> None:
    code, _, told = admin(*arguments)
    assert (code, told) == (2, "limner: say which one is meant: its name is empty here\n")
    assert fake.asked == []


def test_a_table_that_the_config_does_not_have_is_said_to_be_none_and_is_no_line_of_another(
    fake: Fake, admin: Admin
) -> None:
    fake.answers["GET config"] = {"admin": {"key": "…"}, "cluster": None, "accounts": [], "front": {"discord": None}}
    _, shown, _ = admin("config", "show")
    assert [line.split() for line in shown.splitlines()] == [
        ["[admin]"], ["key", "…"], ["[cluster]", "none"], ["[accounts]", "none"], ["[front]"], ["discord", "-"]
    ]  # fmt: skip


def test_a_long_list_is_read_page_by_page_and_says_when_there_is_more(fake: Fake, admin: Admin) -> None:
    def page() -> dict[str, Any]:
        asked = parse_qs(fake.asked[-1][1].partition("?")[2])
        first, length = int(asked.get("before", ["0"])[0]), int(asked["limit"][0])
        following = first + length
        rows = [samples.JOBS["jobs"][0] | {"job": f"J{number}"} for number in range(first, min(following, 2500))]
        return {"jobs": rows, "next": str(following) if following < 2500 else None}

    fake.answers["GET jobs"] = page
    _, shown, _ = admin("-o", "json", "jobs", "--limit", "1200", "--user", "ana")
    assert [job["job"] for job in json.loads(shown)["jobs"]] == [f"J{number}" for number in range(1200)]
    assert json.loads(shown)["next"] == "1200"
    assert [path for _, path, _ in fake.asked] == ["jobs?user=ana&limit=1000", "jobs?user=ana&limit=200&before=1000"]
    _, shown, _ = admin("jobs", "--limit", "1200")
    assert shown.endswith("more: --before 1200\n")
    _, shown, _ = admin("jobs", "--limit", "9000")
    assert "more:" not in shown
    assert shown.count("J2499") == 1
