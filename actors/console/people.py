"""What operators ask about users and their keys."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from actors.console.arguments import one_of, whole
from actors.console.desk import Desk
from actors.console.messages import AskConsole, AskPresence, Presence, TurnAway
from actors.console.trail import keys_as_ids
from actors.guests import BANNED, digest_of
from actors.queue.orders import CancelWaiting, PlanChanged, WaitingCancelled
from core.config import DEFAULT_PLAN
from core.ids import new_id, time_of
from core.quota import day_of, never_before
from protocol.client import ClientMistake, rfc3339
from storage.operations import AddKey, AddUser, Applied, Found, ReadUser, Refused, Stale, UserRecord, Written
from storage.overseeing import (
    SORTS,
    Ban,
    KeyRow,
    ListUsers,
    Person,
    ReadPerson,
    Revoked,
    RevokeKey,
    SetQuota,
    UserRow,
    UserRows,
)

ROLES = ("user", "viewer", "admin")
KEYS_SHOWN_MAX = 200
USED_MAX = 1_000_000
#: The gate and the Queue answer within this time, or have just died.
PRESENCE_S_MAX, CANCELLED_S_MAX = 1.0, 5.0
REVOKED = "This key was revoked."


# --- what can be read


def listed(desk: Desk, asked: AskConsole) -> None:
    """Users, by name or those with the most first."""
    sort = one_of(asked, "sort", SORTS, "name")
    sought, limit, before = desk.query(asked, "filter"), desk.limit(asked), desk.query(asked, "before")

    def found(page: Found) -> None:
        if not isinstance(page, UserRows):
            raise TypeError(f"the store answered {type(page).__name__} to ListUsers")
        desk.answer(asked, {"users": [shown(desk, user) for user in page.users], "next": page.next})

    desk.store.lookup(ListUsers(sort, sought, limit, before, *_days(desk)), found, desk.unread(asked))


def one(desk: Desk, asked: AskConsole) -> None:
    """A user with the ids of their keys, and how often they are connected."""
    name = asked.instruct.id or ""

    def found(person: Found) -> None:
        if not isinstance(person, Person):
            desk.refuse(asked, "not_found", _nobody(name))
            return
        body = shown(desk, person.user) | {"keys": [_key_shown(key) for key in person.keys]}

        def heard(presence: Presence) -> None:
            desk.settled(ask)
            desk.answer(asked, body | {"sockets": presence.sockets})

        ask = desk.expect(PRESENCE_S_MAX, heard, lambda: desk.answer(asked, body | {"sockets": None}))
        desk.tell_first("gate", AskPresence(ask, person.user.id))

    desk.store.lookup(ReadPerson(name, KEYS_SHOWN_MAX, *_days(desk)), found, desk.unread(asked))


def shown(desk: Desk, user: UserRow) -> dict[str, Any]:
    """A user as operators see them."""
    return {
        "user": user.id,
        "name": user.name,
        "plan": user.plan,
        "banned": user.banned,
        "used": user.used,
        "daily": desk.process.config.plan(user.plan).daily,
        "waiting": user.waiting,
        "drawing": user.drawing,
        "jobs": user.jobs,
        "created_at": rfc3339(user.created_at),
    }


def _key_shown(key: KeyRow) -> dict[str, Any]:
    revoked_at = None if key.revoked_at is None else rfc3339(key.revoked_at)
    times = {"created_at": rfc3339(key.created_at), "revoked_at": revoked_at}
    return {"key": key.key, "role": key.role, "login": key.login} | times


def _days(desk: Desk) -> tuple[dict[str, str], str]:
    """Which day it is by each plan's clock, and by that of plans which the config does not have."""
    config, now = desk.process.config, desk.wall()
    days = {name: day_of(now, plan.timezone) for name, plan in config.plans.items()}
    return days, day_of(now, config.plan(DEFAULT_PLAN).timezone)


# --- users


def add_user(desk: Desk, asked: AskConsole) -> None:
    """A new user, and the one key that is ever shown."""
    name = desk.text(asked, "name")
    plan = _plan(desk, asked) or DEFAULT_PLAN
    user = new_id("u", desk.wall(), desk.dice)

    def added(outcome: Written) -> None:
        match outcome:
            case Refused(code=code, message=message):
                desk.refuse(asked, code, message)
            case Applied():
                _add_key(desk, asked, user, "user")

    desk.store.commit(AddUser(user, name, plan, False, desk.wall()), added, desk.unstored(asked))


def ban(desk: Desk, asked: AskConsole) -> None:
    """The user may do nothing any more: sockets are closed, what waits is cancelled and refunded."""
    desk.reason(asked)  # for the trail, which has all arguments

    def banned(user: UserRecord, changed: bool) -> None:
        desk.tell("gate", TurnAway(user.id, None, "forbidden", BANNED))

        def answer(cancelled: int | None) -> None:
            desk.answer(asked, {"ok": True, "changed": changed, "cancelled": cancelled})

        def heard(told: WaitingCancelled) -> None:
            desk.settled(ask)
            answer(told.count)

        ask = desk.expect(CANCELLED_S_MAX, heard, lambda: answer(None))
        desk.tell("queue", CancelWaiting(user.id, ask))

    _set_banned(desk, asked, True, banned)


