"""What operators ask about users and their keys."""

from __future__ import annotations

import secrets

from actors.console.desk import Desk
from actors.console.messages import AskConsole
from actors.guests import digest_of
from core.config import DEFAULT_PLAN
from core.ids import new_id
from protocol.client import ClientMistake
from storage.operations import AddKey, AddUser, Applied, Refused, Written

ROLES = ("user", "viewer", "admin")


def add_user(desk: Desk, asked: AskConsole) -> None:
    """A new user, and the one key that is ever shown."""
    name = desk.text(asked, "name")
    plan = str(asked.instruct.arguments.get("plan") or DEFAULT_PLAN)
    if plan != DEFAULT_PLAN and plan not in desk.process.config.plans:
        raise ClientMistake("bad_frame", f"There is no plan {plan}; the config's [plans] names them.")
    user = new_id("u", desk.wall(), desk.dice)

    def added(outcome: Written) -> None:
        match outcome:
            case Refused(code=code, message=message):
                desk.refuse(asked, code, message)
            case Applied():
                _add_key(desk, asked, user, "user")

    desk.store.commit(AddUser(user, name, plan, False, desk.wall()), added, desk.unstored(asked))


def new_key(desk: Desk, asked: AskConsole) -> None:
    """Another key for a user."""
    role = str(asked.instruct.arguments.get("role") or "user")
    if role not in ROLES:
        raise ClientMistake("bad_frame", f"A role is one of {', '.join(ROLES)}.")
    _add_key(desk, asked, asked.instruct.id or desk.text(asked, "user"), role)


def _add_key(desk: Desk, asked: AskConsole, user: str, role: str) -> None:
    key_id = new_id("k", desk.wall(), desk.dice)
    key = f"limner_{key_id}.{secrets.token_urlsafe(32)}"

    def added(outcome: Written) -> None:
        match outcome:
            case Refused(code=code, message=message):
                desk.refuse(asked, code, message)
            case Applied(user=found):
                if found is None:
                    raise TypeError("the store named nobody whose key it is")
                desk.changed(asked, {"user": found.name, "plan": found.plan, "role": role, "key": key}, 201)

    write = AddKey(key_id, user, digest_of(key), role, False, None, desk.wall())
    desk.store.commit(write, added, desk.unstored(asked))


INSTRUCTIONS = {
    ("users", "add"): add_user,
    ("keys", "new"): new_key,
}
