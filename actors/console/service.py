"""What operators ask about the service as a whole."""

from __future__ import annotations

from collections import Counter
from typing import Any

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from actors.console.survey import Survey
from core.alarms import Level
from core.health import State
from protocol.client import rfc3339
from system.version import own_version

#: What the Monitor measures (its Overview), and what of it is shown while it says nothing.
MEASURED = ("intake", "pace", "alarms", "commit_s", "memory_bytes", "disk_free_bytes", "fairness_jain")
COUNTED_JOBS = ("done_today", "failed_today", "per_s")
ACTOR_SUSPENDED = "actor_suspended"
OPEN, PAUSED, DRAINED = "open", "paused", "draining"


def status(desk: Desk, asked: AskConsole) -> None:
    """How the service does, at one glance: at once what is known within a second, and null for what is not."""
    Survey(desk, desk.process.accounts, lambda survey: desk.answer(asked, _shown(desk, survey)), service=True)


def _shown(desk: Desk, survey: Survey) -> dict[str, Any]:
    measured = survey.overview.service if survey.overview else {}
    totals = desk.base.totals()
    return {
        "version": own_version(),
        "node": desk.process.node,
        "up_s": desk.now() - desk.base.root.born_at,
        "ready": measured.get("ready"),
        "reasons": [*measured.get("reasons", ()), *_silent(survey)],
        **{name: measured.get(name) for name in MEASURED},
        "intake": _intake(desk, survey, measured),
        "alarms": _alarms(desk, measured.get("alarms")),
        "jobs": _jobs(survey, measured),
        "wait": measured.get("wait") or {"p50_s": None, "p99_s": None},
        "tokens": _tokens(desk, survey),
        "accounts": _accounts(desk, survey),
        "users": survey.counts.users if survey.counts else None,
        "images": survey.counts.images if survey.counts else None,
        "sessions": desk.base.kinds["session"],
        "sockets": len(desk.process.sockets),
        "actors": totals.actors,
        "messages": totals.messages,
        "dead_letters": totals.dead_letters,
        "crashes": totals.crashes,
        "restarts": sum(desk.base.restarts.snapshot().values()),
        "loop_lag_s": totals.loop_lag_s,
    }


def _alarms(desk: Desk, measured: list[dict[str, Any]] | None) -> list[dict[str, Any]] | None:
    """The Monitor's alarms, and who is suspended: said here, for it may be the Monitor. None: nobody knows any."""
    rests = [
        {
            "code": ACTOR_SUSPENDED,
            "level": Level.YELLOW.value,
            "about": record.label,
            "words": f"{record.label} suspended: its messages wait, {len(held.mail)} by now",
            "since": held.since,
            "did": f"nothing, until `limner admin actor resume {record.label}`",
        }
        for record, held in desk.base.held.items()
    ]
    if measured is None and not rests:
        return None
    return [{**alarm, "since": rfc3339(alarm["since"])} for alarm in (*(measured or ()), *rests)]


def _silent(survey: Survey) -> list[str]:
    """Who did not say what is null here, as codes (docs/ADMIN.md). Accounts are shown one by one."""
    return [f"{name}_silent" for name in sorted(survey.missing) if not name.startswith("account/")]


def _intake(desk: Desk, survey: Survey, measured: dict[str, Any]) -> str | None:
    """Whether drawings are taken on and begun: `open`, or what keeps them, the hardest first."""
    if desk.process.drained_at is not None:
        return DRAINED
    intake: str | None = measured.get("intake")
    return PAUSED if intake == OPEN and survey.queue and survey.queue.state["paused"] else intake


def _jobs(survey: Survey, measured: dict[str, Any]) -> dict[str, Any]:
    """Those that wait or are drawn, as the Queue has them; what became of others, as the Monitor counted it."""
    queue, ended = survey.queue.state if survey.queue else None, measured.get("jobs") or {}
    return {
        "queued": queue["waiting"] if queue else None,
        "drawing": sum(queue["under_way"].values()) if queue else None,
        **{name: ended.get(name) for name in COUNTED_JOBS},
    }


def _tokens(desk: Desk, survey: Survey) -> dict[str, int]:
    """Places of all accounts: how many there are, how many are taken, and how many could be now."""
    paces = survey.overview.accounts if survey.overview else {}
    slots = busy = free = 0
    for account in desk.process.accounts:
        told = survey.standing(account)
        pace = paces.get(account.name, {}).get("pace")
        slots, busy = slots + told.slots, busy + told.busy
        if told.state == State.UP:
            free += max(0, (told.slots if pace is None else min(pace, told.slots)) - told.busy)
    return {"slots": slots, "busy": busy, "free": free}


def _accounts(desk: Desk, survey: Survey) -> dict[str, int]:
    """How many accounts are in each state."""
    found = Counter(survey.standing(account).state for account in desk.process.accounts)
    return {state.value: found[state.value] for state in State}


INSTRUCTIONS = {("status", "list"): status}
