"""What all tests share: one real daemon for the session, with a simulated Discord."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.live.daemon import Daemon


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """`limner serve --demo` on a free port. Tests that kill or starve one start their own."""
    running = Daemon(tmp_path_factory.mktemp("daemon"), "--demo", sim_seconds=3.0).start()
    yield running
    running.stop()
