"""What to do about a submission that may or may not have reached the drawing bot: a ruling on the evidence.

A POST that may have arrived is never repeated. It is proven not taken only when a RESUME of the very gateway session
that was live when the POST began covers the whole time in which it may have been taken, and holds no trace of it
(DESIGN, "Never twice"). Where no reconnect happens by itself, one is made on purpose: a RESUME is free, and its RESUMED
closes the proof.

Pure: times are seconds of one monotonic clock, save where they are said to be stored ones.
"""

from __future__ import annotations

import math
from enum import Enum

import msgspec

#: A request that was answered with trouble (a 502) has left the edge: the rest of its way is this long at most. One
#: that was cut off may be on its way for as long as the edge waits for what is behind it: `[limits] in_flight_s`.
ANSWERED_S = 15.0
#: What was taken is told to the session so much later at most.
TRACE_S = 3.0
#: After `undecided_s` the Queue has failed the job; this much later the account lets go of it.
LET_GO_S = 5.0
#: What came due while nobody was there to see its evidence gets this long from the next start on.
GRACE_S = 30.0


class Doubt(msgspec.Struct, frozen=True):
    """Since when nobody knows, until when it matters, and the gateway session that was live when the POST began.

    `since` is when the POST had certainly been cut off, and `in_flight_s` for how long after that Discord may yet take
    it. `gateway_session` None: it is not known.
    """

    since: float
    until: float
    gateway_session: str | None
    in_flight_s: float

    @property
    def settled_at(self) -> float:
        """From here on nothing can be taken any more, and what was taken has been told."""
        return self.since + self.in_flight_s + TRACE_S


class Ruling(Enum):
    """What follows."""

    WAIT = "wait"  # evidence may still come
    PROVE = "prove"  # resume on purpose: its replay will hold a trace, or prove that there is none
    NOT_TAKEN = "not taken"  # proven: it may be given back
    LET_GO = "let go"  # too late for any evidence


def patience_s(since: float, now: float, limit_s: float) -> float:
    """How long to wait yet for what may take `limit_s` and has been waited for since `since`, in earlier lives too.

    Both times are stored ones (Unix s). Deaths of ours do not begin the time anew. When it was over, or nearly, before
    anyone was there again (or the clock was set), nobody has looked for evidence: then a while is given for it, and not
    another one to each life.
    """
    left_s, grace_s = limit_s - max(0.0, now - since), min(GRACE_S, limit_s)
    return max(left_s, min(grace_s, left_s + grace_s)) if left_s > -grace_s else grace_s


def stamp(moment: float, clock: str | None) -> str | None:
    """A moment of this clock as it is stored, for a later life to read; None where nobody could say whose it is."""
    return None if clock is None else f"{moment:.3f} {clock}"


def moment(stamped: str | None, clock: str | None, now: float) -> float:
    """The moment that an earlier life stored, if it was one of the clock that is read `now`; `now`, if it was not.

    What people set (Unix time) is no proof of how long ago something was, and no reason to send it again. This is one.
    """
    if stamped is None or clock is None:
        return now
    number, _, of = stamped.partition(" ")
    try:
        then = float(number)
    except ValueError:
        return now
    return then if of == clock and math.isfinite(then) and then <= now else now


def rule(doubt: Doubt, now: float, live_session: str | None, resumed_at: float | None) -> Ruling:
    """The ruling on a doubt of which no trace was seen until now.

    `live_session` is the gateway session that is live now (None: none is), `resumed_at` when it was last RESUMED: by
    then all that it had been told before has been handed to us again.
    """
    if now - doubt.until >= LET_GO_S:
        return Ruling.LET_GO
    if now < doubt.settled_at or live_session is None or live_session != doubt.gateway_session:
        return Ruling.WAIT
    return Ruling.PROVE if resumed_at is None or resumed_at < doubt.settled_at else Ruling.NOT_TAKEN