def unban(desk: Desk, asked: AskConsole) -> None:
    """All that the user could do they can again."""

    def unbanned(user: UserRecord, changed: bool) -> None:
        desk.tell("gate", TurnAway(user.id))
        desk.changed(asked) if changed else desk.unchanged(asked)

    _set_banned(desk, asked, False, unbanned)


def _set_banned(desk: Desk, asked: AskConsole, banned: bool, then: Callable[[UserRecord, bool], None]) -> None:
    def found(user: UserRecord) -> None:
        def written(outcome: Written) -> None:
            match outcome:
                case Refused(code=code, message=message):
                    desk.refuse(asked, code, message)
                case Applied() | Stale():
                    then(user, isinstance(outcome, Applied))

        desk.store.commit(Ban(user.id, banned, desk.wall()), written, desk.unstored(asked))

    _with_user(desk, asked, asked.instruct.id or "", found)


def quota(desk: Desk, asked: AskConsole) -> None:
    """How much of today's quota counts as used, and another plan, which holds at once."""
    plan = _plan(desk, asked)
    is_given = asked.instruct.arguments.get("used") is not None
    used = whole(asked, "used", 0, 0, USED_MAX) if is_given else None
    if plan is None and used is None:
        raise ClientMistake("bad_frame", "Give used, plan, or both.")

    def found(user: UserRecord) -> None:
        timezone = desk.process.config.plan(plan or user.plan).timezone
        day = day_of(never_before(time_of(user.newest), desk.wall()), timezone)

        def written(outcome: Written) -> None:
            match outcome:
                case Refused(code=code, message=message):
                    desk.refuse(asked, code, message)
                case Stale():
                    desk.unchanged(asked)
                case Applied():
                    if plan is not None:
                        desk.tell("queue", PlanChanged(user.id, plan))
                        desk.tell("lobby", PlanChanged(user.id, plan))
                    desk.changed(asked)

        desk.store.commit(SetQuota(user.id, day, used, plan, desk.wall()), written, desk.unstored(asked))

    _with_user(desk, asked, asked.instruct.id or "", found)


def _with_user(desk: Desk, asked: AskConsole, name: str, then: Callable[[UserRecord], None]) -> None:
    """Calls `then` with the user of this name or id; where there is none it is refused."""

    def found(user: Found) -> None:
        if isinstance(user, UserRecord):
            then(user)
        else:
            desk.refuse(asked, "not_found", _nobody(name))

    desk.store.lookup(ReadUser(name, ""), found, desk.unread(asked))


def _nobody(name: str) -> str:
    return f"There is no user {name}; `limner admin users` shows them."


def _plan(desk: Desk, asked: AskConsole) -> str | None:
    plan = asked.instruct.arguments.get("plan")
    if plan is None or plan == "":
        return None
    if plan != DEFAULT_PLAN and plan not in desk.process.config.plans:
        raise ClientMistake("bad_frame", f"There is no plan {plan}; the config's [plans] names them.")
    return str(plan)


# --- keys


def new_key(desk: Desk, asked: AskConsole) -> None:
    """Another key for a user."""
    role = one_of(asked, "role", ROLES, "user")
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
                body = {"user": found.name, "plan": found.plan, "role": role, "key": key}
                desk.changed(asked, body, 201, note=f"user {found.id} has the key {key_id}")

    write = AddKey(key_id, user, digest_of(key), role, False, None, desk.wall())
    desk.store.commit(write, added, desk.unstored(asked))


def revoke_key(desk: Desk, asked: AskConsole) -> None:
    """The key is worth nothing any more, and its sockets are closed. Who holds the whole key need not know its id."""
    key_id = keys_as_ids(asked.instruct.id or "")

    def revoked(outcome: Written) -> None:
        match outcome:
            case Refused(code=code, message=message):
                desk.refuse(asked, code, message)
            case Revoked(user=user, digest=digest, fresh=fresh):
                desk.tell("gate", TurnAway(user, digest, "unauthenticated", REVOKED))
                note = f"user {user} has the key {key_id} no more"
                desk.changed(asked, note=note) if fresh else desk.unchanged(asked, note)

    desk.store.commit(RevokeKey(key_id, desk.wall()), revoked, desk.unstored(asked))


INSTRUCTIONS = {
    ("users", "list"): listed,
    ("users", "show"): one,
    ("users", "add"): add_user,
    ("users", "ban"): ban,
    ("users", "unban"): unban,
    ("users", "quota"): quota,
    ("keys", "new"): new_key,
    ("keys", "revoke"): revoke_key,
}
