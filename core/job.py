"""A job's life: its states, the moves between them, and what each kind of drawing costs.

CONTRACT §5 as a table. Every move is decided by the Queue and stored before it is told.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Literal, TypeAlias


class State(StrEnum):
    """Where a job stands; the values are what users see."""

    QUEUED = "queued"
    GRANTED = "granted"
    SUBMITTING = "submitting"
    UNDECIDED = "undecided"
    DRAWING = "drawing"
    KEEPING = "keeping"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"


S = State

#: From a state, the states a job may move to. A state that is missing here is terminal.
NEXT = MappingProxyType(
    {
        S.QUEUED: frozenset({S.GRANTED, S.CANCELLED, S.FAILED}),
        S.GRANTED: frozenset({S.QUEUED, S.SUBMITTING, S.CANCELLED, S.FAILED}),
        S.SUBMITTING: frozenset({S.QUEUED, S.UNDECIDED, S.DRAWING, S.KEEPING, S.FAILED, S.CANCELLED}),
        S.UNDECIDED: frozenset({S.QUEUED, S.DRAWING, S.KEEPING, S.FAILED, S.CANCELLED}),
        S.DRAWING: frozenset({S.UNDECIDED, S.KEEPING, S.FAILED, S.CANCELLED}),
        S.KEEPING: frozenset({S.DONE, S.FAILED}),
    }
)

TERMINAL = frozenset(State) - frozenset(NEXT)

#: States in which the drawing bot may know of the job, so that it must never be submitted again unasked.
WITH_THE_BOT = frozenset({S.SUBMITTING, S.UNDECIDED, S.DRAWING, S.KEEPING})

#: States in which a job still waits for us, so that a cancel ends it at once.
WAITING = frozenset({S.QUEUED, S.GRANTED})

#: Kinds a client may ask for (CONTRACT §3 `draw`), and the one an `act` makes.
Kind: TypeAlias = Literal["imagine", "blend", "describe", "shorten"]
ACT = "act"
FREE_KINDS = frozenset({"describe", "shorten"})

#: Acts that draw nothing, so they cost nothing.
FREE_ACTIONS = frozenset({"seed"})

#: How a drawing is paid for at the drawing bot.
Mode: TypeAlias = Literal["fast", "relax", "turbo"]


def may_move(before: State, after: State) -> bool:
    """Whether the table allows the move."""
    return after in NEXT.get(before, frozenset())


def charge_of(kind: str, action: str | None = None) -> int:
    """Pictures of the daily quota that an accepted job of this kind, or this act, takes (CONTRACT §3)."""
    return 0 if kind in FREE_KINDS or action in FREE_ACTIONS else 1
