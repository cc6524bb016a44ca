"""What operators ask about the service as a whole."""

from __future__ import annotations

from collections import Counter
from typing import Any

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from actors.console.survey import Survey
from core.health import State
from system.version import own_version

#: What the Monitor measures (its Overview), and what of it is shown while it says nothing.
MEASURED = ("intake", "pace", "alarms", "commit_s", "memory_bytes", "disk_free_bytes", "fairness_jain")
COUNTED_JOBS = ("done_today", "failed_today", "per_s")
PAUSED, DRAINED = "paused", "draining"


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
        "reasons": [*measured.get("reasons", ()), *_reasons(desk, survey)],
        **{name: measured.get(name) for name in MEASURED},
        "intake": _intake(desk, measured),
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


def _reasons(desk: Desk, survey: Survey) -> list[str]:
    """What is wrong besides what the Monitor says: codes of docs/API.md."""
    silent = sorted(name for name in survey.missing if not name.startswith("account/"))
    return [*([DRAINED] if desk.process.drained_at is not None else []), *(f"{name}_silent" for name in silent)]


def _intake(desk: Desk, measured: dict[str, Any]) -> str | None:
    return DRAINED if desk.process.drained_at is not None else measured.get("intake")


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
