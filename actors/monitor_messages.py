"""What is said to the Monitor."""

from __future__ import annotations

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
