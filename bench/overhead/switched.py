"""The daemon with a switch: `python -m bench.overhead.switched serve --config …`.

SIGUSR2: nobody watches: the Monitor looks at nothing and counts nothing, as if there were no metrics. SIGUSR1: as ever.
What it is told is still made and mailed, some six messages a job of 0.4 µs each (bench.loop_base), and left unread.
Which accounts are up it hears all the same: without that the daemon would not be ready.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from thespian.actors import WakeupMessage

from actors.monitor.actor import PROBE_EACH_S, Monitor, Probe, Sample
from actors.monitor.messages import CommitUnderWay, JobEnded, Observed, Surveyed

ACCOUNT_UP = "limner_account_up"


class Deaf(Monitor):
    """Never born: `receiveMessage` is lent to the Monitor while nobody watches."""

    def receiveMessage(self, message: Any, sender: Any) -> None:
        told = message.payload if type(message) is WakeupMessage else message
        match told:
            case Sample():
                self.after(self.interval_s, Sample())
            case Probe():
                self.after(PROBE_EACH_S, Probe(self.now() + PROBE_EACH_S))
            case Observed(metric=metric) if metric != ACCOUNT_UP:
                return
            case Surveyed() | JobEnded() | CommitUnderWay():
                return
            case _:
                HEEDFUL(self, message, sender)


HEEDFUL = Monitor.receiveMessage


def watch(is_on: bool) -> None:
    """From the next message on."""
    Monitor.receiveMessage = HEEDFUL if is_on else Deaf.receiveMessage  # type: ignore[method-assign, assignment]


def main() -> int:
    """Runs `limner`."""
    from runtime import main as limner

    signal.signal(signal.SIGUSR1, lambda *_: watch(True))
    signal.signal(signal.SIGUSR2, lambda *_: watch(False))
    return limner(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
