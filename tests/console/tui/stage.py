"""A console on a made-up service, driven by keys; what is seen as text, held against the screens kept here.

`LIMNER_SCREENS=write pytest tests/console/tui` writes them anew; read the diff.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from console.endings import Quit
from console.tui.app import ConsoleApp
from tests.console.tui.house import House, InProcess

SCREENS = Path(__file__).parent / "screens"
SMALL, LARGE = (80, 24), (120, 40)
URL = "http://127.0.0.1:8080"
VERSION = "0.1.0"
LAYOUTS_MAX = 6


class Stage:
    """The console, its service, and hands on the keyboard."""

    def __init__(self, app: ConsoleApp, pilot: Pilot[Quit | None], source: InProcess) -> None:
        self.app, self.pilot, self.source, self.house = app, pilot, source, source.house

    async def look(self) -> None:
        """One look at the daemon, all of it shown: until nothing on the screen moves any more."""
        await self.app.look()
        seen = ""
        for _ in range(LAYOUTS_MAX):
            await self.pilot.pause()
            if seen == (seen := self.text):
                break

    async def press(self, *keys: str) -> None:
        """Each key, and a look after it."""
        for key in keys:
            await self.pilot.press(key)
            await self.pilot.pause()
            if self.app.is_running and self.app.return_value is None:
                await self.look()

    async def type(self, text: str) -> None:
        """Letters into a field."""
        await self.pilot.press(*(each if each.isalnum() else NAMES.get(each, each) for each in text))
        await self.pilot.pause()

    @property
    def text(self) -> str:
        """What is seen."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips) + "\n"

    @property
    def place(self) -> tuple[str, str]:
        """Which screen, and what it is about."""
        return self.app.view.place.kind, self.app.view.place.of

    def seen(self, name: str) -> None:
        """What is seen is what is kept under this name."""
        file = SCREENS / f"{name}.{self.app.size.width}x{self.app.size.height}.txt"
        if os.environ.get("LIMNER_SCREENS") == "write":
            file.parent.mkdir(exist_ok=True)
            file.write_text(self.text, encoding="utf-8")
        assert self.text == file.read_text(encoding="utf-8"), f"{file.name} shows something else"


NAMES = {" ": "space", "-": "minus", "/": "slash", ":": "colon"}


@asynccontextmanager
async def staged(
    size: tuple[int, int] = SMALL, role: str = "admin", version: str = VERSION, own: str = VERSION
) -> AsyncIterator[Stage]:
    """A console that has looked once."""
    house = House(role=role, version=version)
    source = InProcess(house)
    app = ConsoleApp(source, URL, own, now=house.now, look_each_s=None)
    async with app.run_test(size=size) as pilot:
        stage = Stage(app, pilot, source)
        await stage.look()
        yield stage


def on_stage(**how: Any) -> Callable[[Callable[[Stage], Coroutine[Any, Any, None]]], Callable[[], None]]:
    """Runs the test with a console on a stage."""

    def wrap(test: Callable[[Stage], Coroutine[Any, Any, None]]) -> Callable[[], None]:
        async def run() -> None:
            async with staged(**how) as stage:
                await test(stage)

        def called() -> None:
            asyncio.run(run())

        called.__name__ = test.__name__
        return called

    return wrap
