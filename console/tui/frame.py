"""Frame: the words around every screen: what holds for all of them, the title, and the keys. Pure."""

from __future__ import annotations

from rich.cells import cell_len

from console.tui.feet import Entry
from console.tui.looks import Known
from console.tui.view import View
from console.tui.words import span

#: Figures older than this bear their age, s: a look each second, and the second that a silent actor is given.
STALE_S = 4.0
NOT_UNDERSTOOD = "the daemon's answer is not understood; is it of another version?"


def notice_of(known: Known, view: View, url: str, own_version: str, now: float) -> str:
    """What holds for every screen: that nobody is there, or is of another version; else what this one lacks."""
    if known.lost_since is not None:
        away = span(now - known.lost_since)
        return f"▲ no connection for {away}, trying again: {known.lost_why} · {url.partition('://')[2]}"
    theirs = known.status.get("version")
    if theirs and theirs != own_version:
        return f"▲ the daemon is version {theirs}, this console {own_version}: it changes nothing there"
    if not known.is_understood:
        return f"▲ {NOT_UNDERSTOOD}"
    return f"▲ {view.missing}" if view.missing else ""


def title_of(view: View, known: Known, width: int, now: float) -> str:
    """The screen's heading, how old its figures are if they are, and whose key it is that may only read."""
    heading = f"─ {view.heading} "
    if view.taken_at is not None and now - view.taken_at > STALE_S:
        heading += f"· as of {span(now - view.taken_at)} ago "
    tail = f" {known.name} reads only ─" if known.reads_only else ""
    filled = heading + "─" * max(0, width - cell_len(heading) - cell_len(tail))
    return filled + tail if cell_len(heading) + cell_len(tail) <= width else filled


def entries_of(view: View, known: Known, can_go_back: bool) -> list[Entry]:
    """The keys of this screen. Who may only read is offered no deeds."""
    deeds = () if known.reads_only else view.deeds()
    entries = [Entry(deed.key, deed.label, f"app.press('{deed.key}')") for deed in deeds]
    entries += [Entry(key, label, f"app.press('{key.lower()}')") for key, label in view.KEYS]
    entries.append(Entry("/", "filter", "app.filter") if view.CAN_FILTER else Entry("/", "search", "app.find"))
    if can_go_back:
        entries.append(Entry("Esc", "back", "app.back"))
    return entries
