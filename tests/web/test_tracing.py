"""Who asks for a drawing in the middle of a trace of their own (W3C Trace Context)."""

from __future__ import annotations

from typing import Any

import pytest

from actors.tracer import AskedFor
from core.trace import Caller
from tests.actors.stage import Recorder
from tests.web.house import KEYS, House, play

JOBS = "/api/v1/jobs"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HEADER = ("traceparent", f"00-{TRACE}-{SPAN}-01")
AGAIN = ("Idempotency-Key", "order-1")


@pytest.mark.parametrize(
    ("headers", "is_told"),
    [
        ((HEADER, AGAIN), True),
        ((AGAIN,), False),
        ((("traceparent", "00-none-01"), AGAIN), False),
        ((HEADER, HEADER, AGAIN), False),
    ],
)
def test_it_is_told_to_the_tracer_once_a_job_and_what_is_not_valid_is_passed_over(
    tmp_path: Any, headers: tuple[tuple[str, str], ...], is_told: bool
) -> None:
    async def scene(house: House) -> None:
        house.base.create(Recorder, "tracer")
        house.process.traces = object()  # type: ignore[assignment]  # somebody wants traces
        shown = [("Authorization", f"Bearer {KEYS['ada']}"), *headers]
        for _ in range(2):
            async with house.http.post(house.url + JOBS, json={"prompt": "a fox"}, headers=shown) as answer:
                assert answer.status == 202
                job = (await answer.json())["job"]
        told = [each for each in house.base.names["tracer"].instance.heard if isinstance(each, AskedFor)]
        assert told == [AskedFor(job, Caller(TRACE, SPAN, sampled=True))] * is_told

    play(tmp_path, scene)
