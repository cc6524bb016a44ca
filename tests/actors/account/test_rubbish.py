"""A real account, and a drawing of its, before a server that says anything at all: they survive, with few log lines."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from actors.monitor.messages import Observed, Restarted
from protocol import gateway_backoff
from system.plain_structlog import structlog
from tests.actors.hostile import NUMBER, RESUME, Act, Hostile, Plain, Text, raging
from tests.actors.studio import Sim, run, studio
from tests.fuzz.changes import changes
from tests.fuzz.seeds import documents

LOG_LINES_MAX = 80
SURVIVES_S_MAX = 60.0
HUGE_BYTES = 3 << 20
BOMB_BYTES = 65 << 20
END = 4000


def rubbish() -> Iterator[bytes]:
    """Every event that we read, with every field replaced by everything that still is a JSON document."""
    for document in documents():
        event = json.loads(document) | {"s": msgspec.Raw(NUMBER)}
        if event["op"] != 0:
            continue
        yield from (changed for changed in changes(event) if changed.isascii())


def huge() -> Iterator[bytes]:
    for field in ("content", "padding", "id"):
        data = {"id": "9", "channel_id": "5", field: "x" * HUGE_BYTES}
        yield json.dumps({"op": 0, "s": -1, "t": "MESSAGE_CREATE", "d": data}).encode().replace(b"-1", NUMBER, 1)


ACTS: list[Act] = [
    rubbish(),
    huge(),
    [b"[" * 100_000],
    [b'{"op":"\xff"}'],
    [b'{"op":11'],
    [Text("no JSON"), 1000],
    [Text('{"op":99}'), Text("null"), END],
    [Plain(b"\x13\x37" * 50 + b"\x00\x00\xff\xff")],
    [Plain(b"")] * 20,
    [bytes(BOMB_BYTES)],
    [b'{"op":10,"d":null}', b'{"op":10,"d":{"heartbeat_interval":1e300}}', b'{"op":7}'],
    [b'{"op":9,"d":true}'],
    [3000],
]


def test_an_account_survives_a_server_that_has_gone_mad(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gateway_backoff, "BACKOFF_S_MAX", 0.1)
    caplog.set_level(logging.INFO)

    async def scene() -> None:
        hostile = Hostile(list(ACTS), last_words=rubbish())
        async with raging(hostile) as config, studio(tmp_path, Sim({}), config) as house:
            async with asyncio.timeout(SURVIVES_S_MAX):
                await hostile.behaves.wait()
            account = house.base.names["account/mad"].instance
            await house.until(lambda: account.line.is_live and account.told is None)
            assert house.base.names["account/mad"].instance is account
            assert not house.ears.of(Restarted)
            assert len(hostile.hows) == len(ACTS) + 1
            assert hostile.hows.count(RESUME) >= len(ACTS) // 2
            job = await house.order("a fox")
            await hostile.spoken.wait()
            await house.reaches(job, "done", "failed")
            assert house.base.names["account/mad"].instance is account
            assert not house.ears.of(Restarted)
            strange = [told.amount for told in house.ears.of(Observed) if told.metric == "limner_oddities_total"]
            assert sum(strange) > 100

    with structlog.testing.capture_logs() as lines:
        run(scene())
    said = [str(line) for line in lines if line["log_level"] != "debug"] + [
        record.getMessage() for record in caplog.records
    ]
    assert len(said) <= LOG_LINES_MAX, said[-10:]
    assert not [line for line in said if "Traceback" in line or "exc_info" in line]
    assert not [record for record in caplog.records if record.exc_info]
