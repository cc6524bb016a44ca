"""Monitor: what is measured, and whether we are ready. Owns the metrics registry of the process.

Takes   Observed (everyone), AccountUp, AccountDown (accounts), ShowMetrics, ShowReady (gate), Sample (itself)
Sends   Say -> gate
Crash   counters start again from zero, as Prometheus expects of a restart
"""

from __future__ import annotations

from system.message import Message


class Observed(Message, frozen=True):
    """Something measurable happened: a metric of CONTRACT §10 by name, how much, and its labels' values in order."""

    metric: str
    amount: float = 1.0
    labels: tuple[str, ...] = ()
