"""The daemon under a sampling profiler: `python -m bench.peak.profiled OUT serve --config …`.

A thread looks at every other thread each 2 ms, and books the CPU time that the thread has used since the last look to
where it stands (so waiting costs nothing, and the loop and the store's writer are told apart). OUT gets folded stacks,
`thread;outer;…;inner MICROSECONDS` a line, as flame graph tools read them; OUT.txt the tables: by actor's handler
(everything under it), by function (itself alone, C calls included), and by the clock, where threads stand and wait (a
disk, the interpreter's lock). Nothing is booked before SIGUSR2 comes.
"""

from __future__ import annotations

import os
import signal
import sys
import sysconfig
import threading
import time
from collections import Counter
from pathlib import Path
from types import FrameType

LOOK_S = 0.002
SWITCH_S = 0.001
DEPTH_MAX = 60
ROWS = 40
ROOT = str(Path(__file__).parents[2]) + os.sep
LIBRARY = sysconfig.get_path("stdlib") + os.sep
Stack = tuple[str, ...]


class Sampler(threading.Thread):
    """Looks until `stop`."""

    def __init__(self) -> None:
        super().__init__(name="sampler", daemon=True)
        self.begin = threading.Event()
        self._looked_at = 0.0
        self.stacks: Counter[Stack] = Counter()
        self.stood: Counter[tuple[str, str]] = Counter()
        self._names: dict[object, str] = {}
        self._used_s: dict[int, float] = {}
        self._over = threading.Event()

    def run(self) -> None:
        self.begin.wait()
        while not self._over.wait(LOOK_S):
            self.look()

    def stop(self) -> None:
        """No look after this."""
        self._over.set()
        self.begin.set()
        self.join()

    def look(self) -> None:
        """Books the CPU time since the last look of every thread that has used some."""
        names = {thread.ident: thread.name.partition("_")[0] for thread in threading.enumerate()}
        before, self._looked_at = self._looked_at or time.monotonic(), time.monotonic()
        passed_us = round((self._looked_at - before) * 1e6)
        for ident, frame in sys._current_frames().items():
            if ident == self.ident or ident not in names:
                continue
            try:
                used = time.clock_gettime(time.pthread_getcpuclockid(ident))
            except OSError:
                continue  # it has ended
            spent = used - self._used_s.get(ident, used)
            self._used_s[ident] = used
            stack = self._stack(frame)
            self.stood[(names[ident], stack[-1])] += passed_us
            if spent > 0:
                self.stacks[(names[ident], *stack)] += round(spent * 1e6)

    def _stack(self, frame: FrameType | None) -> Stack:
        found: list[str] = []
        while frame is not None and len(found) < DEPTH_MAX:
            code = frame.f_code
            name = self._names.get(code)
            if name is None:
                name = self._names[code] = f"{short(code.co_filename)}:{code.co_qualname}"
            found.append(name)
            frame = frame.f_back
        return tuple(reversed(found))


def short(filename: str) -> str:
    """Ours from the checkout's top, others from their package."""
    return filename.removeprefix(ROOT).rpartition("site-packages/")[2].removeprefix(LIBRARY)


def handler_of(stack: Stack) -> str:
    """The actor's handler, task or outermost part of ours that a stack is in."""
    handlers = [name for name in stack if ".receiveMsg_" in name]
    if handlers:
        return handlers[-1]
    return next((name for name in stack if "." + "actors" not in name and name.split("/")[0] in OURS), stack[-1])


OURS = ("actors", "web", "protocol", "storage", "core", "console")


def report(stacks: Counter[Stack], stood: Counter[tuple[str, str]]) -> str:
    """The tables, in seconds of CPU or by the clock, and shares."""
    total = sum(stacks.values()) or 1
    lines = [f"{total / 1e6:.1f} s of CPU were seen"]
    for title, key_of in (
        ("by thread", lambda stack: stack[0]),
        ("by handler or task, with all it calls", handler_of),
        ("by function, itself alone", lambda stack: stack[-1]),
    ):
        sums: Counter[str] = Counter()
        for stack, spent in stacks.items():
            sums[key_of(stack)] += spent
        lines += ["", title]
        lines += [f"{spent / 1e6:9.2f} s {spent / total:6.1%}  {name}" for name, spent in sums.most_common(ROWS)]
    lines += ["", "by the clock: threads, all of a name together, and where they stand"]
    lines += [f"{us / 1e6:9.2f} s  {name}: {where}" for (name, where), us in stood.most_common(ROWS)]
    return "\n".join(lines) + "\n"


def main() -> int:
    """Runs `limner` with the arguments behind OUT."""
    from runtime import main as limner

    out = Path(sys.argv[1])
    sys.setswitchinterval(SWITCH_S)
    sampler = Sampler()
    signal.signal(signal.SIGUSR2, lambda *_: sampler.begin.set())
    sampler.start()
    try:
        return limner(sys.argv[2:])
    finally:
        sampler.stop()
        out.write_text("".join(f"{';'.join(stack)} {spent}\n" for stack, spent in sampler.stacks.items()))
        out.with_name(out.name + ".txt").write_text(report(sampler.stacks, sampler.stood))


if __name__ == "__main__":
    sys.exit(main())
