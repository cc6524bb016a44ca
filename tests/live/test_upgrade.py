"""A daemon that is started on the data of an older one goes on with its jobs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.job import TERMINAL
from tests.live.daemon import Daemon, ask, eventually
from tests.storage.migrations.test_upgrade import KEY, left_by, revisions

pytestmark = [pytest.mark.live, pytest.mark.timeout(120)]

#: This Discord knows nothing of what the older one was drawing: that ends without evidence, and soon enough.
CONFIG = "[limits]\ndrawing_s = 15\nundecided_s = 3\n"


@pytest.fixture(params=revisions())
def upgraded(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Daemon]:
    """A demo daemon on the older one's data."""
    running = Daemon(tmp_path, "--demo", "--config", "limner.toml", sim_seconds=1.0)
    (tmp_path / "limner.toml").write_text(CONFIG)
    running.data.mkdir()
    left_by(request.param, running.data)
    running.start()
    yield running
    running.stop()


def test_an_older_daemons_jobs_go_on_after_an_upgrade(upgraded: Daemon) -> None:
    def jobs() -> dict[str, str]:
        _, page = ask(f"{upgraded.url}/api/v1/jobs", KEY)
        return {job["ref"]: job["status"] for job in page["jobs"]}

    assert len(jobs()) == 10
    last = eventually(lambda: now if set(now := jobs()) and set(now.values()) <= TERMINAL else None, "all have ended")
    assert {ref for ref, state in last.items() if state == "done"} == {f"ada-{n}" for n in (1, 2, 6, 7, 8)}
    assert last["ada-9"] == "cancelled"
    assert {ref for ref, state in last.items() if state == "failed"} == {f"ada-{n}" for n in (3, 4, 5, 10)}
    prompts = [row["prompt"] for row in upgraded.ledger()]
    assert sorted(prompts) == [f"a boat, number {n} --fast" for n in (6, 7, 8)]
