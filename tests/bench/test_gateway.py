"""The comparison of gateway readers: that each reads the whole stream before its time counts."""

from __future__ import annotations

import asyncio

import pytest

from bench.gateway import readings_of
from bench.recorded import compressed, documents, record


def test_every_reader_finds_all_messages_of_the_recorded_stream() -> None:
    pytest.importorskip("orjson")

    async def main() -> list[str]:
        recording = await record(drawing_s=0.5)
        stream = list(documents(recording, rounds=2))
        readings = readings_of(recording, stream, compressed(stream), rounds=2)
        for reading in readings.values():
            await reading()
        return list(readings)

    names = asyncio.run(main())
    assert [name for name in names if "discord.py" in name or "hikari" in name]


def test_the_stream_begins_as_a_session_does_and_tells_of_whole_drawings() -> None:
    recording = asyncio.run(record(drawing_s=0.5))
    assert [spoken.name for spoken in recording.welcome] == ["READY", "GUILD_CREATE"]
    names = [spoken.name for spoken in recording.drawings]
    assert names.count("MESSAGE_DELETE") == 4
    assert {"MESSAGE_CREATE", "MESSAGE_UPDATE", "INTERACTION_SUCCESS"} <= set(names)
