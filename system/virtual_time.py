"""An asyncio loop whose clock jumps: hours of timers in seconds of work, and every run the same.

When nothing is ready, time moves at once to the next timer; no time passes while callbacks run. Callbacks run in the
order in which they became ready, timers of one time in the order in which they were set, so a program that takes its
dice from a seed does the same on every run. What would bring the real world in is refused or replaced:

- sockets, pipes, subprocesses and signals are refused (NotImplementedError, asyncio's answer for a loop without them);
- calls from other threads are refused;
- `run_in_executor` and `asyncio.to_thread` run the function at once, in this thread; its result comes in the next turn,
  or as much later as `takes_s` says;
- nothing ready, no timer, and the main coroutine not done is a Deadlock, raised with the names of the waiting tasks.

The turn and the heap of timers stand in for those of asyncio's BaseEventLoop, whose inside is the same in CPython 3.11
to 3.13: without I/O to look for, a turn is less work, and each drawing of a peak takes 65 of them.
"""

import asyncio
import contextlib
import itertools
import random
import threading
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from heapq import heapify, heappop, heappush
from typing import Any, TypeVar, TypeVarTuple

START_WALL = 1_767_225_600.0  # 2026-01-01 00:00:00 UTC
TASKS_NAMED_MAX = 10
CANCELS_MIN = 100

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")


class Deadlock(RuntimeError):
    """Everything waits for something that no timer and no task will bring."""


class TimeIsUp(RuntimeError):
    """The main coroutine was not done at the virtual time it was given."""


class VirtualLoop(asyncio.BaseEventLoop):
    """`time()` begins at 0; `wall()` is `start_wall` (Unix time, s) plus it; `rng` is seeded for whoever wants dice."""

    # asyncio's own, which call_soon and close know.
    _ready: deque[asyncio.Handle]
    _scheduled: list[tuple[float, int, asyncio.TimerHandle]]
    _stopping: bool

    def __init__(self, seed: int = 0, start_wall: float = START_WALL, virtual_s_max: float | None = None) -> None:
        super().__init__()
        self.rng = random.Random(seed)
        self.start_wall = start_wall
        self._virtual_s_max = virtual_s_max
        self._now = 0.0
        self._home = threading.get_ident()
        self._timers_set = itertools.count()
        self._cancels = 0

    def time(self) -> float:
        return self._now

    def wall(self) -> float:
        return self.start_wall + self._now

    def call_at(
        self, when: float, callback: Callable[[*Arguments], object], *args: *Arguments, context: Context | None = None
    ) -> asyncio.TimerHandle:
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        heappush(self._scheduled, (when, next(self._timers_set), timer))
        return timer

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """Told by asyncio of each. When half of the heap may be waiting in vain, it is made anew without these."""
        self._cancels += 1
        if self._cancels > max(CANCELS_MIN, len(self._scheduled) // 2):
            self._scheduled[:] = [entry for entry in self._scheduled if not entry[2]._cancelled]
            heapify(self._scheduled)
            self._cancels = 0

    def _run_once(self) -> None:
        """One turn: all that is ready now; what becomes ready meanwhile is for the next."""
        ready, timers = self._ready, self._scheduled
        if not ready and not self._stopping:
            self._jump()
        while timers and timers[0][0] <= self._now:
            ready.append(heappop(timers)[2])
        for _ in range(len(ready)):
            handle = ready.popleft()
            if not handle._cancelled:
                handle._run()

    def _jump(self) -> None:
        """Moves the time to the next timer. Raises Deadlock without one, TimeIsUp when it lies beyond the limit."""
        timers = self._scheduled
        while timers and timers[0][2]._cancelled:
            heappop(timers)
        if not timers:
            raise Deadlock(f"nothing will happen any more; waiting: {self.waiting()}")
        upcoming = timers[0][0]
        if self._virtual_s_max is not None and upcoming > self._virtual_s_max:
            raise TimeIsUp(f"not done after {self._virtual_s_max} s; waiting: {self.waiting()}")
        self._now = max(self._now, upcoming)

    def waiting(self) -> str:
        """Names of the tasks not done, for errors."""
        names = sorted(task.get_name() for task in asyncio.all_tasks(self) if not task.done())
        more = f" and {len(names) - TASKS_NAMED_MAX} more" if len(names) > TASKS_NAMED_MAX else ""
        return ", ".join(names[:TASKS_NAMED_MAX]) + more

    def run_in_executor(
        self, executor: Any, func: Callable[[*Arguments], Result], *args: *Arguments
    ) -> "asyncio.Future[Result]":
        """Runs the function at once, whatever the executor; the future is settled after `takes_s` of it."""
        future: asyncio.Future[Result] = self.create_future()
        try:
            result = func(*args)
        except Exception as error:  # whoever awaits the future raises it
            self._settle_later(self.takes_s(func), future, None, error)
        else:
            self._settle_later(self.takes_s(func), future, result, None)
        return future

    def takes_s(self, func: Callable[..., Any]) -> float:
        """The virtual time until the result of a function run by an executor is known; none, unless a subclass knows
        better."""
        return 0.0

    def _settle_later(self, seconds: float, *settlement: Any) -> None:
        if seconds > 0:
            self.call_later(seconds, _settle, *settlement)
        else:
            self.call_soon(_settle, *settlement)

    def _write_to_self(self) -> None:
        if threading.get_ident() != self._home:
            raise RuntimeError("another thread called into a virtual loop: its run could not be replayed")


def _settle(future: "asyncio.Future[Any]", result: Any, error: Exception | None) -> None:
    if future.done():  # cancelled meanwhile
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)


def run_virtually(
    main: Callable[[VirtualLoop], Coroutine[Any, Any, Result]],
    seed: int = 0,
    start_wall: float = START_WALL,
    virtual_s_max: float | None = None,
) -> Result:
    """Runs `main(loop)` on a virtual loop of its own, and its result. Raises what it raises; Deadlock; TimeIsUp when it
    is not done after `virtual_s_max` virtual seconds. Tasks it left are cancelled."""
    loop = VirtualLoop(seed, start_wall, virtual_s_max)
    try:
        asyncio.set_event_loop(loop)
        return loop.run_until_complete(main(loop))
    finally:
        _cancel_the_rest(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _cancel_the_rest(loop: VirtualLoop) -> None:
    left = asyncio.all_tasks(loop)
    for task in left:
        task.cancel()
    # A task that will not be cancelled, or waits on in vain, is its own fault: the outcome of main is what counts.
    with contextlib.suppress(Deadlock, TimeIsUp):
        if left:
            loop.run_until_complete(asyncio.wait(left))
        loop.run_until_complete(loop.shutdown_asyncgens())
