"""What the console does: the way between screens, search, deeds behind a question, and a daemon that is away."""

from __future__ import annotations

import asyncio

import pytest

from console.endings import INTERRUPTED, REFUSED, Quit
from tests.console.tui.house import InProcess
from tests.console.tui.stage import Stage, on_stage, staged


def changes(stage: Stage) -> list[str]:
    return [path for method, path in stage.house.asked if method == "POST"]


@on_stage()
async def test_enter_on_what_is_wrong_leads_to_where_it_can_be_put_right(stage):
    await stage.press("enter")
    assert stage.place == ("account", "ant-07")
    await stage.press("escape", "down", "down", "enter")
    assert stage.place == ("actor", "account/fox-16")
    await stage.press("escape")
    assert stage.place == ("overview", "")


@on_stage()
async def test_the_slowest_account_is_found_and_drained_behind_a_question(stage):
    await stage.press("f3", "o", "o")
    assert stage.app.view.grid.row.key == "owl-17"
    await stage.press("d")
    assert "Drain account owl-17?" in stage.text
    assert "go on" in stage.text
    await stage.press("y")
    assert changes(stage) == ["accounts/owl-17/drain"]
    assert "done: drain owl-17" in stage.text
    assert "▲ draining" in stage.text


@on_stage()
async def test_a_question_answered_no_changes_nothing_and_enter_is_no(stage):
    await stage.press("f3", "s", "n")
    await stage.press("s", "escape")
    await stage.press("d", "enter")
    assert not stage.app.is_asking
    assert changes(stage) == []


@on_stage()
async def test_what_is_so_already_is_said_to_be(stage):
    await stage.press("f3", "down", "down", "d", "y", "d", "y")
    assert "it was so already" in stage.text


@on_stage()
async def test_a_reason_is_reached_by_tab_and_sent(stage):
    await stage.press("f3", "down", "down", "s")
    await stage.pilot.press("tab")
    await stage.type("holiday")
    await stage.press("enter")
    assert stage.house.audit[-1]["detail"] == "{'reason': 'holiday'}"


@on_stage()
async def test_slots_are_asked_for_and_must_be_a_number_from_one(stage):
    await stage.press("f3", "down", "down", "n")
    for wrong in ("0", "-1", "x", ""):
        stage.app.screen.query_one("#field-slots").value = wrong
        await stage.press("enter")
        assert "▲ slots:" in stage.text
    assert changes(stage) == []
    stage.app.screen.query_one("#field-slots").value = "5"
    await stage.press("enter")
    assert changes(stage) == ["accounts/ant-15/slots"]
    assert stage.app.view.thing["slots"] == 5


@on_stage()
async def test_a_restarted_actor_shows_one_restart_more(stage):
    await stage.press("f2", "down", "down", "down", "x")
    assert "Restart actor queue?" in stage.text
    await stage.press("y")
    row = stage.app.view.grid.row
    assert row.key == "queue"
    assert row.cells[3] == "1"
    assert "last error: Killed: restarted by operator" in stage.text


@on_stage(role="viewer")
async def test_a_viewer_is_offered_nothing_and_told_why(stage):
    await stage.press("f3", "down", "down")
    assert "vera reads only ─" in stage.text
    assert "s suspend" not in stage.text
    await stage.press("s", "y")
    assert "▲ no suspend: the key of vera has the role viewer" in stage.text
    assert changes(stage) == []


@on_stage()
async def test_a_refusal_is_said_whole_on_more_than_one_line(stage):
    stage.house.role = "viewer"  # since the console asked: the daemon knows best
    await stage.press("f3", "down", "down", "s", "y")
    assert "● suspend ant-15 refused: forbidden: A viewer's key reads, and changes" in stage.text
    assert " nothing.\n" in stage.text
    assert stage.house.accounts[15]["state"] == "up"


@on_stage()
async def test_what_was_done_to_the_first_row_is_undone_there_though_it_moved(stage):
    await stage.press("f5", "b", "y")
    banned = stage.app.view.grid.row.key
    next(each for each in stage.house.users if each["name"] == banned)["used"] = 0
    await stage.press("u", "y")
    assert changes(stage) == [f"users/{banned}/ban", f"users/{banned}/unban"]


@on_stage()
async def test_a_list_too_long_for_one_page_is_turned_page_by_page(stage):
    first = stage.house.jobs[0]
    stage.house.jobs = [first | {"job": f"j{number:05}"} for number in range(2_300)]
    await stage.press("f4")
    assert "Jobs  100 and more" in stage.text
    await stage.press(*("end",) * 8)
    assert "and more · Enter: the next thousand" in stage.text
    await stage.press("enter")
    assert "Jobs  1,001 to 2,000 and more" in stage.text
    assert stage.app.view.grid.row.key == "j01000"
    await stage.press("end", "enter")
    assert "Jobs  2,001 to 2,300" in stage.text
    await stage.press("escape", "escape")
    assert stage.app.view.grid.row.key == "j00000"


@on_stage()
async def test_queue_job_user_and_level_deeds_ask_the_routes_that_are_agreed(stage):
    await stage.press("p", "y", "r", "y")
    await stage.press("f4", "c", "y", "t", "y")
    await stage.press("f5", "b", "y", "u", "y")
    await stage.press("f2", "down", "s", "y", "r", "y", "l", "enter")
    job = stage.house.jobs[0]["job"]
    assert changes(stage) == [
        *("queue/pause", "queue/resume", f"jobs/{job}/cancel", f"jobs/{job}/trace", "users/ana/ban", "users/ana/unban"),
        *("actors/monitor/suspend", "actors/monitor/resume", "actors/monitor/loglevel"),
    ]


