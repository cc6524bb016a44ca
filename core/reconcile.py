"""What to do about a submission that may or may not have reached the drawing bot: a ruling on the evidence.

A POST that may have arrived is never repeated. It is proven not taken only when a RESUME of the very gateway session
that was live when the POST began covers the whole time since, and holds no trace of it (DESIGN, "Never twice"). Where
no reconnect happens by itself, one is made on purpose: a RESUME is free, and its RESUMED closes the proof.

Pure: all times are seconds of one monotonic clock.
"""

from __future__ import annotations

from enum import Enum

import msgspec

#: A request that was cut off may still be on its way inside Discord for this long.
IN_FLIGHT_S = 15.0
#: Events of the replay may overtake RESUMED by this much.
TRACE_S = 3.0
#: After `undecided_s` the Queue has failed the job; this much later the account lets go of it.
LET_GO_S = 5.0


class Doubt(msgspec.Struct, frozen=True):
    """Since when nobody knows, and the gateway session that was live when the POST began (None: not known)."""

    since: float
    gateway_session: str | None


class Ruling(Enum):
    """What follows."""

    WAIT = "wait"  # evidence may still come
    PROVE = "prove"  # resume on purpose: its replay will hold a trace, or prove that there is none
    NOT_TAKEN = "not taken"  # proven: it may be given back
    LET_GO = "let go"  # too late for any evidence


def rule(doubt: Doubt, now: float, live_session: str | None, resumed_at: float | None, undecided_s: float) -> Ruling:
    """The ruling on a doubt of which no trace was seen until now.

    `live_session` is the gateway session that is live now (None: none is), `resumed_at` when it was last RESUMED.
    """
    if now - doubt.since >= undecided_s + LET_GO_S:
        return Ruling.LET_GO
    settled_at = doubt.since + IN_FLIGHT_S
    if now < settled_at or live_session is None or live_session != doubt.gateway_session:
        return Ruling.WAIT
    if resumed_at is None or resumed_at < settled_at:
        return Ruling.PROVE
    return Ruling.NOT_TAKEN if now - resumed_at >= TRACE_S else Ruling.WAIT
