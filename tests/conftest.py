"""What all tests share: one real daemon for the session, with a simulated Discord, and how two workers share them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.live.daemon import Daemon

# A busy machine is no failure: hypothesis looks for wrong answers, not for slow ones.
settings.register_profile("limner", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("limner")


class InLanes(LoadScopeScheduling):
    """How the workers of `make test` share the tests: by files, and those of a folder that start processes in one lane.

    So the tests of a lane share its daemon, and compete with those of other lanes but not with their like.
    """

    def _split_scope(self, nodeid: str) -> str:
        """The lane of a test: its file, or the live tests of its folder."""
        file = self.config.rootpath / nodeid.partition("::")[0]
        return f"live in {file.parent}" if has_live_tests(file) else str(file)


@cache
def has_live_tests(file: Path) -> bool:
    """Whether any of its tests is marked so: the scheduler knows no more of a test than its name."""
    return "pytest.mark.live" in file.read_text()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Not xdist's own groups: since pytest 9.2 its `loadgroup` groups nothing, and says nothing."""
    return InLanes(config, log)


@pytest.fixture(scope="session")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """`limner serve --demo` on a free port. Tests that kill or starve one start their own."""
    running = Daemon(tmp_path_factory.mktemp("daemon"), "--demo", sim_seconds=3.0).start()
    yield running
    running.stop()
