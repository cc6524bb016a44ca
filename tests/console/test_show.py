"""Columns line up, nothing is coloured where nobody sees it, and a line is a line."""

from __future__ import annotations

import io
import json

from hypothesis import given
from hypothesis import strategies as st

from console.progress import duration
from console.show import as_json, as_pairs, as_table, cell


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
    assert out.getvalue().splitlines() == ["jobs        done 2 queued 1", "loop lag s  0.0281", "paused      no"]


def test_json_is_one_line_as_it_came():
    out = io.StringIO()
    as_json({"name": "é\n"}, out)
    assert out.getvalue().count("\n") == 1
    assert json.loads(out.getvalue()) == {"name": "é\n"}


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
