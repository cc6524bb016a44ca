"""The whole life of a gateway connection as a table: what may follow what. The machine is `protocol.gateway`."""

from __future__ import annotations

from enum import Enum, auto


class State(Enum):
    OFFLINE = auto()  # no connection
    GREETING = auto()  # connected, HELLO awaited
    ASKING = auto()  # whether it may IDENTIFY
    IDENTIFYING = auto()  # READY awaited
    RESUMING = auto()  # missed events are replayed
    LIVE = auto()
    DEAD = auto()  # a fatal close: nothing more happens


class Step(Enum):
    CONNECTED = auto()
    ASK = auto()
    IDENTIFY = auto()
    RESUME = auto()
    READY = auto()
    RESUMED = auto()
    HANGUP = auto()
    FATAL = auto()


# A step that has no entry here is out of place and changes nothing.
NEXT: dict[tuple[State, Step], State] = {
    (State.OFFLINE, Step.CONNECTED): State.GREETING,
    (State.GREETING, Step.ASK): State.ASKING,
    (State.ASKING, Step.IDENTIFY): State.IDENTIFYING,
    (State.GREETING, Step.RESUME): State.RESUMING,
    (State.IDENTIFYING, Step.READY): State.LIVE,
    (State.RESUMING, Step.RESUMED): State.LIVE,
    (State.OFFLINE, Step.HANGUP): State.OFFLINE,  # a connect that failed
    (State.GREETING, Step.HANGUP): State.OFFLINE,
    (State.ASKING, Step.HANGUP): State.OFFLINE,
    (State.IDENTIFYING, Step.HANGUP): State.OFFLINE,
    (State.RESUMING, Step.HANGUP): State.OFFLINE,
    (State.LIVE, Step.HANGUP): State.OFFLINE,
    (State.GREETING, Step.FATAL): State.DEAD,
    (State.ASKING, Step.FATAL): State.DEAD,
    (State.IDENTIFYING, Step.FATAL): State.DEAD,
    (State.RESUMING, Step.FATAL): State.DEAD,
    (State.LIVE, Step.FATAL): State.DEAD,
}
CONNECTED = frozenset({State.GREETING, State.ASKING, State.IDENTIFYING, State.RESUMING, State.LIVE})
