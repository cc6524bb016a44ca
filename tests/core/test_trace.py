"""Traces of jobs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.trace import ROOT, Caller, caller_of, span_id, spans, trace_id

HISTORY = (
    ("queued", 10.0),
    ("granted", 12.0),
    ("submitting", 12.5),
    ("drawing", 13.0),
    ("keeping", 40.0),
    ("done", 41.0),
)


def test_a_jobs_trace_is_known_from_its_id_alone_and_never_changes():
    assert trace_id("j1m867e9q5t098m5x5vy") == "cbb8b03595b37a9b300253f9a75db1bc"
    assert span_id("j1m867e9q5t098m5x5vy") == "b7a3f9e67cdb5101"


@given(st.sets(st.text(max_size=30), min_size=2, max_size=50))
def test_other_jobs_have_other_traces_in_the_form_of_trace_context(jobs):
    traces = {trace_id(job) for job in jobs}
    assert len(traces) == len(jobs)
    assert all(len(trace) == 32 and int(trace, 16) for trace in traces)


def test_a_trace_is_the_whole_and_each_state_in_order_without_gaps():
    whole, *parts = spans("j1", HISTORY)
    assert (whole.name, whole.parent, whole.began, whole.ended) == (ROOT, None, 10.0, 41.0)
    assert [(part.name, part.began, part.ended) for part in parts] == [
        ("queued", 10.0, 12.0),
        ("granted", 12.0, 12.5),
        ("submitting", 12.5, 13.0),
        ("drawing", 13.0, 40.0),
        ("keeping", 40.0, 41.0),
    ]
    assert {part.parent for part in parts} == {whole.id}


def test_a_job_that_was_granted_twice_has_two_spans_of_that_state():
    history = (("queued", 1.0), ("granted", 2.0), ("queued", 3.0), ("granted", 4.0), ("failed", 5.0))
    found = spans("j1", history)
    assert [span.name for span in found] == [ROOT, "queued", "granted", "queued", "granted"]
    assert len({span.id for span in found}) == len(found)


def test_of_a_job_without_history_there_is_nothing_to_tell():
    assert spans("j1", ()) == ()


@given(st.lists(st.tuples(st.sampled_from(("queued", "granted", "drawing")), st.floats(0, 1e9)), min_size=1))
def test_no_span_ends_before_it_began_whatever_the_clock_did(history):
    for span in spans("j1", tuple(history)):
        assert span.ended >= span.began


TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@pytest.mark.parametrize(
    ("header", "sampled"),
    [
        (f"00-{TRACE}-{SPAN}-01", True),
        (f"00-{TRACE}-{SPAN}-00", False),
        (f"00-{TRACE}-{SPAN}-0a", False),
        (f" 00-{TRACE}-{SPAN}-03\t", True),
        (f"cc-{TRACE}-{SPAN}-01-what.the.future.will.be.like", True),
        (f"cc-{TRACE}-{SPAN}-01", True),
    ],
)
def test_who_asks_says_so_as_trace_context_has_it(header, sampled):
    assert caller_of(header) == Caller(TRACE, SPAN, sampled)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-more",
        f"cc-{TRACE}-{SPAN}-01.more",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-1",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE[:-1]}\u0665-{SPAN}-01",
    ],
)
def test_what_is_no_traceparent_is_passed_over(header):
    assert caller_of(header) is None


@given(st.text(max_size=80))
def test_whatever_stands_there_is_a_caller_or_none(header):
    assert caller_of(header) is None
