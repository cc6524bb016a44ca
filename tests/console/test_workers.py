"""The pool is lazy, outlives a broken one, and is not made by forking."""

from __future__ import annotations

import os
from concurrent.futures.process import BrokenProcessPool

import pytest

from console.workers import Workers


@pytest.fixture
def workers():
    pool = Workers(1)
    yield pool
    pool.shutdown()


def test_nothing_is_started_before_the_first_work(workers):
    assert workers._pool is None
    assert workers.submit(os.getpid).result(60) != os.getpid()


def test_a_pool_that_broke_is_replaced(workers):
    with pytest.raises(BrokenProcessPool):
        workers.submit(os._exit, 1).result(60)
    assert workers.submit(abs, -3).result(60) == 3
