"""Tracing: hands spans to an OpenTelemetry collector.

It needs the extra `limner[otel]`, and is switched on by the variables of OpenTelemetry's own specification, which its
SDK reads: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME and so on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from msgspec import structs

from core.trace import ASKED, Span, Trace, span_id, trace_id
from system.plain_structlog import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan
    from opentelemetry.sdk.trace.export import SpanExporter
    from opentelemetry.trace import SpanContext

#: Any of these says where spans go.
ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
TIMEOUTS = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
#: A collector that does not answer must not hold up the daemon's end.
TIMEOUT_S = 3.0
SERVICE = "limner"


class Traces:
    """Where spans go. `export` blocks, so it is called in a thread."""

    def __init__(self, exporter: SpanExporter, names_itself: bool = False) -> None:
        """`names_itself`: the environment says what the service is called."""
        from opentelemetry.sdk.resources import Resource

        self._exporter = exporter
        self._resource = Resource.create({} if names_itself else {"service.name": SERVICE})

    def export(self, traces: Sequence[Trace]) -> bool:
        """Spans of jobs, and one each in the traces of who asked for them. Whether the collector took them."""
        from opentelemetry.sdk.trace.export import SpanExportResult

        made = [span for trace in traces if trace.spans for span in self._made(trace)]
        return not made or self._exporter.export(made) is SpanExportResult.SUCCESS

    def _made(self, trace: Trace) -> Iterator[ReadableSpan]:
        """The spans of one job: the whole is linked with where it was asked for, where a span leads to it."""
        from opentelemetry.trace import Link, Status, StatusCode

        ours, caller, (whole, *parts) = trace_id(trace.job), trace.caller, trace.spans
        status = Status(StatusCode.ERROR, trace.failed) if trace.failed else Status()
        asked_in = None if caller is None else _context(caller.trace, caller.span, caller.sampled, is_remote=True)
        links = () if asked_in is None else (Link(asked_in),)
        yield self._span(whole, _context(ours, whole.id), None, trace, links=links, status=status)
        for part in parts:
            yield self._span(part, _context(ours, part.id), _context(ours, whole.id), trace)
        if caller is not None and caller.sampled:
            asked = structs.replace(whole, name=ASKED)
            place, links = _context(caller.trace, span_id(trace.job, ASKED)), (Link(_context(ours, whole.id)),)
            yield self._span(asked, place, asked_in, trace, links=links, status=status)

    def _span(
        self, span: Span, context: SpanContext, parent: SpanContext | None, trace: Trace, **more: Any
    ) -> ReadableSpan:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope

        return ReadableSpan(
            span.name,
            context,
            parent=parent,
            resource=self._resource,
            attributes=trace.attributes,
            start_time=round(span.began * 1e9),
            end_time=round(span.ended * 1e9),
            instrumentation_scope=InstrumentationScope(SERVICE),
            **more,
        )

    def close(self) -> None:
        """Nothing more is exported; an export under way gives up trying again."""
        self._exporter.shutdown()


def _context(trace: str, span: str, sampled: bool = True, is_remote: bool = False) -> SpanContext:
    """A span's address."""
    from opentelemetry.trace import SpanContext, TraceFlags

    flags = TraceFlags(TraceFlags.SAMPLED if sampled else TraceFlags.DEFAULT)
    return SpanContext(int(trace, 16), int(span, 16), is_remote, flags)


def open_traces(environment: Mapping[str, str]) -> Traces | None:
    """By what the environment says; None when it says nothing, or when what is needed is not installed (logged)."""
    if not any(environment.get(name) for name in ENDPOINTS) or environment.get("OTEL_SDK_DISABLED", "") == "true":
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    except ImportError:
        log = structlog.get_logger("limner.traces")
        log.warning("traces are asked for and cannot be exported: python -m pip install 'limner[otel]'")
        return None
    timeout_s = None if any(environment.get(name) for name in TIMEOUTS) else TIMEOUT_S
    names_itself = "OTEL_SERVICE_NAME" in environment or "service.name=" in environment.get(
        "OTEL_RESOURCE_ATTRIBUTES", ""
    )
    return Traces(OTLPSpanExporter(timeout=timeout_s), names_itself)
