"""What is said to the Monitor."""

from __future__ import annotations

from typing import Any

from protocol.api import ShowMetrics, ShowReady
from system.message import Message


class Observed(Message, frozen=True):
    """Something measurable happened: a metric of CONTRACT §10 by name, how much, and its labels' values in order."""

    metric: str
    amount: float = 1.0
    labels: tuple[str, ...] = ()


class Restarted(Message, frozen=True):
    """A supervisor has to start this actor again."""

    actor: str


class TellHealth(Message, frozen=True):
    """A monitor that remembers nothing asks the Store and accounts to tell again how they are."""


class PicturesTroubled(Message, frozen=True):
    """The image store takes no pictures. `code` is one of storage.pictures.PictureTrouble's."""

    code: str


class PicturesWell(Message, frozen=True):
    """The image store takes pictures (again)."""


class AskMonitor(Message, frozen=True):
    """An HTTP request wants the metrics, or to know whether we are ready. Answered by Say(socket, …) to the gate."""

    socket: str
    question: ShowMetrics | ShowReady


class AskOverview(Message, frozen=True):
    """The console asks how the service does. Answered by Overview."""

    ask: str


class Overview(Message, frozen=True):
    """To the console: what the Monitor knows, in the keys of docs/ADMIN.md.

    `service`: intake, pace, alarms, jobs {per_s, done_today, failed_today}, wait {p50_s, p99_s}, commit_s, loop_lag_s,
    memory_bytes, disk_free_bytes, ready, reasons, fairness_jain, restarts. `accounts`: {name: {pace, done, failed,
    limited, reconnects, seconds, round_trip_s}} of the last hour. What is not known (yet) is None.
    """

    ask: str
    service: dict[str, Any]
    accounts: dict[str, dict[str, Any]]
