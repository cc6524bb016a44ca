"""Job: a drawing as the bot keeps it, and the script it follows, as data: so that it can go on after a restart."""

from __future__ import annotations

import math
from itertools import pairwise

import msgspec

from sim.grammar import LOOKS, PERCENTS
from sim.messages import Origin
from sim.studio import Recipe

UPDATE_EACH_S = 0.5  # Discord lets a message be edited so often; a bot that hurries skips what came between
WAITING, RUNNING, DRAWN, OVER = "waiting", "running", "drawn", "over"


class Step(msgspec.Struct, frozen=True):
    """What is done when `at` of the drawing's time has passed."""

    at: float
    do: str
    percent: int = 0


ACKNOWLEDGE, START = Step(0.02, "acknowledge"), Step(0.05, "start")
FINISH, CLEAR = Step(1.0, "finish"), Step(1.0, "clear")
UPDATES = tuple(Step(0.1 + 0.85 * percent / 100, "progress", percent) for percent in PERCENTS)
UPDATE_SHARE = min(later.at - earlier.at for earlier, later in pairwise(UPDATES))
# By how many updates there are to one that is said, from 1; the last is always said.
DRAWINGS = tuple(
    (ACKNOWLEDGE, START, *UPDATES[(len(UPDATES) - 1) % stride :: stride], FINISH, CLEAR)
    for stride in range(1, len(UPDATES) + 1)
)
TELLING = (ACKNOWLEDGE, START, Step(1.0, "tell"))
TELLING_SHARE = 0.3


def script_of(kind: str, seconds: float) -> tuple[Step, ...]:
    """The steps of a job that takes `seconds`; updates are UPDATE_EACH_S apart at least."""
    if kind not in LOOKS:
        return TELLING
    stride = math.ceil(UPDATE_EACH_S / (UPDATE_SHARE * seconds))
    return DRAWINGS[min(stride, len(DRAWINGS)) - 1]


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
