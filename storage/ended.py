"""How many drawings ended within a time: what the Monitor counts of a day, if it begins in the middle of it.

No index leads to it, which would cost each drawing something for what is asked once a life. Moments of the history are
written in the order of time, so that its ids are an index that costs nothing.
"""

from __future__ import annotations

from sqlalchemy import func, select

from core.job import State
from storage.connection import Connection
from storage.overseeing import CountEnded, Ended
from storage.statements import Statement, given, literals
from storage.tables import history

#: A moment is written so much later than others at most: who moves a job tries again while the store refuses.
DISORDER_S = 900.0

_ALL = Statement(select(func.min(history.c.id), func.max(history.c.id)))
_NEXT = Statement(select(history.c.id, history.c.at).where(history.c.id >= given("id")).order_by(history.c.id).limit(1))
_COUNT = Statement(
    select(history.c.state, func.count())
    .where(
        history.c.id >= given("first"),
        history.c.at >= given("since"),
        history.c.at < given("until"),
        history.c.state.in_(literals((State.DONE, State.FAILED))),
    )
    .group_by(history.c.state)
)


def count_ended(connection: Connection, read: CountEnded) -> Ended:
    """See CountEnded."""
    first = _first(connection, read.since - DISORDER_S)
    found: dict[str, int] = dict(_COUNT.all(connection, first=first, since=read.since, until=read.until))
    return Ended(found.get(State.DONE, 0), found.get(State.FAILED, 0))


def _first(connection: Connection, since: float) -> int:
    """The id of the first moment at `since` or later, by halving."""
    low, high = _ALL.one(connection) or (None, None)
    if low is None:
        return 0
    while low <= high:
        middle = (low + high) // 2
        id, at = _NEXT.one(connection, id=middle) or (middle, since)
        if at < since:
            low = id + 1
        else:
            high = middle - 1
    return int(low)
