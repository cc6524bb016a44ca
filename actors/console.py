"""Console: carries out what operators ask for (CONTRACT §6).

Takes   AskConsole (gate);  Obeyed, Standing (accounts);  Committed, NotCommitted, LookedUp (store);  AnswerDue,
        ResendDue (itself)
Sends   Say -> gate;  AskStanding, Suspend, Reinstate -> accounts;  Commit, Lookup -> store;  Kill -> any actor, by name
Crash   an instruction under way is answered by nobody; the operator asks again

The operator's keys of the config and the demo's are put into the store when it starts: there is no second way in.
Each change is written to the log as `audit`, with who asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec

from actors.account.messages import AskStanding, Obeyed, Reinstate, Standing, Suspend, standing_of
from actors.console_messages import AnswerDue, AskConsole
from actors.guests import digest_of
from actors.session.messages import Say
from actors.shell import Kill
from actors.store_client import StoreAsker
from core.config import DEFAULT_PLAN, AccountConfig
from core.health import Cause, Health
from core.ids import new_id
from protocol.api import Instruct, Instructed
from protocol.client import ClientMistake, problem, rfc3339
from storage.operations import AddKey, AddUser, Applied, CountJobs, Counts, Found, Refused, Written

ROLES = ("user", "viewer", "admin")
NAME_CHARS_MAX = 64
DEMO_USER = "demo"
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


class Console(StoreAsker):
    """See the module's docstring."""

    ACCEPTS = (AskConsole, Obeyed, Standing, AnswerDue)

    def __init__(self) -> None:
        super().__init__()
        self._asks = 0
        self._orders: dict[str, AskConsole] = {}
        self._surveys: dict[str, Survey] = {}

    def on_start(self) -> None:
        super().on_start()
        if self.process.demo_key is not None:
            self._add_demo_user(self.process.demo_key.reveal())

    def _add_demo_user(self, key: str) -> None:
        def added(outcome: Written) -> None:
            self.store.commit(
                AddKey("k-demo", DEMO_USER, digest_of(key), "user", False, None, self.wall()), lambda outcome: None
            )

        self.store.commit(AddUser("u-demo", DEMO_USER, DEFAULT_PLAN, True, self.wall()), added)

    # --- instructions ----------------------------------------------------------------------------------------

    def receiveMsg_AskConsole(self, asked: AskConsole, sender: Any) -> None:
        instruct = asked.instruct
        handler = self.INSTRUCTIONS.get((instruct.noun, instruct.verb))
        try:
            if handler is None:
                raise ClientMistake("not_found", self._no_such(instruct))
            handler(self, asked)
        except ClientMistake as mistake:
            self._refuse(asked, mistake.code, mistake.message)

    def _no_such(self, instruct: Instruct) -> str:
        """What there is instead of an instruction that is not known."""
        verbs = [verb for noun, verb in self.INSTRUCTIONS if noun == instruct.noun]
        if verbs:
            return f"{instruct.noun} cannot be asked to {instruct.verb}; there is {', '.join(verbs)}."
        nouns = dict.fromkeys(noun for noun, _ in self.INSTRUCTIONS)
        return f"Nothing here is called {instruct.noun}; there is {', '.join(nouns)}."

    def _status(self, asked: AskConsole) -> None:
        base = self._myRef.base

        def counted(found: Found) -> None:
            if not isinstance(found, Counts):
                raise TypeError(f"the store answered {type(found).__name__} to CountJobs")
            totals = base.totals()
            self._answer(
                asked,
                {
                    "jobs": found.jobs,
                    "users": found.users,
                    "images": found.images,
                    "accounts": len(self.process.config.accounts),
                    "sockets": len(self.process.sockets),
                    "actors": totals.actors,
                    "messages": totals.messages,
                    "dead_letters": totals.dead_letters,
                    "crashes": totals.crashes,
                    "loop_lag_s": totals.loop_lag_s,
                },
            )

        self.store.lookup(CountJobs(), counted, self._unread(asked))

    def _tree(self, asked: AskConsole) -> None:
        self._answer(asked, {"actors": [msgspec.to_builtins(stats) for stats in self._myRef.base.census()]})

    def _add_user(self, asked: AskConsole) -> None:
        name = self._text(asked, "name")
        plan = str(asked.instruct.arguments.get("plan") or DEFAULT_PLAN)
        if plan != DEFAULT_PLAN and plan not in self.process.config.plans:
            raise ClientMistake("bad_frame", f"There is no plan {plan}; the config's [plans] names them.")
        user = new_id("u", self.wall(), self.dice)

        def added(outcome: Written) -> None:
            match outcome:
                case Refused(code=code, message=message):
                    self._refuse(asked, code, message)
                case Applied():
                    self._add_key(asked, user, name, plan, "user", 201)

        self.store.commit(AddUser(user, name, plan, False, self.wall()), added, self._unstored(asked))

    def _new_key(self, asked: AskConsole) -> None:
        role = str(asked.instruct.arguments.get("role") or "user")
        if role not in ROLES:
            raise ClientMistake("bad_frame", f"A role is one of {', '.join(ROLES)}.")
        user = asked.instruct.id or self._text(asked, "user")
        self._add_key(asked, user, None, None, role, 201)

    def _add_key(
        self, asked: AskConsole, user: str, name: str | None, plan: str | None, role: str, status: int
    ) -> None:
        key_id = new_id("k", self.wall(), self.dice)
        key = f"limner_{key_id}.{secrets.token_urlsafe(32)}"

        def added(outcome: Written) -> None:
            match outcome:
                case Refused(code=code, message=message):
                    self._refuse(asked, code, message)
                case Applied(user=found):
                    shown = {
                        "user": found.name if found else name,
                        "plan": found.plan if found else plan,
                        "role": role,
                        "key": key,
                    }
                    self._changed(asked, shown, status)

        write = AddKey(key_id, user, digest_of(key), role, False, None, self.wall())
        self.store.commit(write, added, self._unstored(asked))

    def _restart_actor(self, asked: AskConsole) -> None:
        name = asked.instruct.id or ""
        if self._myRef.whereis(name) is None:
            raise ClientMistake("not_found", f"There is no actor {name}; `limner admin tree` shows them.")
        self._changed(asked, {"ok": True, "changed": True}, 200)  # first: it may be the gate's, or ours, or root's end
        self.tell(name, Kill(f"restarted by {asked.user}"))

    # --- accounts --------------------------------------------------------------------------------------------

    def _list_accounts(self, asked: AskConsole) -> None:
        self._ask_accounts(asked, None)

    def _show_account(self, asked: AskConsole) -> None:
        self._ask_accounts(asked, self._account_of(asked))

    def _ask_accounts(self, asked: AskConsole, about: AccountConfig | None) -> None:
        asked_for = self.process.config.accounts if about is None else (about,)
        living = {each.name for each in asked_for if self._myRef.whereis(f"account/{each.name}") is not None}
        survey = Survey(asked, about, living)
        ask = self._next_ask(STANDING_S_MAX)
        self._surveys[ask] = survey
        for name in sorted(survey.missing):
            self.tell(f"account/{name}", AskStanding(name, ask))
        self._conclude(ask, survey)

    def receiveMsg_Standing(self, standing: Standing, sender: Any) -> None:
        survey = self._surveys.get(standing.ask)
        if survey is not None:
            survey.missing.discard(standing.account)
            survey.standings[standing.account] = standing
            self._conclude(standing.ask, survey)

    def _conclude(self, ask: str, survey: Survey, overdue: bool = False) -> None:
        """Answer when all have spoken, or need not be waited for any longer."""
        if survey.missing and not overdue:
            return
        del self._surveys[ask]

        def row(account: AccountConfig) -> dict[str, Any]:
            return shown(
                survey.standings.get(account.name) or standing_of(SILENT, ask, account.name, account.slots, ())
            )

        if survey.about is None:
            self._answer(survey.asked, {"accounts": [row(account) for account in self.process.config.accounts]})
            return
        told = survey.standings.get(survey.about.name)
        more = {"holding": told.holding if told else (), "modes": survey.about.modes, "weight": survey.about.weight}
        self._answer(survey.asked, row(survey.about) | more)

    def _suspend_account(self, asked: AskConsole) -> None:
        reason = f"suspended by {asked.user}"
        if asked.instruct.arguments.get("reason"):
            reason = f"{reason}: {self._text(asked, 'reason', REASON_CHARS_MAX)}"
        name, ask = self._ordered(asked)
        self.tell(f"account/{name}", Suspend(name, reason, ask))

    def _resume_account(self, asked: AskConsole) -> None:
        name, ask = self._ordered(asked)
        self.tell(f"account/{name}", Reinstate(name, ask))

    def _account_of(self, asked: AskConsole) -> AccountConfig:
        """Which account of the config is meant. Raises ClientMistake."""
        name = asked.instruct.id or ""
        found = next((account for account in self.process.config.accounts if account.name == name), None)
        if found is None:
            raise ClientMistake("not_found", f"There is no account {name}; `limner admin accounts` shows them.")
        return found

    def _ordered(self, asked: AskConsole) -> tuple[str, str]:
        """Whom the order is for, and the ask under which it is waited for. Raises ClientMistake."""
        name = self._account_of(asked).name
        if self._myRef.whereis(f"account/{name}") is None:
            raise ClientMistake("draining", f"The account {name} is being started again; try again in a moment.")
        ask = self._next_ask(OBEYED_S_MAX)
        self._orders[ask] = asked
        return name, ask

    def receiveMsg_Obeyed(self, obeyed: Obeyed, sender: Any) -> None:
        asked = self._orders.pop(obeyed.ask, None)
        if asked is not None:
            answer = self._changed if obeyed.changed else self._answer
            answer(asked, {"ok": True, "changed": obeyed.changed}, 200)

    def _next_ask(self, wait_s: float) -> str:
        self._asks += 1
        ask = f"{self.life}:{self._asks}"
        self.after(wait_s, AnswerDue(ask))
        return ask

    def receiveMsg_AnswerDue(self, due: AnswerDue, sender: Any) -> None:
        asked, survey = self._orders.pop(due.ask, None), self._surveys.get(due.ask)
        if asked is not None:
            self._refuse(asked, "draining", "The account has not said that it is stored; look again in a moment.")
        if survey is not None:
            self._conclude(due.ask, survey, overdue=True)

    #: What can be asked: (noun, verb) → how. The rest of CONTRACT §6 comes here, a line each.
    INSTRUCTIONS: dict[tuple[str, str], Callable[[Console, AskConsole], None]] = {  # noqa: RUF012
        ("status", "list"): _status,
        ("tree", "list"): _tree,
        ("users", "add"): _add_user,
        ("keys", "new"): _new_key,
        ("actors", "restart"): _restart_actor,
        ("accounts", "list"): _list_accounts,
        ("accounts", "show"): _show_account,
        ("accounts", "suspend"): _suspend_account,
        ("accounts", "resume"): _resume_account,
    }

    # --- answers ---------------------------------------------------------------------------------------------

    def _text(self, asked: AskConsole, argument: str, chars_max: int = NAME_CHARS_MAX) -> str:
        value = asked.instruct.arguments.get(argument)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= chars_max:
            raise ClientMistake("bad_frame", f"Give {argument}, 1 to {chars_max} characters.")
        if not value.strip().isprintable() or "/" in value:  # it is shown on terminals, and part of paths
            raise ClientMistake("bad_frame", f"Give {argument} without slashes and control characters.")
        return value.strip()

    def _answer(self, asked: AskConsole, body: object, status: int = 200) -> None:
        self.tell("gate", Say(asked.socket, Instructed(status, msgspec.json.encode(body).decode())))

    def _changed(self, asked: AskConsole, body: object, status: int) -> None:
        instruct = asked.instruct
        self.log.info("audit", by=asked.user, noun=instruct.noun, verb=instruct.verb, id=instruct.id)
        self._answer(asked, body, status)

    def _refuse(self, asked: AskConsole, code: str, message: str) -> None:
        shown = problem(code, message)
        self._answer(asked, shown.body, shown.status)

    def _unread(self, asked: AskConsole) -> Callable[[str], None]:
        return lambda why: self._refuse(asked, "draining", "The store cannot be read just now; try again in a moment.")

    def _unstored(self, asked: AskConsole) -> Callable[[str], None]:
        return lambda why: self._refuse(asked, "draining", "The store cannot take it just now; try again in a moment.")
