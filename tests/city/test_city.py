"""A hundred cities and more, each a seed: no promise is broken, whatever happens (`make city` runs thousands)."""

import hashlib
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.city.__main__ import told
from tests.city.town import run

ROOT = Path(__file__).parents[2]
SEEDS = (
    range(int(os.environ["CITY_SEED"]), int(os.environ["CITY_SEED"]) + 1) if "CITY_SEED" in os.environ else range(110)
)
SEEDS_ENOUGH = 100
A_SEED = 17
DIGEST = (
    "import hashlib; from tests.city.town import run; print(hashlib.sha256(repr(run({}).log).encode()).hexdigest())"
)

#: What some of the seeds must have met, or the city has forgotten how.
CORNERS = (
    *(f"cancel while {state}" for state in ("queued", "granted", "submitting", "undecided", "drawing", "keeping")),
    *("refused quota_exceeded", "refused too_many_jobs", "refused ref_conflict", "replayed", "a newcomer"),
    *("resumed from anywhere", "reset", "too slow", "too many bad frames", "too many frames", "stranger turned away"),
    *("too many sockets of a user", "too many sockets of an address", "suspended for 4004", "suspended for 4014"),
    *("store full", "store locked", "store unavailable", "back over midnight"),
)

ended: Counter[str] = Counter()
visits: Counter[str] = Counter()
met: set[int] = set()


@pytest.mark.parametrize("seed", SEEDS)
def test_no_promise_is_broken(seed):
    outcome = run(seed)
    ended.update(outcome.ends)
    visits.update(outcome.visits)
    met.add(seed)
    assert outcome.broken is None, told(outcome)


def test_most_jobs_are_drawn_whatever_happens():
    if not ended:
        ended.update(run(A_SEED).ends)
    assert ended["done"] > 0.6 * sum(ended.values()), ended
    assert ended["undecided"] < 0.1 * sum(ended.values()), ended


def test_every_corner_is_visited():
    if len(met) < SEEDS_ENOUGH:
        pytest.skip(f"{len(met)} seeds ran, {SEEDS_ENOUGH} meet everything")
    assert [corner for corner in CORNERS if not visits[corner]] == []


def test_the_same_seed_is_the_same_run_also_in_another_process():
    outcome = run(A_SEED)
    assert len(outcome.log) > 20
    other = subprocess.run(
        [sys.executable, "-c", DIGEST.format(A_SEED)],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "12345"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.strip() == hashlib.sha256(repr(outcome.log).encode()).hexdigest()
