"""The console at a real daemon: every screen is answered in full, and what is done there is seen on the screen."""

from __future__ import annotations

import asyncio

import pytest
from textual.pilot import Pilot

from console.endings import Quit
from console.reach import Daemon as Reached
from console.tui.app import ConsoleApp
from console.tui.link import Link
from console.tui.place import TABS, Place
from system.version import own_version
from tests.live.daemon import Daemon, ask

pytestmark = pytest.mark.live


async def look(app: ConsoleApp, pilot: Pilot[Quit | None]) -> None:
    await app.look()
    await pilot.pause()


def test_every_screen_is_answered_and_a_restart_is_counted(daemon: Daemon):
    status, job = ask(f"{daemon.url}/api/v1/jobs", daemon.key, {"prompt": "a console made of brass"})
    assert status in (200, 201, 202)

    async def visit() -> None:
        app = ConsoleApp(Link(Reached(daemon.url, daemon.admin_key)), daemon.url, own_version(), look_each_s=None)
        async with app.run_test(size=(120, 40)) as pilot:
            places = [place for place, _ in TABS]
            await look(app, pilot)
            account = (await app.source.get("accounts"))["accounts"][0]["name"]
            places += [
                Place("job", job["job"]),
                Place("user", "demo"),
                Place("account", account),
                Place("actor", "queue"),
            ]
            for place in places:
                await app.go(place)
                await look(app, pilot)
                assert (app.view.place, app.view.missing, app.known.lost_why) == (place, "", "")
            assert app.view.actor["kind"] == "Queue"
            await app.go(Place("actor", "janitor"))
            await look(app, pilot)
            before = app.view.actor["restarts"]
            await pilot.press("x")
            await pilot.press("y")
            async with asyncio.timeout(20):
                while app.view.actor["restarts"] == before:
                    await look(app, pilot)
            assert app.view.actor["restarts"] == before + 1
            assert "Killed" in app.view.actor["last_error"]

    asyncio.run(visit())
