"""Jain's index: how equally something is shared, as one number."""

from __future__ import annotations

from collections.abc import Iterable


def jain(values: Iterable[float]) -> float:
    """(Σx)² / (n·Σx²): 1 when all have the same, 1/n when one has it all; 1 when there is nothing to share.

    R. Jain, D. Chiu and W. Hawe, "A Quantitative Measure of Fairness", DEC-TR-301, 1984.
    """
    count, total, squares = 0, 0.0, 0.0
    for value in values:
        count += 1
        total += value
        squares += value * value
    return total * total / (count * squares) if squares else 1.0
