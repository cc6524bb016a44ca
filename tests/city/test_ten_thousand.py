"""The worst channel in small (the long form is `python -m tests.city.ten_thousand`), and whether it would notice."""

from __future__ import annotations

from dataclasses import replace
from unittest.mock import patch

from actors.account.midjourney import Account
from core.correlate import Correlator
from core.remembered import Standing
from core.signs import Stage
from protocol import rest
from tests.city.peak import MORTALS
from tests.city.ten_thousand import DAY, run, told

SMALL = replace(DAY, jobs=600, users=60, hours=0.12)
honest_outcome, honest_proof = rest.outcome, Correlator._prove


def test_equal_prompts_in_the_worst_channel_are_not_swapped_not_doubled_and_not_stuck():
    day = run(SMALL)
    assert day.broken == [], told(day, 0.0)
    assert day.ledger.done + day.ledger.failed == day.ledger.accepted == day.ledger.ordered == SMALL.jobs
    assert day.ledger.done >= 0.97 * SMALL.jobs, told(day, 0.0)
    assert len(day.deaths) == len(MORTALS)
    assert day.lost_sessions > 0
    assert "0 swapped" in told(day, 0.0)


def give_it_to_another_who_waits(self, sign):
    proven = honest_proof(self, sign)
    waiting = [each for each in self._drawings.live() if each is not proven and each.standing is Standing.OPEN]
    return waiting[0] if sign.stage is Stage.FINISHED and waiting else proven


def repeat_what_may_have_arrived(*arguments, **more):
    found = honest_outcome(*arguments, **more)
    return rest.Refused(None, "no answer", retry=True, kind="not_sent") if isinstance(found, rest.Doubtful) else found


def look_after_nothing(self, now):
    """Nothing is ever due."""


def test_a_swap_would_be_noticed():
    with patch.object(Correlator, "_prove", give_it_to_another_who_waits):
        assert any("got the picture" in what for what in run(SMALL).broken)


def test_a_second_submission_would_be_noticed():
    with patch.object(rest, "outcome", repeat_what_may_have_arrived):
        assert any("was submitted again" in what for what in run(SMALL).broken)


def test_a_stuck_drawing_would_be_noticed():
    with (
        patch.object(Account, "on_tick", look_after_nothing),
        patch("tests.city.peak.CALM_S_MAX", 1200.0),
    ):
        assert any("600 accepted, 5" in what for what in run(SMALL).broken)
