"""Lines: what each socket of a session has been told, so that no stored event is doubled, missed or out of order.

A line is live, or it holds: from its opening until its `welcome`, and while missed events are replayed to it. What
comes meanwhile waits, and what the welcome or the replay covered already is dropped when the line goes live.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from protocol.client import ServerFrame

#: Stored events that may wait for one socket; more than these and it is closed, to resume by seq.
HELD_EVENTS_MAX = 1000


class LineOverrun(Exception):
    """More waits for this socket than may."""


@dataclass(slots=True, eq=False)
class Line:
    """One socket. `seq`: the newest stored event it has been told, or knows of by its `welcome`."""

    socket: str
    seq: int = 0
    held: list[tuple[int, ServerFrame]] | None = field(default_factory=list)

    @property
    def is_live(self) -> bool:
        """Whether events go out as they come."""
        return self.held is None

    def takes(self, seq: int, frame: ServerFrame) -> bool:
        """Whether this stored event is to be sent now; if not, it is held, or was told before. Raises LineOverrun."""
        if self.held is not None:
            if len(self.held) >= HELD_EVENTS_MAX:
                raise LineOverrun
            self.held.append((seq, frame))
            return False
        if seq <= self.seq:
            return False
        self.seq = seq
        return True

    def hold(self) -> None:
        """Events wait from now on: a replay begins."""
        self.held = []

    def release(self, seq: int) -> tuple[ServerFrame, ...]:
        """Goes live, told everything up to `seq`: the held events after it, in order, to be sent now."""
        held, self.held = sorted(self.held or [], key=lambda pair: pair[0]), None
        self.seq = seq
        return tuple(frame for event_seq, frame in held if self.takes(event_seq, frame))
