"""Workers: a pool of processes for CPU work (thumbnails), made at its first use so that nobody waits for it at start.

Workers are spawned, never forked from a process with threads, and end with their parent, also when it is killed. A pool
that broke (a worker was killed, say for memory) is replaced; the work that broke it fails.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any, TypeVar

WORKERS = 2

Result = TypeVar("Result")


class Workers(Executor):
    """As ProcessPoolExecutor, but lazy and lasting."""

    def __init__(self, workers: int = WORKERS) -> None:
        self._workers = workers
        self._pool: ProcessPoolExecutor | None = None

    def submit(self, work: Callable[..., Result], /, *arguments: Any, **named: Any) -> Future[Result]:
        """As Executor.submit."""
        if self._pool is None:
            self._pool = _new_pool(self._workers)
        try:
            return self._pool.submit(work, *arguments, **named)
        except BrokenProcessPool:
            self._pool = _new_pool(self._workers)
            return self._pool.submit(work, *arguments, **named)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """As Executor.shutdown."""
        pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown(wait, cancel_futures=cancel_futures)


def _new_pool(workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=end_with_parent)


def end_with_parent() -> None:
    """In a worker: Ctrl-C is the parent's affair, and the parent's end is ours, in the middle of work if need be."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
