"""Console: carries out what operators ask for (CONTRACT §6).

Takes   AskConsole (gate);  Committed, NotCommitted, LookedUp (store);  ResendDue (itself)
Sends   Say -> gate;  Commit, Lookup -> store;  Kill -> any actor, by name
Crash   an instruction under way is answered by nobody; the operator asks again

The operator's keys of the config and the demo's are put into the store when it starts: there is no second way in.
Each change is written to the log as `audit`, with who asked.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

import msgspec

from actors.console_messages import AskConsole
from actors.guests import digest_of
from actors.session_messages import Say
from actors.shell import Kill
from actors.store_client import StoreAsker
from core.config import DEFAULT_PLAN
from core.ids import new_id
from protocol.api import Instructed
from protocol.client import ClientMistake, problem
from storage.operations import AddKey, AddUser, Applied, CountJobs, Counts, Found, Refused, Written

ROLES = ("user", "viewer", "admin")
NAME_CHARS_MAX = 64
DEMO_USER = "demo"


class Console(StoreAsker):
    """See the module's docstring."""

    ACCEPTS = (AskConsole,)

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
                raise ClientMistake("not_found", f"There is no instruction {instruct.noun} {instruct.verb}.")
            handler(self, asked)
        except ClientMistake as mistake:
            self._refuse(asked, mistake.code, mistake.message)

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

        self.store.lookup(CountJobs(), counted)

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

    #: What can be asked: (noun, verb) → how. The rest of CONTRACT §6 comes here, a line each.
    INSTRUCTIONS: dict[tuple[str, str], Callable[[Console, AskConsole], None]] = {  # noqa: RUF012
        ("status", "list"): _status,
        ("tree", "list"): _tree,
        ("users", "add"): _add_user,
        ("keys", "new"): _new_key,
        ("actors", "restart"): _restart_actor,
    }

    # --- answers ---------------------------------------------------------------------------------------------

    def _text(self, asked: AskConsole, argument: str) -> str:
        value = asked.instruct.arguments.get(argument)
        if not isinstance(value, str) or not 1 <= len(value.strip()) <= NAME_CHARS_MAX:
            raise ClientMistake("bad_frame", f"Give {argument}, 1 to {NAME_CHARS_MAX} characters.")
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

    def _unstored(self, asked: AskConsole) -> Callable[[str], None]:
        return lambda why: self._refuse(asked, "draining", "The store cannot take it just now; try again in a moment.")
