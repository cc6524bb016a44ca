"""Every screen as a person sees it, kept as text: at 80×24, where columns drop, and at 120×40."""

from __future__ import annotations

import asyncio

import pytest

from tests.console.tui.house import remembered
from tests.console.tui.stage import LARGE, SMALL, staged

SIZES = pytest.mark.parametrize("size", [SMALL, LARGE], ids=["80x24", "120x40"])
#: The keys that lead to each screen from the overview.
SCREENS = {
    "overview": (),
    "actors": ("f2",),
    "actors-branch": ("f2", *("down",) * 8, "right"),
    "actors-by-restarts": ("f2", "o", "o", "o"),
    "actor": ("f2", "down", "down", "down", "enter"),
    "accounts": ("f3",),
    "accounts-slowest-first": ("f3", "o", "o"),
    "account": ("f3", "enter"),
    "jobs": ("f4",),
    "jobs-failed": ("f4", "f", "f", "f"),
    "job": ("f4", *("down",) * 34, "enter"),
    "users": ("f5",),
    "user": ("f5", "enter"),
    "events": ("f6",),
    "events-errors": ("f6", "f", "f"),
    "nodes": ("f7",),
    "audit": ("f8",),
    "help": ("question_mark",),
    "confirm": ("f3", "down", "down", "d"),
    "confirm-fields": ("f5", "n"),
}


@SIZES
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_is_as_it_was_looked_at(name, size):
    async def visit() -> None:
        async with staged(size) as stage:
            await stage.press(*SCREENS[name])
            stage.seen(name)

    asyncio.run(visit())


@SIZES
def test_a_lost_connection_is_said_and_leaves_the_last_figures(size):
    async def visit() -> None:
        async with staged(size) as stage:
            stage.source.away = "Connect call failed"
            await stage.look()
            stage.seen("lost")
            assert stage.app.screen.has_class("lost")
            stage.source.away = ""
            await stage.look()
            stage.seen("overview-after-lost")
            assert not stage.app.screen.has_class("lost")

    asyncio.run(visit())


@SIZES
def test_the_last_minutes_are_seen_as_charts_with_a_hole_where_nobody_answered(size):
    async def visit() -> None:
        async with staged(size) as stage:
            stage.app.history = stage.app.view.history = remembered(stage.house.now())
            await stage.look()
            stage.seen("overview-charts")

    asyncio.run(visit())


@SIZES
def test_many_troubles_take_the_room_of_the_charts(size):
    async def visit() -> None:
        async with staged(size) as stage:
            for account in stage.house.accounts:
                account |= {"state": "paused", "reason": "captcha", "ends": "a person"}
            await stage.look()
            stage.seen("overview-many-troubles")

    asyncio.run(visit())


def test_a_filter_while_it_is_typed():
    async def visit() -> None:
        async with staged() as stage:
            await stage.press("f2", "slash")
            await stage.type("fox")
            await stage.look()
            stage.seen("filter")

    asyncio.run(visit())


@pytest.mark.parametrize("size", [(40, 12), (60, 10), (200, 60)])
def test_every_screen_bears_odd_sizes(size):
    async def visit() -> None:
        async with staged(size) as stage:
            for number in range(1, 9):
                await stage.press(f"f{number}")
                lines = stage.text.splitlines()
                assert len(lines) == size[1]
                assert any("─" in line for line in lines)

    asyncio.run(visit())


def test_trouble_has_its_sign_beside_its_colour_and_colour_can_be_off(monkeypatch):
    async def visit() -> None:
        async with staged() as stage:
            assert "● account ant-07 paused: moderation notice" in stage.text
            assert "▲ account hen-12 degraded" in stage.text
            assert stage.app.no_color
            cursor = stage.app.screen._compositor.render_strips()[3]
            assert any(segment.style and segment.style.reverse for segment in cursor)

    monkeypatch.setenv("NO_COLOR", "1")
    asyncio.run(visit())
