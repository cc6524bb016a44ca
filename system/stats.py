"""What the loop base tells about itself: frozen values for the console, and two small instruments behind them."""

from collections import OrderedDict
from typing import Generic, TypeVar

import msgspec

LAG_WINDOW_S = 5.0


class ActorStats(msgspec.Struct, frozen=True):
    """One living actor. Times in seconds; `depth` is messages waiting, `handled` messages taken since birth.

    `restarts`: how often a supervisor has started the actor of this name again, since the base's start; `rate`:
    messages a second, between the last two samples; `suspended`: its mail waits until it is resumed.
    """

    name: str | None
    address: str
    kind: str
    parent: str | None
    depth: int
    handled: int
    busy_s: float
    uptime_s: float
    tasks: int
    children: int
    restarts: int
    last_error: str | None
    rate: float = 0.0
    suspended: bool = False


class Totals(msgspec.Struct, frozen=True):
    """The whole base since its start. `loop_lag_s`: how late the latest turn of these last seconds was."""

    messages: int
    waiting: int
    dead_letters: int
    crashes: int
    actors: int
    tasks: int
    timers: int
    loop_lag_s: float


class LastError(msgspec.Struct, frozen=True):
    """The last crash under a name: kept after the actor's death, so that its successor shows why it was restarted."""

    kind: str
    reason: str
    at: float  # Unix time, s
    crashes: int


Value = TypeVar("Value")


class BoundedTable(Generic[Value]):
    """A dict of text keys that forgets the key longest not written once it holds `length_max` of them."""

    def __init__(self, length_max: int) -> None:
        self._length_max = length_max
        self._rows: OrderedDict[str, Value] = OrderedDict()

    def __len__(self) -> int:
        return len(self._rows)

    def get(self, key: str) -> Value | None:
        return self._rows.get(key)

    def put(self, key: str, value: Value) -> None:
        self._rows[key] = value
        self._rows.move_to_end(key)
        if len(self._rows) > self._length_max:
            self._rows.popitem(last=False)

    def snapshot(self) -> dict[str, Value]:
        return dict(self._rows)


class LagMeter:
    """Remembers the worst lateness of the present window of LAG_WINDOW_S and of the one before."""

    __slots__ = ("_before", "_now", "_since")

    def __init__(self) -> None:
        self._since = 0.0
        self._now = 0.0
        self._before = 0.0

    def sample(self, now: float, late_s: float) -> None:
        if now - self._since > LAG_WINDOW_S:
            self._turn(now)
        if late_s > self._now:
            self._now = late_s

    def worst(self, now: float) -> float:
        if now - self._since > LAG_WINDOW_S:
            self._turn(now)
        return max(self._now, self._before)

    def _turn(self, now: float) -> None:
        self._before = self._now if now - self._since < 2 * LAG_WINDOW_S else 0.0
        self._now = 0.0
        self._since = now
