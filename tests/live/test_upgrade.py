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


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Daemon]]:
    """A demo daemon on the data of each older one, by revision.

    All start at once: it takes each of them a while to learn that its old gateway session is gone.
    """
    running = {revision: on_data_of(revision, tmp_path_factory.mktemp(revision)) for revision in revisions()}
    for daemon in running.values():
        daemon.start(until_ready=False)
    yield running
    for daemon in running.values():
        daemon.stop()


def on_data_of(revision: str, folder: Path) -> Daemon:
    """A daemon, not started yet, in whose folder an older one left its data."""
    daemon = Daemon(folder, "--demo", "--config", "limner.toml", sim_seconds=1.0)
    (folder / "limner.toml").write_text(CONFIG)
    daemon.data.mkdir()
    left_by(revision, daemon.data)
    return daemon


@pytest.mark.parametrize("revision", revisions())
def test_an_older_daemons_jobs_go_on_after_an_upgrade(upgraded: dict[str, Daemon], revision: str) -> None:
    daemon = upgraded[revision]
    daemon.await_ready()

    def jobs() -> dict[str, str]:
        _, page = ask(f"{daemon.url}/api/v1/jobs", KEY)
        return {job["ref"]: job["status"] for job in page["jobs"]}

    assert len(jobs()) == 10
    last = eventually(lambda: now if set(now := jobs()) and set(now.values()) <= TERMINAL else None, "all have ended")
    assert {ref for ref, state in last.items() if state == "done"} == {f"ada-{n}" for n in (1, 2, 6, 7, 8)}
    assert last["ada-9"] == "cancelled"
    assert {ref for ref, state in last.items() if state == "failed"} == {f"ada-{n}" for n in (3, 4, 5, 10)}
    prompts = [row["prompt"] for row in daemon.ledger()]
    assert sorted(prompts) == [f"a boat, number {n} --fast" for n in (6, 7, 8)]
