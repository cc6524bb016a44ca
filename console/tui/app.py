"""The console as an app: the frame around the screens, the way between them, and the looks at the daemon.

It looks each second at what is on the screen, and goes on by itself when the daemon was away.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import structlog
from textual import events, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.widgets import Input, Label, Static

from console.endings import FAILED, INTERRUPTED, REFUSED, Quit
from console.tui.accounts import AccountPage, Accounts
from console.tui.actors import ActorPage, Actors
from console.tui.deeds import Deed
from console.tui.dialogs import Confirm, Help
from console.tui.events import Events
from console.tui.feet import ALWAYS, TAB_ENTRIES, Entry, Feet
from console.tui.found import Found
from console.tui.grid import Grid
from console.tui.header import Header, History
from console.tui.jobs import JobPage, Jobs
from console.tui.link import Answer, Lost, Refused, Source
from console.tui.nodes import Audit, Nodes
from console.tui.overview import Overview
from console.tui.place import HOME, TABS, Place, tab_of
from console.tui.styles import CSS, THEME
from console.tui.users import UserPage, Users
from console.tui.view import View
from console.tui.words import span

VIEWS: Mapping[str, type[View]] = {
    "overview": Overview, "actors": Actors, "accounts": Accounts, "jobs": Jobs, "users": Users, "events": Events,
    "nodes": Nodes, "audit": Audit, "actor": ActorPage, "account": AccountPage, "job": JobPage, "user": UserPage,
    "found": Found,
}  # fmt: skip
LOOK_EACH_S = 1.0
#: Of the screens without it, the status for the line on top is looked at each second look.
STATUS_EACH = 2
SAID_S = 8.0
TRAIL_MAX = 20
#: Answers of another version may lack what we count on.
NOT_UNDERSTOOD = (TypeError, ValueError, AttributeError, KeyError, IndexError)

log = structlog.get_logger("limner.console")


class ConsoleApp(App[Quit | None]):
    """`limner console`. Ends with None, or with why it could not go on."""

    CSS = CSS
    TITLE = "limner"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = [
        *(Binding(f"f{number},{number}", f"tab({number - 1})", show=False) for number in range(1, len(TABS) + 1)),
        Binding("escape", "back", show=False),
        Binding("slash", "filter", show=False),
        Binding("g", "find", show=False),
        Binding("o", "order", show=False),
        Binding("question_mark", "help", show=False),
        Binding("q,ctrl+q", "leave", show=False),
        Binding("ctrl+c", "interrupt", show=False, priority=True),
    ]

    def __init__(
        self, source: Source, url: str, version: str,
        now: Callable[[], float] = time.time, look_each_s: float | None = LOOK_EACH_S,
    ) -> None:  # fmt: skip
        """`version` is ours. `look_each_s` None: it looks only when told to (`look`), as tests want it."""
        super().__init__(ansi_color=True if "NO_COLOR" in os.environ else None)
        self.source, self.url, self.own_version, self.now = source, url, version, now
        self.look_each_s = look_each_s
        self.history = History()
        self.status: Answer = {}
        self.lost_since: float | None = None
        self.lost_why = ""
        self.tabs: dict[str, View] = {}
        self.trail: list[View] = []
        self._looks = 0
        self._wanted = asyncio.Event()
        self._finding = False

    # --- the frame -------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Header()
        yield Static("", id="notice", markup=False)
        yield Static("", id="title", markup=False)
        yield Container(id="body")
        with Horizontal(id="finder"):
            yield Label("/ ", markup=False, id="finder-label")
            yield Input(compact=True, id="finder-text")
        yield Feet("deeds")
        yield Feet("tabs")

    async def on_mount(self) -> None:
        self.register_theme(THEME)
        self.theme = THEME.name
        await self.go(HOME)
        if self.look_each_s is not None:
            self._keep_looking()

    async def on_unmount(self) -> None:
        await self.source.close()

    @property
    def view(self) -> View:
        """The screen that is seen."""
        return self.trail[-1]

    @property
    def is_asking(self) -> bool:
        """Whether a dialog is open."""
        return len(self.screen_stack) > 1

    # --- looks at the daemon ---------------------------------------------------------------------------------------

    @work(exclusive=True, group="looks")
    async def _keep_looking(self) -> None:
        while True:
            await self.look()
            self._wanted.clear()
            try:
                await asyncio.wait_for(self._wanted.wait(), self.look_each_s)
            except TimeoutError:
                continue

    async def look(self) -> None:
        """One look: asks for what the screen shows, and shows it. A daemon that is away leaves all as it was."""
        view = self.view
        asks = view.asks()
        with_status = isinstance(view, Overview) or self._looks % STATUS_EACH == 0 or self.lost_since is not None
        self._looks += 1
        if with_status:
            asks["status"] = "status"
        found = await asyncio.gather(*(self.source.get(path) for path in asks.values()), return_exceptions=True)
        told = dict(zip(asks, found, strict=True))
        for each in told.values():
            if isinstance(each, BaseException) and not isinstance(each, Lost | Refused):
                raise each
        answers = {name: each for name, each in told.items() if isinstance(each, Mapping)}
        refusals = {name: each for name, each in told.items() if isinstance(each, Refused)}
        lost = next((each for each in told.values() if isinstance(each, Lost)), None)
        no_entry = refusals.pop("status", None) or next(iter(refusals.values()), None)
        if no_entry is not None and no_entry.status in (401, 403):
            self.exit(Quit(REFUSED, f"{no_entry.code}: {no_entry.message}"))
            return
        self._hold(lost)
        self._show(view, answers, refusals, lost is not None)

    def _hold(self, lost: Lost | None) -> None:
        """Remembers whether the daemon is there."""
        if lost is None:
            self.lost_since = None
        elif self.lost_since is None:
            self.lost_since = self.now()
        self.lost_why = str(lost or "")

    def _show(self, view: View, answers: dict[str, Answer], refusals: dict[str, Refused], is_lost: bool) -> None:
        try:
            if "status" in answers:
                self.status = answers.pop("status")
                self.history.add(self.status)
                self.query_base(Header).tell(self.status, self.history)
            if isinstance(view, Overview):
                view.status = self.status
            if view is self.view and not is_lost:
                view.take(answers, refusals)
        except NOT_UNDERSTOOD as trouble:
            log.warning("an answer was not understood", view=view.place.kind, why=repr(trouble))
            view.missing = "the daemon's answer is not understood; is it of another version?"
        self._write_frame()

    def query_base(self, kind: type[Any], selector: str = "") -> Any:
        """A widget of the frame, also while a dialog is open."""
        found = self.screen_stack[0].query(selector) if selector else self.screen_stack[0].query(kind)
        return found.first(kind)

    def _write_frame(self) -> None:
        """Everything around the screen: notice, title, what can be done, and where we are."""
        if not self.trail:
            return
        notice = self._notice()
        line: Static = self.query_base(Static, "#notice")
        line.update(notice)
        line.set_class(bool(notice), "told")
        self.screen_stack[0].set_class(self.lost_since is not None, "lost")
        view = self.view
        heading = f"─ {view.heading} "
        title: Static = self.query_base(Static, "#title")
        title.update(heading + "─" * max(0, self.size.width - 2 - len(heading)))
        entries = [Entry(deed.key, deed.label, f"app.press('{deed.key}')") for deed in view.deeds()]
        entries += [Entry(key, label, f"app.press('{key.lower()}')") for key, label in view.KEYS]
        entries.append(Entry("/", "filter", "app.filter") if view.CAN_FILTER else Entry("/", "search", "app.find"))
        if len(self.trail) > 1:
            entries.append(Entry("Esc", "back", "app.back"))
        self.query_base(Feet, "#deeds").tell(entries)
        kinds = [place.kind for place, _ in TABS]
        kind = tab_of(self.trail[0].place)
        lit = TAB_ENTRIES[kinds.index(kind)] if kind in kinds else None
        self.query_base(Feet, "#tabs").tell((*TAB_ENTRIES, *ALWAYS), lit)

    def _notice(self) -> str:
        """What holds for every screen: that nobody is there, or is of another version; else what this one lacks."""
        if self.lost_since is not None:
            away = span(self.now() - self.lost_since)
            return f"▲ no connection to {self.url}, trying again ({away}): {self.lost_why}"
        theirs = self.status.get("version")
        if theirs and theirs != self.own_version:
            return f"▲ the daemon is version {theirs}, this console {self.own_version}: it changes nothing there"
        return f"▲ {self.view.missing}" if self.view.missing else ""

    def on_view_changed(self, changed: View.Changed) -> None:
        changed.stop()
        self._write_frame()
        if changed.wants:
            self._wanted.set()

    def on_resize(self) -> None:
        self._write_frame()

    # --- the way ---------------------------------------------------------------------------------------------------

    async def go(self, place: Place, instead: bool = False) -> None:
        """Shows a place. A tab is a new beginning; all else is one step further, and Esc leads back."""
        is_tab = Place(place.kind) in (tab for tab, _ in TABS) and not place.of
        if is_tab and not place.needle:
            view = self.tabs.get(place.kind) or self._new(place)
            self.tabs[place.kind] = view
            left, self.trail = [each for each in self.trail if each not in self.tabs.values()], [view]
        else:
            view = self._new(place)
            left = [self.trail.pop()] if instead and len(self.trail) > 1 else []
            self.trail.append(view)
        body: Container = self.query_base(Container, "#body")
        if not view.is_attached:
            await body.mount(view)
        for each in left:
            await each.remove()
        if len(self.trail) > TRAIL_MAX:
            await self.trail.pop(1).remove()
        self._face(view)

    def _new(self, place: Place) -> View:
        view = VIEWS[place.kind](place, self.now)
        if isinstance(view, Overview):
            view.history, view.status = self.history, self.status
        return view

    def _face(self, view: View) -> None:
        """The view is the one that is seen, and has the keys."""
        for each in self.query_base(Container, "#body").children:
            each.display = each is view
        view.grid.focus()
        self.say("")
        self._write_frame()
        self._wanted.set()

    async def on_grid_opened(self, opened: Grid.Opened) -> None:
        opened.stop()
        place = self.view.leads_to(opened.key)
        if place is not None and place != self.view.place:
            await self.go(place)

    async def on_view_goes(self, goes: View.Goes) -> None:
        goes.stop()
        await self.go(goes.place, goes.instead)

    async def action_tab(self, at: int) -> None:
        """A list of those in the last line."""
        await self.go(TABS[at][0])

    async def action_back(self) -> None:
        """Where we came from; a filter is taken away first."""
        if self.view.needle and len(self.trail) == 1:
            self.view.filter("")
            self._write_frame()
        elif len(self.trail) > 1:
            await self.trail.pop().remove()
            self._face(self.view)

    def action_press(self, key: str) -> None:
        """A click on a key's name presses it."""
        self.simulate_key(key.removeprefix("→").replace("←", "right") if key.startswith("→") else key)

    def action_help(self) -> None:
        """The keys."""
        self.push_screen(Help())

    def action_leave(self) -> None:
        """The end."""
        self.exit(None)

    def action_interrupt(self) -> None:
        """The end, at once, whatever is open."""
        self.exit(Quit(INTERRUPTED, "interrupted"))

    def action_order(self) -> None:
        """The next order of the list."""
        self.view.next_order()

    # --- filter and search -----------------------------------------------------------------------------------------

    def action_filter(self) -> None:
        """Types into the filter of the list; where there is none, it searches everywhere."""
        self._open_finder(finding=not self.view.CAN_FILTER)

    def action_find(self) -> None:
        """Asks for a name to go to."""
        self._open_finder(finding=True)

    def _open_finder(self, finding: bool) -> None:
        self._finding = finding
        self.query_base(Label, "#finder-label").update("go to " if finding else "/ ")
        text: Input = self.query_base(Input, "#finder-text")
        text.placeholder = "a job's id, a user, an account or an actor" if finding else ""
        text.value = "" if finding else self.view.needle
        self.query_base(Horizontal, "#finder").add_class("open")
        text.focus()

    def _close_finder(self) -> None:
        self.query_base(Horizontal, "#finder").remove_class("open")
        self.view.grid.focus()

    def on_input_changed(self, changed: Input.Changed) -> None:
        if changed.input.id == "finder-text" and not self._finding and changed.input.has_focus:
            self.view.filter(changed.value.strip())

    async def on_input_submitted(self, submitted: Input.Submitted) -> None:
        if submitted.input.id == "finder-text":
            wanted = submitted.value.strip()
            self._close_finder()
            if self._finding and wanted:
                await self.go(Place("found", wanted))

    # --- deeds -----------------------------------------------------------------------------------------------------

    def on_key(self, key: events.Key) -> None:
        if self.is_asking:
            return
        if isinstance(self.focused, Input):
            if key.key == "escape":
                key.stop()
                if not self._finding:
                    self.view.filter("")
                self._close_finder()
            return
        deed = next((each for each in self.view.deeds() if each.key == key.key), None)
        if deed is not None:
            key.stop()
            self.begin(deed)

    @work(group="deeds")
    async def begin(self, deed: Deed) -> None:
        """Asks, and does it if it shall be."""
        body = await self.push_screen_wait(Confirm(deed))
        if body is not None:
            await self.perform(deed, body)

    async def perform(self, deed: Deed, body: Mapping[str, Any]) -> None:
        """Tells the daemon, and says what came of it."""
        what = " ".join(part for part in (deed.label, deed.of) if part)
        try:
            answer = await self.source.post(deed.path, body)
        except Refused as refused:
            self.say(f"● {what} refused: {refused.code}: {refused.message}", "red")
            return
        except Lost as lost:
            self.say(f"▲ {what}: no answer, look whether it was done ({lost})", "yellow")
            return
        self.say(f"done: {what}" if answer.get("changed", True) else f"nothing to do: {what}; it was so already")
        if deed.noun == "jobs" and answer.get("job"):
            await self.go(Place("job", str(answer["job"])))
        self._wanted.set()

    def say(self, words: str, tone: str = "") -> None:
        """Words in place of the keys, for a while."""
        feet: Feet = self.query_base(Feet, "#deeds")
        feet.say(words, tone)
        if words:
            self.set_timer(SAID_S, lambda: feet.say(""), name="said")

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours: a line for the person, not a page of traceback. Tests see it as it is."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.exit(Quit(FAILED, f"the console failed ({type(error).__name__}: {error}); start it again"), return_code=1)
