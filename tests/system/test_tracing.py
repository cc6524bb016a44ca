"""Whether and where spans go is what OpenTelemetry's own variables say."""

from __future__ import annotations

import sys

import pytest

from system.tracing import Traces, open_traces

ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


def test_without_a_collector_nothing_is_traced_and_nothing_is_imported() -> None:
    assert open_traces({}) is None
    assert open_traces({"OTEL_EXPORTER_OTLP_ENDPOINT": ""}) is None
    assert open_traces(ENDPOINT | {"OTEL_SDK_DISABLED": "true"}) is None


@pytest.mark.parametrize("name", ["OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"])
def test_a_collector_in_the_environment_is_where_they_go(name: str) -> None:
    pytest.importorskip("opentelemetry.sdk", reason="the extra limner[otel] is not installed")
    traces = open_traces({name: "http://127.0.0.1:4318"})
    assert isinstance(traces, Traces)
    traces.close()


def test_a_collector_that_nobody_can_speak_to_is_a_warning_and_no_obstacle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    assert open_traces(ENDPOINT) is None
    assert "limner[otel]" in capsys.readouterr().out
