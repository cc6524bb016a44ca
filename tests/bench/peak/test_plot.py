"""The picture of a run, and what goes into it."""

from __future__ import annotations

import math
import random
from collections import Counter
from itertools import pairwise
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from bench.peak.machines import Sample, cpu_at
from bench.peak.plot import NAME_GAP, Panel, apart, drawing, nice
from bench.peak.profiled import handler_of, report
from bench.peak.steps import Steps


@given(st.floats(1e-6, 1e9))
def test_a_grid_is_as_wide_as_asked_and_not_three_times_as_wide(rough):
    assert rough * (1 - 1e-9) <= nice(rough) <= 2.5 * rough


@given(st.lists(st.floats(0, 500), max_size=4))
def test_names_of_lines_never_cover_one_another(heights):
    placed = [y for y, _, _ in apart([(y, "name", "a") for y in heights])]
    assert all(after - before >= NAME_GAP - 1e-6 for before, after in pairwise(placed))


def test_a_drawing_is_well_formed_and_names_its_lines():
    lines = {"done <&>": [(0.0, 1.0), (1.0, math.nan), (2.0, 3.0)], "nothing": []}
    svg = drawing("a & b", "c", 2.0, [Panel("Jobs", lines), Panel("Empty", {})])
    words = [element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")]
    assert {"a & b", "Jobs", "Empty", "done <&>"} <= set(words)
    assert "nothing" not in words
    assert "nan" not in svg


def test_every_moment_of_a_run_is_in_one_of_its_steps():
    dice, steps = random.Random(5), Steps(100.0, 1_000.0)
    moments = [dice.uniform(100.0, 999.9) for _ in range(500)]
    assert sum(steps.counted([*moments, math.nan, 99.0 - steps.length_s, 5_000.0])) == 500


def test_cpu_between_two_looks_is_on_the_line_between_them():
    samples = [Sample(at, {"daemon": spent}, {}) for at, spent in ((10.0, 1.0), (11.0, 2.0), (13.0, 6.0))]
    assert [cpu_at(samples, "daemon", at) for at in (9.0, 10.5, 12.0, 20.0)] == [1.0, 1.5, 4.0, 6.0]


def test_a_profile_tells_the_handler_and_the_function():
    stack = (
        "MainThread",
        "system/mailroom.py:run",
        "actors/queue/actor.py:Queue.receiveMsg_Begin",
        "core/ids.py:new_id",
    )
    assert handler_of(stack) == "actors/queue/actor.py:Queue.receiveMsg_Begin"
    told = report(Counter({stack: 3_000_000}), Counter({("MainThread", "core/ids.py:new_id"): 4_000_000}))
    assert "3.00 s 100.0%  core/ids.py:new_id" in told
    assert "4.00 s  MainThread: core/ids.py:new_id" in told
