"""`make city`: many seeds. The first thing that does not hold in one of them is printed, and how to see it again.

CITY_SEEDS=N   how many (2,000)         CITY_FIRST=N   from which on (0)
CITY_SEED=N    this one only, with its log
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import time
from collections import Counter

from tests.city.town import Outcome, run

SEEDS = 2000
PROCESSES_MAX = 2
TOLD_EACH = 100


def main() -> int:
    """The exit code: 1 when a seed broke."""
    if "CITY_SEED" in os.environ:
        return show(run(int(os.environ["CITY_SEED"])))
    first, count = int(os.environ.get("CITY_FIRST", "0")), int(os.environ.get("CITY_SEEDS", SEEDS))
    broken, ends, began = 0, Counter[str](), time.monotonic()
    with multiprocessing.get_context("spawn").Pool(min(PROCESSES_MAX, os.cpu_count() or 1)) as pool:
        for number, outcome in enumerate(pool.imap_unordered(run, range(first, first + count)), 1):
            ends += outcome.ends
            if outcome.broken is not None:
                broken += 1
                print(told(outcome), flush=True)
            if number % TOLD_EACH == 0 or number == count:
                print(f"{number} seeds in {time.monotonic() - began:.0f} s, {broken} broken", flush=True)
    print(", ".join(f"{end}: {number}" for end, number in ends.most_common()))
    return 1 if broken else 0


def told(outcome: Outcome) -> str:
    """A broken seed in words."""
    return f"seed {outcome.seed}: {outcome.broken}\n  again: CITY_SEED={outcome.seed} make city"


def show(outcome: Outcome) -> int:
    """One seed with all that happened."""
    print("\n".join(outcome.log))
    print(told(outcome) if outcome.broken else f"seed {outcome.seed}: {dict(outcome.ends)}, nothing broken")
    return 1 if outcome.broken else 0


if __name__ == "__main__":
    sys.exit(main())
