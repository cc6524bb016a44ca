"""Styles: how the console looks: grey, quiet, and colours for trouble only."""

from __future__ import annotations

from textual.theme import Theme

THEME = Theme(
    name="limner",
    primary="#9aa4ad",
    secondary="#9aa4ad",
    accent="#c9ced3",
    foreground="#c9ced3",
    background="#111315",
    surface="#181b1e",
    panel="#24282c",
    warning="#e6c07b",
    error="#ff7b72",
    success="#c9ced3",
    dark=True,
)

CSS = """
Screen { background: $background; color: $foreground; layers: below above; }

#header { height: 1; padding: 0 1; background: $panel; text-style: bold; text-wrap: nowrap; }
#notice { height: auto; max-height: 2; padding: 0 1; color: $warning; text-style: bold; display: none; }
#notice.told { display: block; }
#title { height: 1; padding: 0 1; color: $text-muted; text-wrap: nowrap; text-overflow: ellipsis; }
#body { height: 1fr; }
#deeds, #tabs { height: 1; padding: 0 1; text-wrap: nowrap;
    link-color: $foreground; link-style: none; link-background: transparent;
    link-color-hover: $foreground; link-style-hover: underline; link-background-hover: transparent; }
#deeds.said { height: auto; max-height: 3; text-wrap: wrap; }
#tabs { background: $panel; }
#finder { height: 1; padding: 0 1; display: none; }
#finder.open { display: block; }
#finder Label { width: auto; }
#finder Input, .field Input { border: none; height: 1; padding: 0; background: $panel; width: 1fr; }
.lost #body, .lost #header, .lost #title { text-opacity: 45%; }

View { height: 1fr; }
Grid { height: 1fr; scrollbar-size-vertical: 1; scrollbar-size-horizontal: 0; overflow-x: hidden;
    scrollbar-color: $panel; scrollbar-background: $background; scrollbar-color-hover: $primary;
    scrollbar-background-hover: $background;
    scrollbar-color-active: $primary; scrollbar-background-active: $background; }
.grid--title { color: $text-muted; }
.grid--cursor { background: $panel; }
.grid--yellow { color: $warning; }
.grid--red { color: $error; }
.grid--dim { color: $text-muted; }
.grid--empty { color: $text-muted; }
.lost .grid--yellow, .lost .grid--red, .lost .grid--title { color: $text-disabled; }
.lost .charts, .lost .facts, .lost .below { text-opacity: 45%; }
.lost Grid { color: $text-disabled; }

.facts { height: auto; padding: 0 1; }
.charts { padding: 0 1; text-wrap: nowrap; }
.below { height: 2; padding: 0 1; color: $text-muted; }

ModalScreen { align: center middle; background: $background 60%; }
.dialog { width: 70; max-width: 90%; height: auto; max-height: 90%; padding: 1 2; background: $panel;
    scrollbar-size-vertical: 1; }
.dialog.wide { width: 80; max-width: 100%; }
.question { width: 100%; height: auto; }
.field { height: 1; margin-top: 1; }
.field .label { width: 22; }
.field Input { background: $background; }
#unfit { color: $warning; height: 1; }
#away { color: $warning; width: 100%; height: auto; max-height: 2; display: none; }
#away.told { display: block; }
.buttons { height: 1; }
.buttons Button { margin-right: 2; background: $background; color: $foreground; border: none; height: 1;
    min-width: 8; text-style: none; }
.buttons Button:focus { text-style: bold reverse; background: $background; }
.hint { margin-top: 1; }
.dim { color: $text-muted; }
"""
