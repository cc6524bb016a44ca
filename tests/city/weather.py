"""Weather: how often each kind of trouble strikes. A seed has its own climate, where some kinds never occur."""

from __future__ import annotations

import random

#: The most that a climate may have of it, as a chance a time.
MOST = {
    # events of the gateway: each alone, so that they also overtake each other
    "event_lost": 0.08,
    "event_late": 0.3,
    "event_twice": 0.2,
    # what the bot leaves out, adds or changes
    "metadata_dropped": 1.0,
    "final_with_nonce": 0.5,
    "start_not_deleted": 0.5,
    "start_deleted_late": 0.5,
    "prompt_rewritten": 1.0,
    # what the bot does instead of drawing
    "job_queued": 0.2,
    "queue_full": 0.1,
    "credits_exhausted": 0.02,
    "banned_prompt": 0.05,
    "broken_off": 0.1,
    "moderated": 0.05,
    "never_finishes": 0.05,
    # REST
    "post_unsent": 0.1,
    "post_lost": 0.1,
    "answer_lost": 0.15,
    "answer_5xx": 0.1,
    "refused_5xx": 0.1,
    "rate_limited": 0.1,
    "read_fails": 0.2,
    "slow_request": 0.2,
    "put_lost": 0.1,
    "put_refused": 0.1,
    # CDN
    "picture_404": 0.1,
    "picture_cut": 0.1,
    "picture_lost": 0.1,
    "picture_slow": 0.3,
    # gateway
    "connect_refused": 0.1,
    "no_ack": 0.05,
    "resume_refused": 0.2,
    "resume_cut": 0.15,
    # store and pictures
    "store_slow": 0.2,
    "store_refuses": 0.02,
    "pictures_refuse": 0.05,
}
#: A kind is unknown in this share of all climates.
UNKNOWN = 0.4


class Weather:
    """One a city. `over`: from now on nothing strikes any more."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.over = False
        self.chance = {kind: 0.0 if dice.random() < UNKNOWN else dice.uniform(0.0, most) for kind, most in MOST.items()}
        #: Seconds between two acts of mischief, on average.
        self.mischief_each_s = dice.uniform(2.0, 20.0)

    def strikes(self, kind: str) -> bool:
        """Whether this kind of trouble strikes now."""
        return not self.over and self.dice.random() < self.chance[kind]
