"""What operators ask of Discord accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from actors.account.messages import AskStanding, Obeyed, Reinstate, Standing, Suspend, standing_of
from actors.console.desk import CHANGED, UNCHANGED, Desk
from actors.console.messages import AskConsole
from core.config import AccountConfig
from core.health import Cause, Health
from protocol.client import ClientMistake, rfc3339

REASON_CHARS_MAX = 200
#: Accounts answer within this time, or have died; the store may be in trouble too.
STANDING_S_MAX = 1.0
OBEYED_S_MAX = 10.0
#: Since when an account says nothing, nobody knows.
SILENT = Health().struck(Cause.STARTING, "it does not answer", 0.0)


@dataclass(slots=True)
class Survey:
    """A question to accounts: who has not answered yet, and what the others said. `about`: who is asked for alone."""

    asked: AskConsole
    about: AccountConfig | None
    missing: set[str]
    standings: dict[str, Standing] = field(default_factory=dict)


def shown(standing: Standing) -> dict[str, Any]:
    """An account as operators see it."""
    return {
        "name": standing.account,
        "state": standing.state,
        "cause": standing.cause,
        "reason": standing.reason,
        "ends": standing.ends,
        "since": rfc3339(standing.since) if standing.since else None,
        "slots": standing.slots,
        "busy": standing.busy,
    }


def listed(desk: Desk, asked: AskConsole) -> None:
    """All accounts."""
    _survey(desk, asked, None)


def one(desk: Desk, asked: AskConsole) -> None:
    """One account, and what it holds."""
    _survey(desk, asked, _meant(desk, asked))


def _survey(desk: Desk, asked: AskConsole, about: AccountConfig | None) -> None:
    asked_for = desk.process.config.accounts if about is None else (about,)
    living = {each.name for each in asked_for if desk.base.whereis(f"account/{each.name}") is not None}
    survey = Survey(asked, about, living)

    def heard(standing: Standing) -> None:
        survey.missing.discard(standing.account)
        survey.standings[standing.account] = standing
        if not survey.missing:
            desk.settled(ask)
            _conclude(desk, survey)

    if not living:
        _conclude(desk, survey)
        return
    ask = desk.expect(STANDING_S_MAX, heard, lambda: _conclude(desk, survey))
    for name in sorted(living):
        desk.tell(f"account/{name}", AskStanding(name, ask))


def _conclude(desk: Desk, survey: Survey) -> None:
    """All have spoken, or need not be waited for any longer."""

    def row(account: AccountConfig) -> dict[str, Any]:
        told = survey.standings.get(account.name)
        return shown(told or standing_of(SILENT, "", account.name, account.slots, ()))

    if survey.about is None:
        desk.answer(survey.asked, {"accounts": [row(account) for account in desk.process.config.accounts]})
        return
    told = survey.standings.get(survey.about.name)
    more = {"holding": told.holding if told else (), "modes": survey.about.modes, "weight": survey.about.weight}
    desk.answer(survey.asked, row(survey.about) | more)


def suspend(desk: Desk, asked: AskConsole) -> None:
    """It gets no new work until it is resumed, also after a restart; what it draws goes on."""
    reason = f"suspended by {asked.user}"
    if asked.instruct.arguments.get("reason"):
        reason = f"{reason}: {desk.text(asked, 'reason', REASON_CHARS_MAX)}"
    name, ask = _ordered(desk, asked)
    desk.tell(f"account/{name}", Suspend(name, reason, ask))


def resume(desk: Desk, asked: AskConsole) -> None:
    """It gets work again, whatever it was taken out of work for."""
    name, ask = _ordered(desk, asked)
    desk.tell(f"account/{name}", Reinstate(name, ask))


def _meant(desk: Desk, asked: AskConsole) -> AccountConfig:
    """Which account of the config is meant. Raises ClientMistake."""
    name = asked.instruct.id or ""
    found = next((account for account in desk.process.config.accounts if account.name == name), None)
    if found is None:
        raise ClientMistake("not_found", f"There is no account {name}; `limner admin accounts` shows them.")
    return found


def _ordered(desk: Desk, asked: AskConsole) -> tuple[str, str]:
    """Whom the order is for, and the ask under which it is waited for. Raises ClientMistake."""
    name = _meant(desk, asked).name
    if desk.base.whereis(f"account/{name}") is None:
        raise ClientMistake("draining", f"The account {name} is being started again; try again in a moment.")

    def obeyed(told: Obeyed) -> None:
        desk.settled(told.ask)
        desk.changed(asked, CHANGED) if told.changed else desk.answer(asked, UNCHANGED)

    def overdue() -> None:
        desk.refuse(asked, "draining", "The account has not said that it is stored; look again in a moment.")

    return name, desk.expect(OBEYED_S_MAX, obeyed, overdue)


INSTRUCTIONS = {
    ("accounts", "list"): listed,
    ("accounts", "show"): one,
    ("accounts", "suspend"): suspend,
    ("accounts", "resume"): resume,
}
