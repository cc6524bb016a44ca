"""What operators ask of Discord accounts that are there; how they come and go is in `added.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from actors.account.messages import Obeyed, Reinstate, SetSlots, Standing, Suspend
from actors.console.arguments import whole
from actors.console.desk import Desk
from actors.console.messages import AskConsole
from actors.console.survey import Survey
from core.account_config import SLOTS_MAX
from core.config import AccountConfig
from core.health import Cause
from protocol.client import ClientMistake, rfc3339
from system.message import Message

OBEYED_S_MAX = 10.0
#: What the Monitor measures of an account (its Overview).
MEASURED = ("pace", "done", "failed", "reconnects", "limited", "seconds")
#: What is said of an account whom the operator takes out of work.
WORDS = {Cause.OPERATOR: "suspended by", Cause.DRAIN: "drained by", Cause.LEAVING: "being removed by"}


def shown(standing: Standing, measured: dict[str, Any]) -> dict[str, Any]:
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
        "draining": standing.draining,
        **{name: measured.get(name) for name in MEASURED},
    }


def listed(desk: Desk, asked: AskConsole) -> None:
    """All accounts."""
    accounts = desk.process.accounts

    def learnt(survey: Survey) -> None:
        desk.answer(asked, {"accounts": [_row(survey, account) for account in accounts]})

    Survey(desk, accounts, learnt)


def one(desk: Desk, asked: AskConsole) -> None:
    """One account, and what it holds."""
    account = meant(desk, asked)

    def learnt(survey: Survey) -> None:
        more = {
            "holding": survey.standing(account).holding,
            "modes": account.modes,
            "weight": account.weight,
            "driver": account.driver,
            "kind": account.kind,
            "added": is_added(desk, account),
        }
        desk.answer(asked, _row(survey, account) | more)

    Survey(desk, (account,), learnt)


def _row(survey: Survey, account: AccountConfig) -> dict[str, Any]:
    measured = survey.overview.accounts.get(account.name, {}) if survey.overview else {}
    return shown(survey.standing(account), measured)


def suspend(desk: Desk, asked: AskConsole) -> None:
    """It gets no new work until it is resumed, also after a restart; what it draws goes on."""
    take_out(desk, asked, Cause.OPERATOR)


def drain(desk: Desk, asked: AskConsole) -> None:
    """It finishes what it holds and gets nothing more until it is resumed, also after a restart."""
    take_out(desk, asked, Cause.DRAIN)


def take_out(desk: Desk, asked: AskConsole, cause: Cause) -> None:
    """Out of work, for this cause."""
    reason = f"{WORDS[cause]} {asked.user}"
    if (why := desk.reason(asked)) is not None:
        reason = f"{reason}: {why}"
    account = meant(desk, asked).name
    order(desk, asked, account, lambda ask: Suspend(account, reason, ask, cause))


def resume(desk: Desk, asked: AskConsole) -> None:
    """It gets work again, whatever it was taken out of work for."""
    account = meant(desk, asked).name
    order(desk, asked, account, lambda ask: Reinstate(account, ask))


def slots(desk: Desk, asked: AskConsole) -> None:
    """From now on it holds so many drawings at once, also after a restart. What it holds beyond that it finishes."""
    account = meant(desk, asked).name
    wanted = whole(asked, "slots", 0, 1, SLOTS_MAX)
    if not wanted:
        raise ClientMistake("bad_frame", f"Give slots, 1 to {SLOTS_MAX}.")
    order(desk, asked, account, lambda ask: SetSlots(account, wanted, ask))


def order(desk: Desk, asked: AskConsole, account: str, make: Callable[[str], Message]) -> None:
    """Tells the account what to do, and the operator once that is stored. Raises ClientMistake: it is not there now."""
    name = f"account/{account}"
    if desk.base.whereis(name) is None:
        raise ClientMistake("draining", f"The account {account} is being started again; try again in a moment.")
    desk.check_not_suspended(name)

    def obeyed(told: Obeyed) -> None:
        desk.settled(told.ask)
        if told.changed:
            desk.changed(asked)
        else:
            desk.unchanged(asked)

    def overdue() -> None:
        desk.refuse(asked, "draining", "The account has not said that it is stored; look again in a moment.")

    desk.tell(name, make(desk.expect(OBEYED_S_MAX, obeyed, overdue)))


def meant(desk: Desk, asked: AskConsole) -> AccountConfig:
    """Which account is meant. Raises ClientMistake."""
    name = asked.instruct.id or ""
    found = next((account for account in desk.process.accounts if account.name == name), None)
    if found is None:
        raise ClientMistake("not_found", f"There is no account {name}; `limner admin accounts` shows them.")
    return found


def is_added(desk: Desk, account: AccountConfig) -> bool:
    """Whether operators added it; else it is in the config."""
    return all(account.name != named.name for named in desk.process.config.accounts)


INSTRUCTIONS = {
    ("accounts", "list"): listed,
    ("accounts", "show"): one,
    ("accounts", "suspend"): suspend,
    ("accounts", "drain"): drain,
    ("accounts", "resume"): resume,
    ("accounts", "slots"): slots,
}
