"""What an account starts with: whether it may work, where its gateway session goes on, and what it did before."""

from __future__ import annotations

from msgspec import Struct

from core.health import Cause
from storage.records import JobRecord


class SaveGateway(Struct, frozen=True, tag=True):
    """Where an account's gateway session can be resumed from; `session_id` None forgets it."""

    account: str
    session_id: str | None
    seq: int | None
    resume_url: str | None
    at: float


class ReadGateway(Struct, frozen=True, tag=True):
    """Answers GatewayRecord or Nothing."""

    account: str


class GatewayRecord(Struct, frozen=True, tag=True):
    """A resumable gateway session."""

    account: str
    session_id: str
    seq: int
    resume_url: str


class ClaimIdentify(Struct, frozen=True, tag=True):
    """The application would begin a new gateway session now. Answers IdentifyClaim.

    `remaining` and `reset_after_s` are Discord's own count, where it told it (None: it did not).
    """

    application: str
    remaining: int | None
    reset_after_s: float | None
    at: float


class IdentifyClaim(Struct, frozen=True, tag=True):
    """`wait_s` 0: it may, and is counted. Else it may not, and should ask again after so many seconds."""

    wait_s: float


class SaveSuspension(Struct, frozen=True, tag=True):
    """The account gets no work until the operator says otherwise, for this reason; `reason` None: it does again.

    `cause` is one of core.health's, `at` since when (Unix s). Answers Applied; a second time all is replaced.
    """

    account: str
    reason: str | None
    at: float
    cause: str = Cause.OPERATOR


class ReadSuspension(Struct, frozen=True, tag=True):
    """Answers SuspensionRecord or Nothing."""

    account: str


class SuspensionRecord(Struct, frozen=True, tag=True):
    """Why the account is out of work, since when (Unix s), and what core.health calls it."""

    account: str
    reason: str
    at: float
    cause: str = Cause.OPERATOR


class ReadPast(Struct, frozen=True, tag=True):
    """What the account submitted since a moment (Unix s), of which at most `limit` attempts are looked at.

    Answers Past.
    """

    account: str
    since: float
    limit: int


class Past(Struct, frozen=True, tag=True):
    """Submissions of an account that are over.

    `given`: the ids of the messages that were taken as their results; `resultless`: jobs that ended with none, as they
    are, whose result may yet come if nothing was said of it. `whole`: there were no more than the limit; else both are
    empty.
    """

    given: tuple[str, ...]
    resultless: tuple[JobRecord, ...]
    whole: bool
