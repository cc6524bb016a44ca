"""Tracing: hands spans to an OpenTelemetry collector.

It needs the extra `limner[otel]`, and is switched on by the variables of OpenTelemetry's own specification, which its
SDK reads: OTEL_EXPORTER_OTLP_ENDPOINT, OTEL_SERVICE_NAME and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from core.trace import Span, trace_id
from system.plain_structlog import structlog

if TYPE_CHECKING:
    from opentelemetry.sdk.trace.export import SpanExporter

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

    def export(self, jobs: Sequence[tuple[str, Sequence[Span], Mapping[str, Any], str | None]]) -> bool:
        """Spans of jobs, with the attributes that each of them has, and why the whole failed, if it did.

        Whether the collector took them.
        """
        from opentelemetry.sdk.trace.export import SpanExportResult

        made = [self._made(job, span, about, failed) for job, spans, about, failed in jobs for span in spans]
        return not made or self._exporter.export(made) is SpanExportResult.SUCCESS

    def _made(self, job: str, span: Span, attributes: Mapping[str, Any], failed: str | None) -> Any:
        from opentelemetry.sdk.trace import ReadableSpan
        from opentelemetry.sdk.util.instrumentation import InstrumentationScope
        from opentelemetry.trace import SpanContext, Status, StatusCode, TraceFlags

        def context(id: str) -> SpanContext:
            return SpanContext(int(trace_id(job), 16), int(id, 16), False, TraceFlags(TraceFlags.SAMPLED))

        is_whole = span.parent is None
        return ReadableSpan(
            span.name,
            context(span.id),
            parent=None if span.parent is None else context(span.parent),
            resource=self._resource,
            attributes=attributes,
            status=Status(StatusCode.ERROR, failed) if is_whole and failed else Status(),
            start_time=round(span.began * 1e9),
            end_time=round(span.ended * 1e9),
            instrumentation_scope=InstrumentationScope(SERVICE),
        )

    def close(self) -> None:
        """Nothing more is exported; an export under way gives up trying again."""
        self._exporter.shutdown()


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
