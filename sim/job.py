"""Job: a drawing as the bot keeps it, and the script it follows, as data: so that it can go on after a restart."""

from __future__ import annotations

import msgspec

from sim.grammar import LOOKS, PERCENTS
from sim.messages import Origin
from sim.studio import Recipe

WAITING, RUNNING, DRAWN, OVER = "waiting", "running", "drawn", "over"


class Step(msgspec.Struct, frozen=True):
    """What is done when `at` of the drawing's time has passed."""

    at: float
    do: str
    percent: int = 0


ACKNOWLEDGE, START = Step(0.02, "acknowledge"), Step(0.05, "start")
DRAWING = (
    ACKNOWLEDGE,
    START,
    *(Step(0.1 + 0.85 * percent / 100, "progress", percent) for percent in PERCENTS),
    Step(1.0, "finish"),
    Step(1.0, "clear"),
)
TELLING = (ACKNOWLEDGE, START, Step(1.0, "tell"))
TELLING_SHARE = 0.3


def script_of(kind: str) -> tuple[Step, ...]:
    return DRAWING if kind in LOOKS else TELLING


class Job(msgspec.Struct):
    """One accepted interaction that takes time.

    hash        the job's uuid, in file names and custom_ids
    prompt      as it was asked; `shown` as the bot repeats it
    reply_to    the message whose button was pressed
    begun_at    unix s; None while it waits for a free place
    stage       the number of steps done
    follow_up   its start message is a follow-up (after "Job queued"), which carries no nonce
    stuck       it will never finish;  ends_in  the notice in which it will end
    """

    hash: str
    account_id: str
    channel_id: str
    nonce: str | None
    origin: Origin
    kind: str
    prompt: str
    shown: str
    mode: str
    recipe: Recipe
    row: int
    seconds: float
    index: int = 1
    tone: str = ""
    reply_to: str | None = None
    state: str = WAITING
    begun_at: float | None = None
    stage: int = 0
    start_id: str | None = None
    final_id: str | None = None
    follow_up: bool = False
    stuck: bool = False
    ends_in: str | None = None
    images: list[str] = []

    @property
    def is_drawing(self) -> bool:
        return self.kind in LOOKS
