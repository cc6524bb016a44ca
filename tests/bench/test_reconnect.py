"""The reconnect bench: that what it counts as missed is what the aims say."""

from __future__ import annotations

from typing import Any

import msgspec

from bench.reconnect import Bench, Phase

GOOD = Phase("cut", 0, 0, 100, 0, 0.5, 0.9, 1.0, crowd=20, beats=10, late_s_max=0.1, cpu_s=0.1)


def missed(**changed: Any) -> list[str]:
    return Bench({"api": "http://sim/api/v10"}, people=100).missed([msgspec.structs.replace(GOOD, **changed)])


def test_a_late_heartbeat_a_crowd_and_a_refusal_are_missed_aims() -> None:
    assert missed() == []
    assert missed(late_s_max=5.1) == ["5.1 s late in cut"]
    assert missed(crowd=31) == ["31 within 100 ms in cut"]
    assert missed(refused=1) == ["1 refused in cut"]
    assert missed(name="start", crowd=31) == ["31 within 100 ms in start"]


def test_two_identifies_of_one_application_within_five_seconds_are_a_missed_aim() -> None:
    bench = Bench({"api": "http://sim/api/v10"}, people=100)
    bench.identified_at = {"fox": [0.0, 6.0], "owl": [1.0]}  # type: ignore[assignment]
    assert bench.shortest_gap_s() == 6.0
    assert bench.missed([GOOD]) == []
    bench.identified_at["fox"].append(8.0)
    assert bench.missed([GOOD]) == ["an application identified twice within 5 s"]
