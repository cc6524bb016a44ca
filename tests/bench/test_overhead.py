"""What the measurement of watching makes of its runs."""

from __future__ import annotations

import pytest

from bench.overhead import Run, quantile, told


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50.0), (0.99, 99.0), (1.0, 100.0), (0.001, 1.0)])
def test_a_quantile_is_the_least_value_that_so_many_do_not_exceed(share: float, expected: float) -> None:
    assert quantile([float(number) for number in range(100, 0, -1)], share) == expected


def test_watched_runs_are_held_against_unwatched_ones() -> None:
    runs = [
        Run(True, 98.0, 2.06, {"status": [3.0, 5.0]}, {}),
        Run(False, 100.0, 2.0, {}, {}),
        Run(False, 100.0, 2.0, {}, {}),
        Run(True, 98.0, 2.06, {"status": [4.0]}, {"queue 503": 2}),
    ]
    text = told(runs, answers=False)
    assert "| watched against unwatched | -2.0% | +3.0% |" in text
    assert "| `status` | 3 | 4.0 | 5.0 |" in text
    assert text.endswith("refused: queue 503: 2")


def test_of_answers_only_the_questions_are_told() -> None:
    text = told([Run(True, 20.0, 9.0, {"tree": [1.0]}, {})], answers=True)
    assert "watched" not in text
    assert "| `tree` | 1 | 1.0 | 1.0 |" in text
