"""Dialogs: the question before a deed, and the list of keys. Esc leaves each of them, and nothing has happened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Button, Input, Label, Static

from console.tui.deeds import Deed, Unfit


class Confirm(ModalScreen[dict[str, Any] | None]):
    """Asks whether a deed shall be done, with its fields. Ends with its arguments, or None: no.

    "No" has the focus, so that a key too many changes nothing, and `y` is yes. Where a field must be filled, it has the
    focus, and Enter in it is yes.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "no", show=False),
        Binding("y", "yes", show=False),
        Binding("left,right", "app.focus_next", show=False),
    ]

    def __init__(self, deed: Deed) -> None:
        super().__init__()
        self.deed = deed
        self._lost = ""

    @property
    def must_fill(self) -> bool:
        """Whether there is no answer without a field."""
        return self.deed.needs_one or any(not field.optional for field in self.deed.fields)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Label(self.deed.question, markup=False, classes="question")
            for field in self.deed.fields:
                with Horizontal(classes="field"):
                    hint = "" if not field.optional or self.deed.needs_one else " (optional)"
                    yield Label(f"{field.label}{hint}", markup=False, classes="label")
                    yield Input(field.initial, id=f"field-{field.name}", compact=True, select_on_focus=True)
            yield Label("", markup=False, id="unfit")
            yield Label("", markup=False, id="away")
            with Horizontal(classes="buttons"):
                yield Button(f"Yes: {self.deed.label}", id="yes", compact=True)
                yield Button("No", id="no", compact=True)
            keys = "Enter yes · Esc no" if self.must_fill else "y yes · n or Esc no"
            yield Label(f"{keys} · Tab" if self.deed.fields else keys, markup=False, classes="dim hint")

    def on_mount(self) -> None:
        (self.query(Input).first() if self.must_fill else self.query_one("#no")).focus()

    def tell(self, deeds: Sequence[Deed]) -> None:
        """What can be done by now: the question is of this moment, not of that in which it was asked."""
        deed = next((each for each in deeds if (each.key, each.path) == (self.deed.key, self.deed.path)), None)
        if deed is not None and deed.question != self.deed.question and self.is_mounted:
            self.deed = deed
            self.query_one(".question", Label).update(deed.question)

    def say_lost(self, words: str) -> None:
        """That the question is of a while ago, for nobody is there; empty: somebody is."""
        if words != self._lost and self.is_mounted:
            self._lost = words
            away: Label = self.query_one("#away", Label)
            away.update(words)
            away.set_class(bool(words), "told")

    def action_yes(self) -> None:
        """Done, if the fields can be read."""
        texts = {field.name: self.query_one(f"#field-{field.name}", Input).value for field in self.deed.fields}
        try:
            body = self.deed.body(texts)
        except Unfit as unfit:
            self.query_one("#unfit", Label).update(f"▲ {unfit}")
            return
        self.dismiss(body)

    def action_no(self) -> None:
        """Nothing is done."""
        self.dismiss(None)

    def on_input_submitted(self, submitted: Input.Submitted) -> None:
        submitted.stop()
        self.action_yes()

    def on_button_pressed(self, pressed: Button.Pressed) -> None:
        pressed.stop()
        self.action_yes() if pressed.button.id == "yes" else self.action_no()


HELP = """\
Everywhere
  F1 … F8, 1 … 8   Overview, Actors, Accounts, Jobs, Users, Events, Nodes,
                   Audit
  ↑ ↓ PgUp PgDn    move; also k j, Home, End, the wheel; the cursor stays
                   at its thing wherever that goes, until Home
  Enter            open what is under the cursor; also a double click
  Esc              back to where you came from
  /                filter the list as you type; Enter keeps it, Esc clears
  g                go to anything by its name: a job's id, a user, an
                   account, an actor; on the Overview / does the same
  o                another order; a click on a title orders by it
  ? q              this help; quit

Doing something: the line above the tabs names what can be done to what is
under the cursor. Each deed says what will happen, and asks: y is yes, n or
Esc is no.

Overview     p r  pause and resume the queue
Actors       x restart   s suspend   r resume   l log level
             → ← open and close a branch; o leaves the tree for a list
Accounts     s suspend   r resume   d drain   n slots   x remove
             on the page of one: e events of it
Jobs         c cancel   r retry   t trace   f another state
             / takes user:ana state:failed account:fox-07, or a name
             on the page of one: f follow its timeline, u user, a account
Users        b ban   u unban   n quota
Events       f another level; End follows what comes
Nodes        d drain   r resume

Signs        ▲ yellow: needs a look     ● red: needs a hand
"""


class Help(ModalScreen[None]):
    """The keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,question_mark,q,enter", "dismiss", show=False)]

    def compose(self) -> ComposeResult:
        with VerticalScroll(classes="dialog wide"):
            yield Static(HELP, markup=False)
            yield Static("↑ ↓ scroll · Esc closes", markup=False, classes="dim")

    async def action_dismiss(self, result: None = None) -> None:
        """Closes it."""
        self.dismiss(None)