@on_stage()
async def test_a_name_is_gone_to_from_anywhere(stage):
    job = stage.house.jobs[40]["job"]
    for typed, place in (
        (job, ("job", job)), ("fay", ("user", "fay")), ("elk-02", ("account", "elk-02")),
        ("session/u00042", ("actor", "session/u00042")),
    ):  # fmt: skip
        await stage.press("g")
        await stage.type(typed)
        await stage.press("enter")
        await stage.look()
        assert stage.place == place
        assert place[1] in stage.text
    await stage.press("escape", "escape", "escape", "escape")
    assert stage.place == ("overview", "")


@on_stage()
async def test_what_has_no_such_name_is_listed_by_likeness_or_said_not_to_be(stage):
    await stage.press("slash")
    await stage.type("u0004")
    await stage.press("enter")
    assert "Found  10 for u0004" in stage.text
    await stage.press("g")
    await stage.type("nobody")
    await stage.press("enter")
    assert "no job, account, user or actor is called so" in stage.text


@on_stage()
async def test_a_filter_is_kept_by_enter_and_cleared_by_escape(stage):
    await stage.press("f3", "slash")
    await stage.type("fox")
    await stage.press("enter")
    assert [row.key for row in stage.app.view.grid.rows] == ["fox-00", "fox-08", "fox-16"]
    await stage.press("escape")
    assert len(stage.app.view.grid.rows) == 24


@on_stage()
async def test_jobs_are_filtered_by_what_the_daemon_knows(stage):
    await stage.press("f4", "slash")
    await stage.type("user:ana state:done")
    await stage.press("enter")
    assert {each["name"] for each in stage.app.view.things.values()} == {"ana"}
    assert {each["status"] for each in stage.app.view.things.values()} == {"done"}


@on_stage()
async def test_of_ten_thousand_actors_no_look_asks_for_more_than_a_thousand(stage):
    await stage.press("f2", *("down",) * 8, "right", "end", "o", *("end",) * 8)
    grid = stage.app.view.grid
    assert len(grid.rows) == 1001
    assert grid.cursor == 1000
    assert "8,995 more · / finds, o orders" in stage.text
    trees = [path for method, path in stage.house.asked if path.startswith("tree")]
    assert trees
    assert all("limit=" in path for path in trees)


@on_stage()
async def test_the_mouse_opens_orders_and_leads_to_screens(stage):
    await stage.pilot.click("#tabs", offset=(25, 0))
    await stage.look()
    assert stage.place == ("accounts", "")
    await stage.pilot.click(stage.app.view.grid, offset=(47, 0))
    await stage.look()
    assert stage.app.view.order == "slowest"
    await stage.pilot.click(stage.app.view.grid, offset=(5, 2), times=2)
    await stage.look()
    assert stage.place == ("account", [row.key for row in stage.app.tabs["accounts"].grid.rows][1])


@on_stage()
async def test_a_deed_without_a_connection_says_that_it_is_not_known(stage):
    await stage.press("f3", "d")
    stage.source.away = "Connection reset by peer"
    await stage.press("y")
    assert "▲ drain ant-07: no answer, look whether it was done" in stage.text
    stage.source.away = ""
    await stage.press("d")
    stage.source.never_heard = True
    await stage.press("y")
    assert "▲ drain ant-07: not done, for nobody is there" in stage.text


def test_a_key_that_is_revoked_ends_the_console_with_refused():
    async def visit() -> None:
        async with staged() as stage:
            stage.source.key_is_valid = False
            await stage.look()
            ended = stage.app.return_value
            assert isinstance(ended, Quit)
            assert ended.code == REFUSED

    asyncio.run(visit())


def test_q_leaves_and_the_source_is_closed():
    async def visit() -> InProcess:
        async with staged() as stage:
            await stage.pilot.press("q")
            assert stage.app.return_value is None
        return stage.source

    assert asyncio.run(visit()).away == "closed"


@pytest.mark.parametrize("before", [(), ("slash",), ("f3", "d"), ("question_mark",)])
def test_ctrl_c_ends_it_as_it_ends_any_command_whatever_is_open(before):
    async def visit() -> Quit | None:
        async with staged() as stage:
            await stage.press(*before)
            await stage.pilot.press("ctrl+c")
            return stage.app.return_value

    ended = asyncio.run(visit())
    assert isinstance(ended, Quit)
    assert ended.code == INTERRUPTED


@pytest.mark.parametrize("kind", ["actors", "accounts", "jobs", "users", "events", "nodes", "audit"])
def test_a_list_of_nothing_says_so(kind):
    async def visit() -> None:
        async with staged() as stage:
            for name in ("accounts", "actors", "jobs", "users", "audit"):
                setattr(stage.house, name, [])
            stage.house._list_status = lambda query: {}
            stage.house._list_nodes = lambda query: {"nodes": []}
            stage.house._list_events = lambda query: {"events": [], "next": None}
            stage.house._list_audit = lambda query: {"audit": [], "next": None}
            await stage.app.action_tab(
                ["", "actors", "accounts", "jobs", "users", "events", "nodes", "audit"].index(kind)
            )
            await stage.look()
            assert stage.app.view.grid.empty in stage.text

    asyncio.run(visit())
