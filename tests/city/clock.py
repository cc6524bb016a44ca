"""The city's loop: virtual time, a wall clock that can be set back, and threads that are slow and outlive their actors.

A function given to a thread runs after a while, whoever still waits for it, save those that had not begun when their
thread was shut down or their process killed. Between its end and the news of it time passes too: so a commit can be
on disk and nobody told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Protocol

from actors.store import _find_all
from storage.database import StoreTrouble
from storage.groups import commit_group, tidy
from system.virtual_time import START_WALL, VirtualLoop
from tests.city.weather import Weather

SLOW_S_MAX = 4.0
#: One errand after the other.
ORDER_S = 1e-6
#: How long a write waits for a database that another process holds.
LOCKED_S = 5.0
WRITES = (commit_group, tidy)


class Inspector(Protocol):
    """Looks at the database after each commit."""

    def committed(self) -> None:
        """A transaction has ended."""


@dataclass(eq=False)
class Trouble:
    """The database refuses, with this code; `told_at`: since when somebody knows (loop s)."""

    code: str
    told_at: float | None = None


@dataclass(eq=False)
class Errand:
    """A function on its way through a thread."""

    run: Callable[[], None]
    begun: bool
    handle: asyncio.Handle | None = None


class SlowThread(Executor):
    """In the place of a ThreadPoolExecutor of one thread: what it is given, the loop runs, in order."""

    def __init__(self, workers: int = 1, name: str = "") -> None:
        self.errands: dict[Errand, None] = {}
        self.free_at = 0.0

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """What has begun is done, the rest never."""
        for errand in list(self.errands):
            if errand.handle is not None:
                errand.handle.cancel()
            if errand.begun:
                errand.run()
        self.errands.clear()


class CityLoop(VirtualLoop):
    """See the module's docstring."""

    def __init__(self, seed: int, weather: Weather, virtual_s_max: float, start_wall: float = START_WALL) -> None:
        super().__init__(seed, start_wall, virtual_s_max)
        self.weather = weather
        self.set_back_s = 0.0
        self.inspector: Inspector | None = None
        self.trouble: Trouble | None = None
        self.trouble_until = 0.0
        #: Threads with something on its way, for the end of the process.
        self.threads: dict[SlowThread, None] = {}

    def end_trouble(self) -> None:
        """The database is well again, unless new trouble has come."""
        if self.time() >= self.trouble_until:
            self.trouble = None

    def wall(self) -> float:
        """What the daemon's host believes the time to be."""
        return self.true_wall() - self.set_back_s

    def true_wall(self) -> float:
        """What Discord's hosts believe it to be."""
        return super().wall()

    def join_threads(self) -> None:
        """The process ends in order: what has begun is done first."""
        for thread in self.threads:
            thread.shutdown()
        self.threads.clear()

    def kill_threads(self) -> None:
        """The process is gone: what has not happened yet will not happen."""
        for thread in self.threads:
            for errand in thread.errands:
                if errand.handle is not None:
                    errand.handle.cancel()
        self.threads.clear()

    def run_in_executor(self, executor: Any, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:
        """Runs the function soon or, when the weather is bad, late; its result comes later still."""
        future: asyncio.Future[Any] = self.create_future()
        thread = executor if isinstance(executor, SlowThread) else SlowThread()
        slow = self.weather.strikes("store_slow")
        before_s, after_s = (self.weather.dice.uniform(0.0, SLOW_S_MAX) for _ in range(2)) if slow else (0.0, 0.0)

        if func in WRITES and self.trouble is not None and self.trouble.code == "locked":
            before_s += LOCKED_S

        def run() -> None:
            thread.errands.pop(errand, None)
            if future.cancelled() and not errand.begun:
                return
            result, error = self._attempt(func, args)
            self.call_later(after_s, _settle, future, result, error)

        errand = Errand(run, begun=self.weather.dice.random() < 0.5)
        thread.errands[errand] = None
        self.threads[thread] = None
        thread.free_at = max(self.time() + before_s, thread.free_at)
        if thread.free_at > self.time():
            thread.free_at += ORDER_S
            errand.handle = self.call_at(thread.free_at, run)
        else:
            run()
        return future

    def _attempt(self, func: Callable[..., Any], args: tuple[Any, ...]) -> tuple[Any, Exception | None]:
        trouble = self.trouble
        if trouble is not None and (func in WRITES or (trouble.code == "unavailable" and func is _find_all)):
            trouble.told_at = trouble.told_at or self.time()
            return None, StoreTrouble(trouble.code, "as the city wants it")
        if func in WRITES and self.weather.strikes("store_refuses"):
            return None, StoreTrouble("full", "the disk is full; free some space")
        try:
            result = func(*args)
        except Exception as error:  # whoever awaits the future raises it
            return None, error
        if func is commit_group and self.inspector is not None:
            self.inspector.committed()
        return result, None


def _settle(future: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
