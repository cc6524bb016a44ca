"""What all tests share: one real daemon for the session, with a simulated Discord, and how two workers divide them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.live.daemon import Daemon

# A busy machine is no failure: hypothesis looks for wrong answers, not for slow ones.
settings.register_profile("limner", deadline=None)
settings.load_profile("limner")


@pytest.hookimpl(tryfirst=True)  # before xdist reads the groups
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that start real processes are one group: of the workers of `make test` one runs them all, in turn.

    So they share the daemon of the session, and compete with what others compute but never with each other.
    """
    for item in items:
        if item.get_closest_marker("live"):
            item.add_marker(pytest.mark.xdist_group("live"))


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """`limner serve --demo` on a free port. Tests that kill or starve one start their own."""
    running = Daemon(tmp_path_factory.mktemp("daemon"), "--demo", sim_seconds=3.0).start()
    yield running
    running.stop()
