"""Whatever a test of the simulator asks over REST, the answer is held to Discord's schemas."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sim.oracle import witnessed


@pytest.fixture(autouse=True)
def witness() -> Iterator[None]:
    with witnessed():
        yield
