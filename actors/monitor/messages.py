"""What is said to the Monitor, and by it."""

from __future__ import annotations

from typing import Any

from protocol.api import ShowMetrics, ShowReady
from system.message import Message


class Observed(Message, frozen=True):
    """Something measurable happened: a metric of CONTRACT §10 by name, how much, and its labels' values in order.

    `account`: of whose work, where the labels do not say so and its pace depends on it.
    """

    metric: str
    amount: float = 1.0
    labels: tuple[str, ...] = ()
    account: str | None = None


class Surveyed(Message, frozen=True):
    """All series that a gauge has now: of each its labels' values in order, and its own. There are no others."""

    metric: str
    rows: tuple[tuple[tuple[str, ...], float], ...]


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
    """The console asks how the service does. Answered by Overview.

    `hours`: the accounts whose last hour is asked for, which takes the Monitor some 10 µs each; None: of all."""

    ask: str
    hours: tuple[str, ...] | None = None


class Overview(Message, frozen=True):
    """To the console: what the Monitor knows, in the keys of docs/ADMIN.md.

    `service`: intake, pace, alarms, jobs {per_s, done_today, failed_today}, wait {p50_s, p99_s}, commit_s, loop_lag_s,
    memory_bytes, disk_free_bytes, ready, reasons, fairness_jain, restarts. `accounts`: {name: {pace, done, failed,
    limited, reconnects, seconds, round_trip_s}} of the last hour, or only the pace where no more was asked for. What is
    not known (yet) is None.
    """

    ask: str
    service: dict[str, Any]
    accounts: dict[str, dict[str, Any]]


# --- what is seen


class JobEnded(Message, frozen=True):
    """A job has come to its end: `outcome` as limner_jobs_total says it, on which account it was drawn last (None: on
    none), how long ago it was accepted and, if it was, submitted, in s. `at`: its end as it is stored (Unix s)."""

    outcome: str
    account: str | None
    age_s: float
    drawing_s: float | None
    at: float


class CommitUnderWay(Message, frozen=True):
    """The store's group commit has taken so long, and goes on."""

    seconds: float


class AccountState(Message, frozen=True):
    """How an account does: told when that changes, and when asked.

    `state`, `cause` and `words` as core.health has them (both None when it is up); `slots` it may hold at once, of
    which its pace allows `places`; of its drawings `going_on` may be with the bot, `moving` surely are not.
    """

    account: str
    state: str
    cause: str | None
    words: str | None
    slots: int
    places: int
    going_on: int
    moving: int


class AccountGone(Message, frozen=True):
    """The account is not there any more."""

    account: str


# --- what is decided


class SetPace(Message, frozen=True):
    """To an account: of its slots use so many at once. Said again and again while it is fewer than all."""

    account: str
    places: int


class SetIntake(Message, frozen=True):
    """To the Queue: let in this share of new wishes (0 to 1); with `stopped_by`, the code of an alarm, none at all.

    Said again and again while it is less than all, so that a Queue that was restarted knows it.
    """

    share: float
    stopped_by: str | None = None
