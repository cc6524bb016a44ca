"""What operators ask of a job's path through the actors."""

from __future__ import annotations

from typing import Any

from actors.console.arguments import number
from actors.console.desk import CHANGED, UNCHANGED, Desk
from actors.console.messages import AskConsole, AskProgress, ProgressTold
from actors.store_messages import LookedUp, Lookup
from protocol.api import Instruct
from protocol.client import rfc3339
from storage.operations import Found, JobFound, ReadJob
from system.message import Message
from system.trails import FOLLOWED_MAX

TRACE_S, TRACE_S_MAX = 300.0, 3600.0
LOOKS = (AskConsole, AskProgress, ProgressTold, Lookup, LookedUp)


def trace(desk: Desk, asked: AskConsole) -> None:
    """From now on, for a while, each message about the job is noted: the job's `timeline` shows them."""
    job = asked.instruct.id or ""
    seconds = number(asked, "seconds", TRACE_S, 1.0, TRACE_S_MAX)

    def found(answer: Found) -> None:
        if not isinstance(answer, JobFound):
            desk.refuse(asked, "not_found", f"There is no job {job}.")
            return
        desk.base.trails.overlooks = is_a_look
        new = desk.base.trace(job, seconds)
        if new is None:
            words = f"{FOLLOWED_MAX} jobs are followed already; wait until the time of one is over."
            desk.refuse(asked, "rate_limited", words)
        elif new:
            desk.changed(asked, CHANGED)
        else:
            desk.answer(asked, UNCHANGED)

    desk.store.lookup(ReadJob(job, None), found, desk.unread(asked))


def is_a_look(message: Message, by: str, sender: str) -> bool:
    """Whether an operator looks at the job (or at what else is named): that is no part of its path."""
    if "console" in (by, sender):
        return isinstance(message, LOOKS)
    return isinstance(message, AskProgress) or isinstance(getattr(message, "question", None), Instruct)


def trail(desk: Desk, job: str) -> list[dict[str, Any]]:
    """What was noted, as the rows of a timeline."""
    return [
        {"at": rfc3339(sight.at), "what": sight.what, "by": sight.by, "detail": f"from {sight.sender}"}
        for sight in desk.base.trail(job)
    ]


INSTRUCTIONS = {("jobs", "trace"): trace}
