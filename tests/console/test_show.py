"""Columns line up, nothing is coloured where nobody sees it, and a line is a line."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from console.progress import duration
from console.show import Column, as_json, as_pairs, as_table, cell, cells, folded


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_columns_are_aligned_numbers_to_the_right():
    out = io.StringIO()
    as_table(("actor", "mailbox"), [("root", 0), ("  account/fox-07", 1204)], out)
    assert out.getvalue().splitlines() == [
        "actor             mailbox",
        "root                    0",
        "  account/fox-07    1,204",
    ]


def test_titles_are_bold_on_a_terminal_only():
    plain, terminal = io.StringIO(), Terminal()
    for out in (plain, terminal):
        as_table(("a",), [("b",)], out)
    assert "\x1b" not in plain.getvalue()
    assert terminal.getvalue().startswith("\x1b[1ma")


def test_pairs_show_nested_values_on_their_line():
    out = io.StringIO()
    as_pairs({"jobs": {"done": 2, "queued": 1}, "loop_lag_s": 0.0281, "paused": False}, out)
    assert out.getvalue().splitlines() == ["jobs        done 2, queued 1", "loop lag s  0.0281", "paused      no"]


def test_nothing_is_styled_where_the_user_wants_no_colours(monkeypatch):
    monkeypatch.setenv("NO_COLOR", "1")
    out = Terminal()
    as_table(("a",), [("b",)], out)
    as_pairs({"a": 1}, out)
    assert "\x1b" not in out.getvalue()


def test_what_measures_something_stands_to_the_right_as_numbers_do():
    out = io.StringIO()
    as_table(("name", Column("age", right=True)), [("a", "41 s"), ("b", "3 min"), ("c", "")], out)
    assert out.getvalue().splitlines() == ["name    age", "a      41 s", "b     3 min", "c"]


def test_a_column_that_says_nothing_goes_before_one_that_does(monkeypatch):
    monkeypatch.setenv("COLUMNS", "22")
    out = Terminal()
    as_table(("job", Column("code", 1), Column("prompt", 2)), [("j1m87gh", "", "a red fox"), ("j2", None, "b")], out)
    assert out.getvalue().splitlines()[1:] == ["j1m87gh  a red fox", "j2       b"]


def test_what_is_folded_is_all_there_below_its_name(monkeypatch):
    monkeypatch.setenv("COLUMNS", "30")
    out = Terminal()
    as_pairs({"prompt": "a red fox in deep snow under a pale moon"}, out, fold=True)
    as_table(("at", "detail"), [("12:00", "nonce 1574869684225231953, interaction 15")], out, fold=True)
    assert out.getvalue().replace("\x1b[2m", "").replace("\x1b[1m", "").replace("\x1b[0m", "").splitlines() == [
        *("prompt  a red fox in deep snow", "        under a pale moon"),
        *("at     detail", "12:00  nonce", "       1574869684225231953,", "       interaction 15"),
    ]


@given(st.text(alphabet="ab 雪é", max_size=60), st.integers(2, 12))
def test_folding_loses_nothing_but_spaces_and_no_line_is_too_wide(text, width):
    lines = folded(text, width)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    assert all(cells(line) <= width for line in lines)


def test_json_is_one_line_as_it_came():
    out = io.StringIO()
    as_json({"name": "é\n"}, out)
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {"name": "é\n"}


def test_json_holds_nothing_that_a_terminal_obeys_and_says_the_same():
    out, told = io.StringIO(), {"prompt": "雪 \x1b[2J \x9b31m \u202e 👩\u200d👧 \U000e0001"}
    as_json(told, out)
    assert out.getvalue()[:-1].isprintable()
    assert "雪" in out.getvalue()
    assert json.loads(out.getvalue()) == told


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_a_cell_is_never_more_than_a_line(value):
    assert len(cell(value).splitlines()) <= 1


def test_durations_are_said_as_people_say_them():
    assert [duration(s) for s in (-1, 0.4, 40, 89, 91, 3600, 6000)] == [
        "0 s",
        "0 s",
        "40 s",
        "89 s",
        "2 min",
        "60 min",
        "2 h",
    ]
