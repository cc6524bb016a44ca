"""Place: where in the console one is, so that going there and back again is a list of values."""

from __future__ import annotations

from typing import NamedTuple


class Place(NamedTuple):
    """A screen, and whom or what it is about: `Place("account", "fox-07")`; a list is about nothing.

    `needle`: what the list is filtered by when it is opened.
    """

    kind: str
    of: str = ""
    needle: str = ""


#: The screens that a key leads to, in the order of the keys F1, F2, …
TABS = (
    (Place("overview"), "Overview"),
    (Place("actors"), "Actors"),
    (Place("accounts"), "Accounts"),
    (Place("jobs"), "Jobs"),
    (Place("users"), "Users"),
    (Place("events"), "Events"),
    (Place("nodes"), "Nodes"),
    (Place("audit"), "Audit"),
)
HOME = TABS[0][0]
#: Under which tab the page of one thing stands.
ABOVE = {"actor": "actors", "account": "accounts", "job": "jobs", "user": "users"}


def tab_of(place: Place) -> str:
    """The kind of the list that a place belongs to."""
    return ABOVE.get(place.kind, place.kind)
