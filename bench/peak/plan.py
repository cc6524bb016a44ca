"""Plan: what is asked of the daemon in a run, who asks when, and the config file that allows it. Pure.

A hundredth of the users are heavy and send half of the jobs (the users with the lowest numbers); the other half is
spread evenly by dice over the light ones. Arrivals are a Poisson process at the plan's rate: an open loop, which does
not wait for answers. With `saturate` or `hold` the next job is sent as soon as the limits of the loop allow.
"""

from __future__ import annotations

import math
import random
from array import array
from collections.abc import Mapping
from typing import Any

import msgspec

HEAVY_SHARE, HEAVY_JOBS_SHARE = 0.01, 0.5
#: More than anybody asks for in a run.
UNBOUNDED = 1_000_000
PROMPT = (
    "a red fox in fresh snow at dawn, ink and watercolour, wide view, soft light, fine paper grain, number {number}"
)


class Plan(msgspec.Struct, frozen=True):
    """One run. Rates in jobs/s, times in seconds.

    open       share of the users whose sockets are open all the time; the others come to order, and go
    accounts   of the simulator, each with `slots` and drawings of `seconds`
    backlog    with `saturate`: so many accepted jobs are under way or waiting at most
    look_each  every so many-th picture is fetched as its owner would, and looked at
    settle_s   so long nothing may happen before what has not ended is called lost
    """

    jobs: int = 2_000
    users: int = 1_000
    open: float = 1.0
    rate: float = 100.0
    saturate: bool = False
    hold: bool = False
    backlog: int = 5_000
    accounts: int = 300
    slots: int = 3
    seconds: float = 0.5
    pictures: str = "canned"
    look_each: int = 50
    settle_s: float = 60.0
    seed: int = 1

    @property
    def heavy(self) -> int:
        """How many users are heavy: those with the lowest numbers."""
        return max(1, round(self.users * HEAVY_SHARE))

    @property
    def closed_loop(self) -> bool:
        """Whether orders wait for answers."""
        return self.saturate or self.hold

    @property
    def always_open(self) -> int:
        """How many users keep a socket open; heavy ones first."""
        return round(self.users * self.open)

    @property
    def concurrent(self) -> int:
        """Drawings at once a user: the heavy users alone can fill every slot, so that the end of a run is no idling."""
        return max(3, 2 * math.ceil(self.accounts * self.slots / self.heavy))


def schedule(plan: Plan) -> tuple[array[int], array[float]]:
    """Of each job its sender, and when it is due in seconds after the begin (never falling; 0 in a closed loop)."""
    dice = random.Random(plan.seed)
    senders, due, moment = array("L"), array("d"), 0.0
    for _ in range(plan.jobs):
        if dice.random() < HEAVY_JOBS_SHARE:
            senders.append(dice.randrange(plan.heavy))
        else:
            senders.append(dice.randrange(plan.heavy, plan.users))
        if not plan.closed_loop:
            moment += dice.expovariate(plan.rate)
        due.append(moment)
    return senders, due


def prompt_of(number: int) -> str:
    """Every job's prompt is like no other, so that a picture tells whose it is."""
    return PROMPT.format(number=number)


def number_of(prompt: str | None) -> int | None:
    """The job whose prompt it is, also with the mode that the daemon puts behind it (`--fast`)."""
    head = PROMPT.partition("{")[0]
    number = (prompt or "").removeprefix(head).partition(" ")[0]
    return int(number) if prompt is not None and prompt.startswith(head) and number.isdecimal() else None


def config_of(plan: Plan, announced: Mapping[str, Any]) -> str:
    """The daemon's config file: the simulator's accounts, and limits that let a whole day come within minutes."""
    drawing_s = 900.0 if not plan.hold else plan.seconds + 900.0
    tables = [
        "[server]\nport = 0",
        "[discord]\n" + "\n".join(f'{name} = "{announced[name]}"' for name in ("api", "gateway", "cdn")),
        f"[plans.free]\ndaily = {UNBOUNDED}\nconcurrent = {plan.concurrent}\nqueued = {UNBOUNDED}",
        f"[limits]\nqueue_max = {UNBOUNDED}\nsockets_per_ip = {2 * plan.users + 100}\n"
        f"frames_per_min = {UNBOUNDED}\ndrawing_s = {drawing_s}",
    ]
    for account in announced["accounts"]:
        tables.append(
            f'[[accounts]]\nname = "{account["name"]}"\ntoken = "{account["token"]}"\nkind = "user"\n'
            f'guild_id = "{announced["guild_id"]}"\nchannel_id = "{account["channel_id"]}"\nslots = {plan.slots}'
        )
    return "\n\n".join(tables) + "\n"
