"""An ETA is told when it can be known, and grows with the place."""

from __future__ import annotations

from core.estimate import Estimate


def test_nothing_is_promised_before_a_drawing_was_seen_or_without_places() -> None:
    assert Estimate(slots=3).eta_s(1) is None
    assert Estimate().drew(40.0).eta_s(1) is None


def test_an_eta_is_the_own_drawing_after_those_before_it() -> None:
    estimate = Estimate(slots=2).drew(40.0)
    assert estimate.eta_s(1) == 40.0
    assert estimate.eta_s(3) == 80.0


def test_the_mean_follows_the_drawings_slowly() -> None:
    estimate = Estimate(slots=1).drew(40.0).drew(80.0)
    assert estimate.eta_s(1) == 44.0


def test_a_clock_that_was_set_during_a_drawing_spoils_no_eta() -> None:
    estimate = Estimate(slots=1).drew(40.0)
    assert estimate.drew(40.0 - 3600.0) == estimate.drew(40.0 + 3600.0) == estimate


def test_an_eta_is_later_when_the_users_own_limit_holds_the_job_up_longer() -> None:
    estimate = Estimate(slots=10).drew(40.0)
    assert estimate.eta_s(2, held=1.5) == 100.0
    assert estimate.eta_s(41, held=1.5) == 200.0
