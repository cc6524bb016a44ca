"""Would the city notice? Lies are planted in the daemon, one a test, and some early seed must tell of each."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from core.correlate import Correlator
from core.signs import Stage
from core.tokens import Ledger, Pool
from protocol import rest
from tests.city.town import run

SEEDS_MAX = 40
honest_outcome, honest_proof, honest_ask = rest.outcome, Correlator._prove, Ledger.ask


def repeat_what_may_have_arrived(*arguments, **more):
    found = honest_outcome(*arguments, **more)
    return rest.Refused(None, "no answer", retry=True, kind="not_sent") if isinstance(found, rest.Doubtful) else found


def guess_whose_picture_it_is(self, sign):
    proven = honest_proof(self, sign)
    if proven is None and sign.stage is Stage.FINISHED and sign.nonce is None:
        return next(iter(self._entries.values()), None)
    return proven


def forget_one_place_that_is_taken(self, new_id, now):
    for pool in self.pools.values():
        self.pools[pool.account] = Pool(pool.account, pool.slots + 1, pool.modes, pool.weight, pool.up, pool.leases)
    try:
        return honest_ask(self, new_id, now)
    finally:
        for pool in self.pools.values():
            pool.slots -= 1


LIES = {
    "submitted again": lambda: patch.object(rest, "outcome", repeat_what_may_have_arrived),
    "got the picture": lambda: patch.object(Correlator, "_prove", guess_whose_picture_it_is),
    "oversold": lambda: patch.object(Ledger, "ask", forget_one_place_that_is_taken),
}


@pytest.mark.parametrize("words", LIES)
def test_a_lie_comes_to_light(words):
    with LIES[words]():
        told = (run(seed).broken or "" for seed in range(SEEDS_MAX))
        assert any(words in broken for broken in told)
