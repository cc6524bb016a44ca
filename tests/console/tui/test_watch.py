"""What the console shows of what it hears: the newest or its age, and nothing that is not known."""

from __future__ import annotations

from console.tui.link import Lost
from tests.console.tui.stage import on_stage


@on_stage()
async def test_a_question_is_of_this_moment_and_says_when_it_cannot_be(stage):
    account = stage.house.accounts[0]
    account["busy"] = 0
    await stage.press("f3", "o", "d")
    asked = stage.app.screen.deed.of
    account = next(each for each in stage.house.accounts if each["name"] == asked)
    for busy, words in ((0, "It draws nothing just now."), (2, "The 2 drawings it has go on.")):
        account["busy"] = busy
        await stage.look()
        assert words in stage.text
    stage.source.away = "Connection refused"
    await stage.look()
    assert stage.text.count("▲ no connection for") == 2
    stage.source.away = ""
    await stage.look()
    assert "▲ no connection" not in stage.text


@on_stage()
async def test_an_answer_to_what_is_no_longer_asked_is_not_shown(stage):
    await stage.press("f6")
    ask = stage.source.get

    async def slow(path):
        answer = await ask(path)
        if path.startswith("events") and "level=info" in path:
            stage.app.view.action_level()
        return answer

    stage.source.get = slow
    await stage.app.look_at_view()
    assert stage.app.view.level == "warning"
    assert stage.app.view.kept == {}
    await stage.look()
    assert {each["level"] for each in stage.app.view.kept.values()} - {"warning"} == {"error"}


@on_stage()
async def test_nothing_is_claimed_before_the_first_answer(stage):
    await stage.app.go(stage.app.view.place._replace(kind="found", of="cy"))
    await stage.pilot.pause()
    assert "is called so" not in stage.text
    await stage.look()
    assert "no job, account, user or actor is called so" in stage.text


@on_stage()
async def test_a_slow_answer_is_no_lost_connection_and_figures_bear_their_age(stage):
    await stage.press("f3")
    ask = stage.source.get

    async def slow(path):
        if path == "accounts":
            raise Lost("it does not answer", is_slow=True)
        return await ask(path)

    stage.source.get = slow
    later = stage.house.now() + 30
    stage.app.now = lambda: later
    await stage.look()
    assert "▲ it does not answer" in stage.text
    assert "as of 30 s ago" in stage.text
    assert stage.app.known.lost_since is None


@on_stage(version="0.9.0")
async def test_a_daemon_of_another_version_is_named(stage):
    assert "▲ the daemon is version 0.9.0, this console 0.1.0" in stage.text


@on_stage()
async def test_a_daemon_that_answers_otherwise_leaves_a_line_and_no_traceback(stage):
    stage.house._list_accounts = lambda query: {"accounts": [{"name": 7, "busy": {}, "slots": "x", "since": []}]}
    stage.house._list_status = lambda query: {"jobs": [1, 2], "alarms": 3}
    await stage.press("f3", "f1")
    assert "the daemon's answer is not understood; is it of another version?" in stage.text
    assert stage.app.is_running


@on_stage()
async def test_what_a_daemon_does_not_have_is_said_in_the_title(stage):
    stage.house._list_nodes = None
    await stage.press("f7")
    assert "▲ not_found: Nothing here is called nodes." in stage.text


@on_stage()
async def test_events_follow_until_the_cursor_leaves_the_end(stage):
    await stage.press("f6")
    grid = stage.app.view.grid
    assert grid.cursor == len(grid.rows) - 1
    later = stage.house.began + 60
    stage.house.now = lambda: later
    await stage.look()
    assert grid.cursor == len(grid.rows) - 1
    assert any(path.startswith("events?after=39&") for _, path in stage.house.asked)
    await stage.press("up", "up")
    held = grid.row.key
    stage.house.now = lambda: later + 60
    await stage.look()
    assert grid.row.key == held
    assert len(stage.app.view.kept) == len({*stage.app.view.kept})


@on_stage()
async def test_the_top_of_a_list_shows_what_comes_until_the_cursor_is_moved(stage):
    await stage.press("f4")
    for number, keys in enumerate(((), ("down", "up"), ("down", "home"))):
        await stage.press(*keys)
        held = stage.app.view.grid.row.key
        stage.house.jobs.insert(0, stage.house.jobs[0] | {"job": f"j1v7z999{number}xq3c"})
        await stage.look()
        assert (stage.app.view.grid.row.key == held) == (keys == ("down", "up"))


@on_stage()
async def test_the_cursor_stays_at_its_row_when_others_come_and_go(stage):
    await stage.press("f4", "down", "down", "down")
    held = stage.app.view.grid.row.key
    stage.house.jobs.insert(0, stage.house.jobs[0] | {"job": "j1v7z9999xq3c"})
    await stage.look()
    assert stage.app.view.grid.row.key == held
    assert stage.app.view.grid.cursor == 4
