"""Figures, columns, troubles and deeds as values: nothing here needs a terminal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from console.tui.columns import GAP, Column, fit, padded, written
from console.tui.deeds import Field, Unfit, of_account, of_actor, of_job
from console.tui.feet import ALWAYS, TAB_ENTRIES, laid_out
from console.tui.header import fitted, parts_of
from console.tui.history import History
from console.tui.place import Place
from console.tui.troubles import troubles_of
from console.tui.words import age, bar, line, number, plural, size, span, spark, tone_of
from tests.console.tui.house import NOON, House

anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3),
    max_leaves=5,
)
columns = st.lists(
    st.builds(Column, st.text(max_size=5), st.integers(1, 30), st.booleans(), st.integers(0, 9), st.booleans()),
    min_size=1, max_size=9,
)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (number(1204), "1,204"), (number(10.4), "10.4"), (number(0.32), "0.32"), (number(None), "-"),
        (number(True), "-"),
        (span(3.21), "3.2 s"), (span(38), "38 s"), (span(126), "2.1 m"), (span(16_200), "4.5 h"),
        (span(187_200), "2 d 4 h"),
        (span(None), "-"), (size(1_572_864), "1.5 MiB"), (size(225_485_783_040), "210 GiB"), (size(512), "512 B"),
        (spark([0, 1, 2], 8), "▁▄▇"), (spark([0, 0], 8), "▁▁"), (spark([1, 2, 3, 4], 2), "▆▇"), (spark([], 8), ""),
        (bar(1, 4, 8), "██░░░░░░"), (bar(9, 4, 4), "████"), (bar(1, 0, 4), ""), (plural(1, "drawing"), "1 drawing"),
        (plural(4, "drawing"), "4 drawings"), (age("2026-11-24T14:02:26.000Z", NOON), "41 s"), (age("soon", NOON), "-"),
        (line("a\x1b[31mb\nc"), "a [31mb c"), (line({"a": 1, "b": None}), "a 1"), (line([]), "-"),
    ],
)  # fmt: skip
def test_figures_are_said_as_people_say_them(said, words):
    assert said == words


@given(anything)
def test_any_value_is_said_on_one_line_of_printable_characters(value):
    for words in (
        line(value),
        number(value),
        span(value) if value == value else "",
        size(value) if value == value else "",
    ):
        assert words == "" or words.isprintable()


@given(columns, st.integers(1, 200))
def test_columns_that_are_shown_fit_and_the_least_worth_go_first(given_columns, width):
    shown = fit(given_columns, width)
    assert [each.at for each in shown] == sorted(each.at for each in shown)
    dropped = [column.worth for at, column in enumerate(given_columns) if at not in {each.at for each in shown}]
    assert max(dropped, default=0) <= min(each.column.worth for each in shown)
    if len(shown) > 1:
        assert sum(each.width for each in shown) + GAP * (len(shown) - 1) <= width


@given(st.text(), st.integers(1, 40), st.booleans())
def test_a_cell_is_as_wide_as_its_column_whatever_it_holds(text, width, right):
    words = line(text)
    assert cell_len(padded(words, width, right)) == width


def test_a_row_with_too_few_cells_has_empty_ones():
    assert written(fit((Column("a", 3), Column("b", 3)), 20), ("x",)) == "x       "


@given(st.integers(20, 200))
def test_the_header_keeps_what_is_wrong_longest(width):
    house, history = House(), History()
    status = house.answer("GET", "status", {})[1]
    shown = fitted(parts_of(status, history), width)
    assert shown[-1].words == "● alarms 1"
    assert sum(cell_len(part.words) for part in shown) <= max(width, len(shown[-1].words))


@given(st.integers(10, 200))
def test_the_last_line_fits_and_on_80_columns_has_everything(width):
    shown, gap = laid_out((*TAB_ENTRIES, *ALWAYS), width)
    assert sum(len(words) + gap for _, words in shown) - gap <= width or len(shown) == 1
    assert width < 78 or [entry for entry, _ in shown] == [*TAB_ENTRIES, *ALWAYS]


def test_trouble_is_told_once_the_gravest_first_and_leads_to_its_place():
    house = House()
    status = house.answer("GET", "status", {})[1]
    found = troubles_of(status, house.accounts, house.actors, NOON)
    assert [(each.tone, each.place) for each in found] == [
        ("red", Place("account", "ant-07")), ("yellow", Place("account", "hen-12")),
        ("yellow", Place("actor", "account/fox-16")),
    ]  # fmt: skip
    assert found[0].did == "others draw what it had"


def test_what_an_operator_wanted_is_yellow_and_a_restart_of_theirs_is_no_trouble():
    drained = {"name": "a", "state": "suspended", "cause": "drain", "reason": "drained by operator"}
    assert tone_of(drained) == "yellow"
    assert tone_of(drained | {"cause": "token"}) == "red"
    killed = {"name": "queue", "restarts": 1, "uptime_s": 3.0, "last_error": "Killed: restarted by operator"}
    assert troubles_of({}, [], [killed], NOON) == []
    crashed = troubles_of({}, [], [killed | {"last_error": "KeyError: 'x'"}], NOON)
    assert [each.words for each in crashed] == ["actor queue restarted, 1 time by now: KeyError: 'x'"]


def test_alarms_without_anybody_lead_to_their_events_and_a_paused_queue_is_said():
    alarm = {
        "code": "disk_low",
        "level": "red",
        "about": None,
        "words": "the disk is nearly full",
        "did": "intake stopped",
    }
    found = troubles_of({"alarms": [alarm], "intake": "paused"}, [], [], NOON)
    assert found[0].place == Place("events", needle="disk_low")
    assert "paused by an operator" in found[1].words


def test_an_alarm_about_an_actor_leads_to_the_actor_and_is_told_once_though_it_is_an_accounts():
    actor = {"name": "account/fox-01", "suspended": True, "depth": 238}
    account = {"name": "fox-01", "state": "degraded", "reason": "it does not answer"}
    alarm = {"code": "actor_suspended", "level": "yellow", "about": "account/fox-01", "words": "suspended"}
    (told,) = troubles_of({"alarms": [alarm]}, [account], [actor], NOON)
    assert told.place == Place("actor", "account/fox-01")


def test_a_node_that_drains_is_told_in_yellow_as_wanted():
    status = {"intake": "draining", "node": "main", "ready": False, "reasons": ["draining"]}
    (told,) = troubles_of(status, [], [], NOON)
    assert (told.tone, told.place) == ("yellow", Place("nodes"))
    assert told.words.startswith("node main drains: new drawings are refused")
    for intake, words in (("draining", "▲ intake stopped: draining"), ("paused", "▲ queue paused"), ("disk", "● in")):
        assert words in " ".join(part.words for part in parts_of({"intake": intake}, History()))


def test_a_suspended_actor_and_a_full_mailbox_are_told():
    actors = [{"name": "gallery", "suspended": True, "depth": 3}, {"name": "queue", "depth": 4000}]
    assert [each.words for each in troubles_of({}, [], actors, NOON)] == [
        "actor gallery suspended: 3 messages waiting for it", "actor queue is behind: 4,000 messages waiting for it",
    ]  # fmt: skip


@given(st.text(max_size=6))
def test_a_count_is_a_whole_number_from_its_least_or_is_refused(text):
    field = Field("slots", "slots", "count", optional=False, least=1)
    digits = text.strip()
    if digits.isascii() and digits.isdigit() and int(digits) >= 1:
        assert field.read(text) == int(digits)
    else:
        with pytest.raises(Unfit, match="slots: "):
            field.read(text)


def test_deeds_fit_what_they_are_for():
    assert [deed.verb for deed in of_job({"job": "j", "status": "done"})] == ["trace"]
    assert [deed.verb for deed in of_job({"job": "j", "status": "failed"})] == ["retry", "trace"]
    assert [deed.verb for deed in of_job({"job": "j", "status": "queued"})] == ["cancel", "trace"]
    assert of_actor({"name": None}) == ()
    suspend = next(deed for deed in of_account({"name": "fox-07", "busy": 4, "slots": 4}) if deed.verb == "suspend")
    assert "The 4 drawings it has go on." in suspend.question
    assert suspend.body({"reason": " holiday "}) == {"reason": "holiday"}
    assert suspend.body({}) == {}
