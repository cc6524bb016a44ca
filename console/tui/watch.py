"""Watch: the app's looks at the daemon: each second at what is on the screen, again by itself when it was away."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Any

import structlog
from textual import work
from textual.app import App

from console.endings import REFUSED, Quit
from console.tui.dialogs import Confirm
from console.tui.frame import NOT_UNDERSTOOD
from console.tui.header import Header
from console.tui.history import History
from console.tui.link import Answer, Lost, Source
from console.tui.looks import Known, Round, look_at
from console.tui.overview import Overview
from console.tui.view import View

LOOK_EACH_S = 1.0
#: Of the screens without it, the status for the line on top is looked at so many times less often.
STATUS_EACH = 2
#: Answers of another version may lack what we count on.
BAFFLING = (TypeError, ValueError, AttributeError, KeyError, IndexError)

log = structlog.get_logger("limner.console")


class Watching(App[Quit | None]):
    """What looks, and tells the screens. What stands around them is for the console to say."""

    def __init__(self, source: Source, now: Callable[[], float], look_each_s: float | None) -> None:
        """`now`: Unix time, s. `look_each_s` None: it looks only when told to (`look`), as tests want it."""
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.source, self.now, self.look_each_s = source, now, look_each_s
        self.history, self.known = History(), Known()
        #: The way to the screen that is seen, which is its last.
        self.trail: list[View] = []

    @property
    def view(self) -> View:
        """The screen that is seen."""
        return self.trail[-1]

    def write_frame(self) -> None:
        """Everything around the screen: for the console to fill in."""

    def query_base(self, kind: type[Any], selector: str = "") -> Any:
        """A widget of the frame, also while a dialog is open."""
        found = self.screen_stack[0].query(selector) if selector else self.screen_stack[0].query(kind)
        return found.first(kind)

    async def on_unmount(self) -> None:
        await self.source.close()

    @work(exclusive=True, group="looks")
    async def _keep_looking(self) -> None:
        """Looks at what is seen, again and again. Called once more, it begins anew at once, with what is seen now."""
        while self.look_each_s is not None:
            await self.look_at_view()
            await asyncio.sleep(self.look_each_s)

    @work(exclusive=True, group="status")
    async def _keep_status(self) -> None:
        """The line on top, beside the screens: a service whose figures come late holds up none of them."""
        while self.look_each_s is not None:
            await self.look_at_status()
            is_watched = isinstance(self.view, Overview) or self.known.lost_since is not None
            await asyncio.sleep(self.look_each_s * (1 if is_watched else STATUS_EACH))

    def want(self, status: bool = False) -> None:
        """What is seen is wanted now; with it the service's figures."""
        if self.look_each_s is not None:
            self._keep_looking()
            if status:
                self._keep_status()

    async def look(self) -> None:
        """One look: asks for what the screen shows, and shows it. A daemon that is away leaves all as it was."""
        await self.look_at_status()
        await self.look_at_view()

    async def look_at_view(self) -> None:
        """Asks for what the screen shows. What nobody wants any more when it comes, is not shown."""
        view = self.view
        asks = view.asks()
        round_ = await look_at(self.source, asks)
        if self._is_barred(round_) or view is not self.view or view.asks() != asks:
            return
        lost = round_.lost
        if lost is not None and lost.is_slow and self.known.lost_since is None:
            view.missing = str(lost)  # the daemon is there, or the look at its status says otherwise
        else:
            self._hold(lost)
        if lost is None:
            self._show(view, round_)
        self.write_frame()

    async def look_at_status(self) -> None:
        """Asks how the service does, and once whose key this is."""
        asks = {"status": "status"} if self.known.role else {"status": "status", "login": "login"}
        round_ = await look_at(self.source, asks)
        if self._is_barred(round_):
            return
        self._hold(round_.lost)
        login = round_.answers.get("login", {})
        self.known.name, self.known.role = login.get("name") or self.known.name, login.get("role") or self.known.role
        if "status" in round_.answers:
            self._tell_status(round_.answers["status"])
        self.write_frame()

    def _is_barred(self, round_: Round) -> bool:
        """Ends the console when its key is none (any more)."""
        refused = round_.no_entry
        if refused is not None:
            self.exit(Quit(REFUSED, f"{refused.code}: {refused.message}"))
        return refused is not None

    def _hold(self, lost: Lost | None) -> None:
        """Remembers whether the daemon is there. One that is back is asked for everything at once."""
        was_lost = self.known.lost_since is not None
        self.known.hold(lost, self.now())
        if was_lost and lost is None:
            self.want(status=True)

    def _tell_status(self, status: Answer) -> None:
        try:
            self.known.is_understood, self.known.status = False, status
            self.history.add(status, self.now())
            self.query_base(Header).tell(status, self.history)
            if isinstance(self.view, Overview):
                self.view.tell(status)
            self.known.is_understood = True
        except BAFFLING as trouble:
            log.warning("the status was not understood", why=repr(trouble))

    def _show(self, view: View, round_: Round) -> None:
        try:
            view.take(round_.answers, round_.refusals)
        except BAFFLING as trouble:
            log.warning("an answer was not understood", view=view.place.kind, why=repr(trouble))
            view.missing = NOT_UNDERSTOOD
        question = self.screen
        if isinstance(question, Confirm):
            question.tell(view.deeds())
