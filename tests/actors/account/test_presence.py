"""An account is up only when what it submits would be heard of again after a crash."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from actors.monitor.messages import Observed
from storage.database import open_database
from storage.operations import GatewayRecord, ReadGateway
from storage.reads import find
from tests.actors.studio import Sim, Studio, run, simulator, studio

pytestmark = pytest.mark.live


@pytest.fixture
def sim() -> Iterator[Sim]:
    with simulator() as running:
        yield running


def kept_session(house: Studio, account: str) -> str | None:
    """The gateway session that a process would resume if this one ended now."""
    database = open_database(house.process.database)
    try:
        with database.reading() as connection:
            found = find(connection, ReadGateway(account))
    finally:
        database.close()
    return found.session_id if isinstance(found, GatewayRecord) else None


def test_nothing_is_submitted_in_a_gateway_session_that_a_crash_would_lose(sim: Sim, tmp_path: Path) -> None:
    async def scene() -> None:
        async with studio(tmp_path, sim) as house:
            kept: list[tuple[str | None, str | None]] = []

            def is_submitting(job: str) -> bool:
                record = house.ears.jobs[job]
                if record.state != "submitting":
                    return False
                kept.append((record.gateway_session, kept_session(house, record.account or "")))
                return True

            first = await house.order("a fox in the snow")
            await house.until(lambda: is_submitting(first))
            await house.reaches(first, "done")
            await sim.fault("invalid_false")
            await house.until(lambda: is_reconnecting(house))
            second = await house.order("an owl in the snow")
            await house.until(lambda: is_submitting(second))
            assert all(session is not None and session == saved for session, saved in kept), kept
            assert kept[0] != kept[1]
            await house.reaches(second, "done")

    run(scene())


def is_reconnecting(house: Studio) -> bool:
    """Whether a connection was lost and another one is sought."""
    return any(told.metric == "limner_gateway_reconnects_total" for told in house.ears.of(Observed))
