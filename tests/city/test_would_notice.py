"""Would the city notice? Lies are planted in the daemon, one a test, and some early seed must tell of each."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from actors.account_presence import AccountPresence
from core.correlate import Correlator, _Standing
from core.signs import Stage
from protocol import rest
from tests.city.town import run

SEEDS_MAX = 40
honest_outcome, honest_proof, honest_start = rest.outcome, Correlator._prove, AccountPresence.on_start


def repeat_what_may_have_arrived(*arguments, **more):
    found = honest_outcome(*arguments, **more)
    return rest.Refused(None, "no answer", retry=True, kind="not_sent") if isinstance(found, rest.Doubtful) else found


def give_it_to_another_who_waits(self, sign):
    proven = honest_proof(self, sign)
    waiting = [each for each in self._entries.values() if each is not proven and each.standing is _Standing.OPEN]
    return waiting[0] if sign.stage is Stage.FINISHED and waiting else proven


def believe_in_one_place_more(self):
    honest_start(self)
    self.slots += 1


LIES = {
    "submitted again": lambda: patch.object(rest, "outcome", repeat_what_may_have_arrived),
    "got the picture": lambda: patch.object(Correlator, "_prove", give_it_to_another_who_waits),
    "oversold": lambda: patch.object(AccountPresence, "on_start", believe_in_one_place_more),
}


@pytest.mark.parametrize("words", LIES)
def test_a_lie_comes_to_light(words):
    with LIES[words]():
        told = (run(seed).broken or "" for seed in range(SEEDS_MAX))
        assert any(words in broken for broken in told)
