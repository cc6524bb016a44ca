"""The console as an app: the frame around the screens, the way between them, and what is done from them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from textual import events, work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Horizontal
from textual.timer import Timer
from textual.widgets import Input, Label, Static

from console.endings import FAILED, INTERRUPTED, Quit
from console.tui.accounts import AccountPage, Accounts
from console.tui.actors import ActorPage, Actors
from console.tui.deeds import Deed
from console.tui.dialogs import Confirm, Help
from console.tui.events import Events
from console.tui.feet import ALWAYS, TAB_ENTRIES, Feet
from console.tui.found import Found
from console.tui.frame import entries_of, notice_of, title_of
from console.tui.grid import Grid
from console.tui.header import Header
from console.tui.jobs import JobPage, Jobs
from console.tui.link import Lost, Refused, Source
from console.tui.nodes import Audit, Nodes
from console.tui.overview import Overview
from console.tui.place import HOME, TABS, Place, tab_of
from console.tui.styles import CSS, THEME
from console.tui.users import UserPage, Users
from console.tui.view import MORE, View
from console.tui.watch import LOOK_EACH_S, Watching

VIEWS: Mapping[str, type[View]] = {
    "overview": Overview, "actors": Actors, "accounts": Accounts, "jobs": Jobs, "users": Users, "events": Events,
    "nodes": Nodes, "audit": Audit, "actor": ActorPage, "account": AccountPage, "job": JobPage, "user": UserPage,
    "found": Found,
}  # fmt: skip
SAID_S = 8.0
TRAIL_MAX = 20


class ConsoleApp(Watching):
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
        super().__init__(source, now, look_each_s)
        self.url, self.own_version = url, version
        self.tabs: dict[str, View] = {}
        self._finding = False
        self._said: Timer | None = None

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

    @property
    def is_asking(self) -> bool:
        """Whether a dialog is open."""
        return len(self.screen_stack) > 1

    # --- around the screens ----------------------------------------------------------------------------------------

    def write_frame(self) -> None:
        """Everything around the screen: notice, title, what can be done, and where we are."""
        if not self.trail:
            return
        view, known = self.view, self.known
        notice = notice_of(known, view, self.url, self.own_version, self.now())
        line: Static = self.query_base(Static, "#notice")
        line.update(notice)
        line.set_class(bool(notice), "told")
        self.screen_stack[0].set_class(known.lost_since is not None, "lost")
        if isinstance(self.screen, Confirm):
            self.screen.say_lost(notice if known.lost_since is not None else "")
        title: Static = self.query_base(Static, "#title")
        title.update(title_of(view, known, self.size.width - 2, self.now()))
        self.query_base(Feet, "#deeds").tell(entries_of(view, known, len(self.trail) > 1))
        kinds = [place.kind for place, _ in TABS]
        kind = tab_of(self.trail[0].place)
        lit = TAB_ENTRIES[kinds.index(kind)] if kind in kinds else None
        self.query_base(Feet, "#tabs").tell((*TAB_ENTRIES, *ALWAYS), lit)

    def on_view_changed(self, changed: View.Changed) -> None:
        changed.stop()
        self.write_frame()
        if changed.wants:
            self.want()

    def on_resize(self) -> None:
        self.write_frame()

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
            view.history, view.status = self.history, self.known.status
        return view

    def _face(self, view: View) -> None:
        """The view is the one that is seen, and has the keys."""
        for each in self.query_base(Container, "#body").children:
            each.display = each is view
        view.grid.focus()
        self.say("")
        self.write_frame()
        self.want(status=isinstance(view, Overview))

    async def on_grid_opened(self, opened: Grid.Opened) -> None:
        opened.stop()
        if opened.key == MORE:
            self.view.turn(onward=True)
            return
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
        """Where we came from; a page is turned back, and a filter taken away first."""
        if self.view.turn(onward=False):
            return
        if self.view.needle and len(self.trail) == 1:
            self.view.filter("")
            self.write_frame()
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
            if self.known.reads_only:
                self.say(f"▲ no {deed.label}: the key of {self.known.name} has the role {self.known.role}", "yellow")
                return
            self.begin(deed)

    @work(group="deeds")
    async def begin(self, deed: Deed) -> None:
        """Asks, and does it if it shall be. Meanwhile the cursor stays at what is asked about."""
        self.view.grid.pin()
        self.want()
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
            known = "no answer, look whether it was done" if lost.may_be_done else "not done, for nobody is there"
            self.say(f"▲ {what}: {known} ({lost})", "yellow")
            return
        self.say(f"done: {what}" if answer.get("changed", True) else f"nothing to do: {what}; it was so already")
        if deed.noun == "jobs" and answer.get("job"):
            await self.go(Place("job", str(answer["job"])))
        self.want(status=True)

    def say(self, words: str, tone: str = "") -> None:
        """Words in place of the keys, for a while."""
        feet: Feet = self.query_base(Feet, "#deeds")
        feet.say(words, tone)
        if self._said is not None:
            self._said.stop()
        self._said = self.set_timer(SAID_S, lambda: feet.say(""), name="said") if words else None

    def _handle_exception(self, error: Exception) -> None:
        """A fault of ours: a line for the person, not a page of traceback. Tests see it as it is."""
        if self.is_headless:
            super()._handle_exception(error)
            return
        self.exit(Quit(FAILED, f"the console failed ({type(error).__name__}: {error}); start it again"), return_code=1)
