"""The tracer: each job's trace is exported once it has ended, and a collector that is away costs nobody anything."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Sequence
from typing import Any

import pytest
from msgspec.structs import replace

pytest.importorskip("opentelemetry.sdk", reason="the extra limner[otel] is not installed")

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from actors.queue.messages import JobSettled, Kept, NotKept
from actors.tracer import CALLERS_MAX, FLUSH_AGAIN_S, FLUSH_EACH_S, WAITING_MAX, AskedFor, JobOver, Tracer
from core.trace import Caller, span_id, trace_id
from storage.operations import ImageRecord
from system.tracing import Traces
from tests.actors.queue.test_actor import accepted, drawn, set_up, submitted
from tests.actors.stage import Stage, play

Scene = Callable[[Stage, "Collector"], Coroutine[Any, Any, None]]


class Collector(InMemorySpanExporter):
    """Keeps what it is given; takes nothing while it is `away`. `asked` counts exports."""

    def __init__(self) -> None:
        super().__init__()
        self.away, self.asked, self.closed = False, 0, False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """As SpanExporter.export."""
        self.asked += 1
        return SpanExportResult.FAILURE if self.away else super().export(spans)

    def shutdown(self) -> None:
        """As SpanExporter.shutdown."""
        self.closed = True


def traced(scene: Scene) -> None:
    async def whole(stage: Stage) -> None:
        collector = Collector()
        stage.base.process.traces = Traces(collector)
        await set_up(stage)
        stage.cast("tracer", Tracer)
        await scene(stage, collector)

    play(whole)


async def a_drawing(stage: Stage, ends_well: bool = True) -> str:
    """A job from its acceptance to its end."""
    await accepted(stage)
    go = await submitted(stage, "l1")
    job = go.job.id
    image = ImageRecord(f"i{job}", job, "ana", 1, f"{job}/1.png", f"{job}/1.webp", 9, 9, 9, "00", "image/png")
    kept = Kept(job, 1, (image,)) if ends_well else NotKept(job, 1, "upstream_timeout", "It is gone.")
    stage.tell("queue", drawn(go), kept)
    await stage.one("lobby", JobSettled)
    return job


def test_a_job_that_has_ended_is_one_trace_of_its_states_without_its_prompt() -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        job = await a_drawing(stage)
        await stage.quiet(FLUSH_EACH_S)
        whole, *parts = collector.get_finished_spans()
        assert (whole.name, whole.parent, whole.status.status_code) == ("job", None, StatusCode.UNSET)
        assert [part.name for part in parts] == ["queued", "granted", "submitting", "keeping"]
        assert {span.context.trace_id for span in (whole, *parts)} == {int(trace_id(job), 16)}
        assert {part.parent.span_id for part in parts} == {int(span_id(job), 16)}
        assert whole.start_time == parts[0].start_time
        assert [part.end_time for part in parts] == [*(part.start_time for part in parts[1:]), whole.end_time]
        assert whole.attributes == {
            "limner.job": job,
            "limner.user": "ana",
            "limner.account": "fox",
            "limner.kind": "imagine",
            "limner.mode": "fast",
            "limner.state": "done",
            "limner.attempts": 1,
        }
        assert whole.resource.attributes["service.name"] == "limner"
        assert "a fox" not in str([span.to_json() for span in collector.get_finished_spans()])

    traced(scene)


CALLER = Caller("4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", sampled=True)


@pytest.mark.parametrize("sampled", [True, False])
def test_who_asked_in_a_trace_of_their_own_finds_the_drawing_from_there_and_is_found_from_it(sampled: bool) -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        job = await a_drawing(stage)
        caller = replace(CALLER, sampled=sampled)
        stage.tell("tracer", AskedFor(job, caller), AskedFor("j-later", caller))
        await stage.quiet(FLUSH_EACH_S)
        whole, *others = collector.get_finished_spans()
        (link,) = whole.links
        assert (link.context.trace_id, link.context.span_id) == (int(CALLER.trace, 16), int(CALLER.span, 16))
        assert [(link.context.is_remote, link.context.trace_flags.sampled)] == [(True, sampled)]
        assert whole.context.trace_id == int(trace_id(job), 16)
        theirs = [span for span in others if span.context.trace_id == int(CALLER.trace, 16)]
        assert [(span.name, span.parent.span_id) for span in theirs] == [("asked", int(CALLER.span, 16))] * sampled
        assert [[link.context for link in span.links] for span in theirs] == [[whole.context]] * sampled
        assert list(stage.instance("tracer").callers) == ["j-later"]

    traced(scene)


def test_of_callers_the_latest_are_remembered() -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        stage.tell("tracer", *(AskedFor(f"j{number}", CALLER) for number in range(CALLERS_MAX + 2)))
        await stage.quiet()
        callers = stage.instance("tracer").callers
        assert (len(callers), "j1" in callers, "j2" in callers) == (CALLERS_MAX, False, True)

    traced(scene)


def test_a_job_that_failed_says_so_with_its_code() -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        await a_drawing(stage, ends_well=False)
        await stage.quiet(FLUSH_EACH_S)
        whole = collector.get_finished_spans()[0]
        assert (whole.status.status_code, whole.status.description) == (StatusCode.ERROR, "upstream_timeout")
        assert whole.attributes["limner.code"] == "upstream_timeout"

    traced(scene)


def test_a_collector_that_is_away_is_left_alone_for_a_while_and_gets_what_ends_later() -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        collector.away = True
        await a_drawing(stage)
        await stage.quiet(FLUSH_AGAIN_S)
        assert collector.asked == 1
        tracer = stage.instance("tracer")
        assert (tracer.is_well, tracer.dropped) == (False, 1)
        collector.away = False
        stage.tell("tracer", JobOver("unknown"))
        await stage.quiet(FLUSH_AGAIN_S)
        assert tracer.is_well
        assert collector.get_finished_spans() == ()

    traced(scene)


def test_what_waits_for_a_collector_is_bounded_and_the_latest_are_kept() -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        stage.tell("tracer", *(JobOver(f"j{number}") for number in range(WAITING_MAX + 10)))
        await stage.quiet(0.1)
        tracer = stage.instance("tracer")
        assert (len(tracer.waiting), tracer.dropped, tracer.waiting[-1]) == (WAITING_MAX, 10, f"j{WAITING_MAX + 9}")

    traced(scene)


def test_when_it_stops_an_export_under_way_gives_up() -> None:
    async def scene(stage: Stage, collector: Collector) -> None:
        stage.instance("tracer").leave()
        await stage.quiet()
        assert collector.closed

    traced(scene)
