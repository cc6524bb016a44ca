"""Preferences: what an account has chosen at the drawing bot (`/settings`, `/prefer remix`, `/fast`, `/relax`)."""

from __future__ import annotations

import msgspec

from sim.grammar import MODE_OF_BUTTON
from sim.settings import Settings


class Preference(msgspec.Struct, frozen=True):
    """`remix`: a variation, reroll, pan or zoom opens a form first."""

    mode: str = "fast"
    remix: bool = False

    @property
    def layout(self) -> str:
        """The name of the buttons that show it (sim.grammar)."""
        return f"settings {self.mode} {'remix' if self.remix else 'plain'}"


class Preferences:
    """By account; who chose nothing has what the simulator's settings say. In memory."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.chosen: dict[str, Preference] = {}

    def of(self, account_id: str) -> Preference:
        return self.chosen.get(account_id) or Preference(remix=self.settings.remix)

    def choose_mode(self, account_id: str, mode: str) -> None:
        self.chosen[account_id] = msgspec.structs.replace(self.of(account_id), mode=mode)

    def toggle_remix(self, account_id: str) -> None:
        chosen = self.of(account_id)
        self.chosen[account_id] = msgspec.structs.replace(chosen, remix=not chosen.remix)

    def press(self, account_id: str, word: str) -> None:
        """A button of `/settings` was pressed: a mode, Remix, or Reset."""
        if word in MODE_OF_BUTTON:
            self.choose_mode(account_id, MODE_OF_BUTTON[word])
        elif word == "Remix":
            self.toggle_remix(account_id)
        else:
            self.chosen.pop(account_id, None)
