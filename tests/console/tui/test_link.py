"""The link over real HTTP, to a made-up daemon on loopback: what it sends, what it makes of refusals and silence."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from textual.pilot import Pilot

from console.endings import NO_CONNECTION, REFUSED, USAGE, Quit
from console.reach import Daemon
from console.tui import link as links
from console.tui import main
from console.tui.app import ConsoleApp
from console.tui.link import Link, Lost, Refused, named, route
from system.version import HEADER, own_version
from tests.console.tui.house import House, problem

KEY = "admin"


class Served:
    """A house behind a port; `heard` are (method, raw path, body)."""

    def __init__(self, house: House) -> None:
        self.house, self.url = house, ""
        self.heard: list[tuple[str, str, object]] = []
        self.versions: set[str | None] = set()

    async def answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.json() if request.can_read_body else None
        self.heard.append((request.method, request.raw_path, body))
        self.versions.add(request.headers.get(HEADER))
        if request.headers.get("Authorization") != f"Bearer {KEY}":
            status, told = problem(401, "unauthenticated", "The key is not known, or no longer valid.")
            return web.json_response(told, status=status)
        if request.path.endswith("/page"):
            return web.Response(text="<html>", content_type="text/html")
        if request.path.endswith("/huge"):
            return web.Response(body=b" " * (links.ANSWER_BYTES_MAX + 2))
        status, told = self.house.answer(request.method, request.raw_path.removeprefix("/admin/v1/"), body or {})
        return web.json_response(told, status=status)


@asynccontextmanager
async def served(port: int = 0) -> AsyncIterator[Served]:
    house = Served(House())
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", house.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", port)
    await site.start()
    house.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield house
    finally:
        await runner.cleanup()


def test_names_stand_in_paths_as_the_daemon_reads_them():
    assert named("actors", "account/fox-07", "restart") == "actors/account/fox-07/restart"
    assert named("users", "a b?é", "ban") == "users/a%20b%3F%C3%A9/ban"
    assert named("queue", "", "pause") == "queue/pause"
    assert route("jobs", user="ana", state="", limit=5) == "jobs?user=ana&limit=5"


def test_answers_changes_and_refusals_come_over_one_kept_connection():
    async def converse() -> None:
        async with served() as house:
            link = Link(Daemon(house.url, KEY))
            status = await link.get("status")
            assert status["node"] == "main"
            changed = await link.post(named("accounts", "owl-17", "slots"), {"slots": 5})
            assert changed == {"ok": True, "changed": True}
            assert house.heard[-1] == ("POST", "/admin/v1/accounts/owl-17/slots", {"slots": 5})
            with pytest.raises(Refused) as refused:
                await link.get(named("users", "a b?é"))
            assert (refused.value.status, refused.value.code) == (404, "not_found")
            assert house.heard[-1][1] == "/admin/v1/users/a%20b%3F%C3%A9"
            assert house.versions == {own_version()}
            await link.close()

    asyncio.run(converse())


def test_no_limner_too_much_and_nobody_are_all_a_lost_connection():
    async def converse() -> None:
        async with served() as house:
            link = Link(Daemon(house.url, KEY))
            for path in ("page", "huge"):
                with pytest.raises(Lost):
                    await link.get(path)
        with pytest.raises(Lost, match=r"^Connection refused$"):
            await link.get("status")
        await link.close()

    asyncio.run(converse())


def test_the_console_goes_on_by_itself_when_the_daemon_comes_back():
    async def watch() -> None:
        async with served() as house:
            url, port = house.url, int(house.url.rpartition(":")[2])
            app = ConsoleApp(Link(Daemon(url, KEY)), url, "0.1.0", look_each_s=0.02)
            shown = app.run_test()
            pilot = await shown.__aenter__()
            await until(pilot, lambda: bool(app.known.status))
        await until(pilot, lambda: app.known.lost_since is not None)
        assert app.known.status["node"] == "main"
        async with served(port):
            await until(pilot, lambda: app.known.lost_since is None)
        await shown.__aexit__(None, None, None)

    asyncio.run(watch())


async def until(pilot: Pilot[Quit | None], holds: Callable[[], bool]) -> None:
    """The console does something by itself."""
    async with asyncio.timeout(20):
        while not holds():
            await pilot.pause(0.01)


def test_a_wrong_key_nobody_there_and_no_terminal_end_with_one_line(monkeypatch):
    async def begin() -> None:
        async with served() as house:
            for daemon, code in (
                (Daemon(house.url, "wrong"), REFUSED),
                (Daemon("http://127.0.0.1:9", KEY), NO_CONNECTION),
            ):
                with pytest.raises(Quit) as quit:
                    await asyncio.to_thread(main.run, daemon)
                assert quit.value.code == code
                assert "\n" not in quit.value.message

    class Terminal:
        def isatty(self) -> bool:
            return True

    with pytest.raises(Quit) as quit:
        main.run(Daemon("http://127.0.0.1:9", KEY))
    assert quit.value.code == USAGE
    for name in ("stdin", "stdout", "stderr"):
        monkeypatch.setattr(f"console.tui.main.sys.{name}", Terminal())
    asyncio.run(begin())
