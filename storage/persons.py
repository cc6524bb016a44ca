"""What operators see of users, and change about them. Jobs are counted of a page's users only, where that can be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, func, literal, or_, select, update

from core.job import WAITING
from storage.connection import Connection
from storage.operations import Applied, Nothing, Refused, Stale
from storage.overseeing import (
    Ban,
    KeyRow,
    ListUsers,
    Names,
    Person,
    ReadNames,
    ReadPerson,
    Revoked,
    RevokeKey,
    SetQuota,
    UserRow,
    UserRows,
)
from storage.people import find_user
from storage.rows import LIMIT
from storage.statements import Statement, given, insertion, literals
from storage.tables import jobs, keys, quota, users
from storage.writing import Writing

NO_DAY = ""
NO_USER = Refused("not_found", "There is no such user.")
#: Between the number that a page ended with and the user's id, in what names the next page.
BETWEEN = "~"

_BAN = Statement(
    update(users).where(users.c.id == given("user"), users.c.banned != given("banned")).values(banned=given("banned"))
)
_SET_PLAN = Statement(update(users).where(users.c.id == given("user")).values(plan=given("plan")))
_PLAN_OF_JOBS = Statement(
    update(jobs).where(jobs.c.user == given("user"), jobs.c.finished_at.is_(None)).values(plan=given("plan"))
)
_THIS_DAY = (quota.c.user == given("user"), quota.c.day == given("day"))
_USED = Statement(select(quota.c.used).where(*_THIS_DAY))
_SET_USED = Statement(update(quota).where(*_THIS_DAY).values(used=given("used")))
_FIRST_USED = Statement(insertion(quota))
_KEY = Statement(select(keys.c.user, keys.c.digest, keys.c.revoked_at).where(keys.c.id == given("key")))
_REVOKE = Statement(update(keys).where(keys.c.id == given("key")).values(revoked_at=given("at")))
_KEYS = Statement(
    select(*(keys.c[name] for name in ("id", "role", "login", "created_at", "revoked_at")))
    .where(keys.c.user == given("user"))
    .order_by(keys.c.id.desc())
    .limit(LIMIT)
)
_OF_USER = jobs.c.user == users.c.id
_UNFINISHED = select(func.count()).where(_OF_USER, jobs.c.finished_at.is_(None))
_WAITS = jobs.c.state.in_(literals(sorted(WAITING)))
_NUMBERS = (
    _UNFINISHED.where(_WAITS).scalar_subquery(),
    _UNFINISHED.where(~_WAITS).scalar_subquery(),
    select(func.count()).where(_OF_USER).scalar_subquery(),
)
_JOBS_OF = select(jobs.c.user, func.count().label("number")).group_by(jobs.c.user).subquery()


def ban(writing: Writing, write: Ban) -> Applied | Stale | Refused:
    """See Ban."""
    if _BAN.run(writing.connection, user=write.user, banned=write.banned):
        return Applied(user=find_user(writing.connection, write.user, NO_DAY))
    return Stale() if find_user(writing.connection, write.user, NO_DAY) else NO_USER


def set_quota(writing: Writing, write: SetQuota) -> Applied | Stale | Refused:
    """See SetQuota. What is known of jobs under way is forgotten: it holds their plan."""
    connection = writing.connection
    user = find_user(connection, write.user, write.day)
    if user is None:
        return NO_USER
    other_plan = write.plan is not None and write.plan != user.plan
    if other_plan:
        writing.flush()
        _SET_PLAN.run(connection, user=user.id, plan=write.plan)
        _PLAN_OF_JOBS.run(connection, user=user.id, plan=write.plan)
        connection.known.forget()
    other_used = write.used is not None and write.used != user.used
    if other_used:
        has_row = _USED.one(connection, user=user.id, day=write.day) is not None
        (_SET_USED if has_row else _FIRST_USED).run(connection, user=user.id, day=write.day, used=write.used)
    return Applied(user=find_user(connection, user.id, write.day)) if other_plan or other_used else Stale()


def revoke_key(writing: Writing, write: RevokeKey) -> Revoked | Refused:
    """See RevokeKey."""
    row = _KEY.one(writing.connection, key=write.key)
    if row is None:
        return Refused("not_found", "There is no key of that id; `limner admin describe user NAME` shows a user's.")
    user, digest, revoked_at = row
    if revoked_at is None:
        _REVOKE.run(writing.connection, key=write.key, at=write.at)
    return Revoked(user, digest, fresh=revoked_at is None)


# --- reads --------------------------------------------------------------------------------------------------------


def list_users(connection: Connection, read: ListUsers) -> UserRows:
    """See ListUsers. First who is on the page, then all about these: counting everybody's jobs would take a second."""
    ranked = connection.execute(_ranked(read).limit(read.limit + 1)).all()
    page = [user for user, _ in ranked[: read.limit]]
    told = {row.id: row for row in _people(connection, page, read.days, read.day)}
    following = None
    if len(ranked) > read.limit:
        user, rank = ranked[read.limit - 1]
        following = rank if read.sort == "name" else f"{rank}{BETWEEN}{user}"
    return UserRows(tuple(told[user] for user in page), following)


def read_person(connection: Connection, read: ReadPerson) -> Person | Nothing:
    """See ReadPerson."""
    user = find_user(connection, read.user, NO_DAY)
    if user is None:
        return Nothing()
    (row,) = _people(connection, [user.id], read.days, read.day)
    found = _KEYS.all(connection, user=user.id, limit=read.keys)
    return Person(row, tuple(KeyRow(*key) for key in found))


def read_names(connection: Connection, read: ReadNames) -> Names:
    """See ReadNames."""
    found = connection.execute(select(users.c.id, users.c.name).where(users.c.id.in_(read.users)))
    return Names({row.id: row.name for row in found})


def _ranked(read: ListUsers) -> Select[Any]:
    """Users by id, each with what the list is in the order of."""
    query: Any
    if read.sort == "name":
        query = select(users.c.id, users.c.name).order_by(users.c.name)
        if read.before is not None:
            query = query.where(users.c.name > read.before)
    else:
        if read.sort == "used":
            number: ColumnElement[int] = func.coalesce(quota.c.used, 0)
            joined = users.outerjoin(quota, _today(read.days, read.day))
        else:
            number = func.coalesce(_JOBS_OF.c.number, 0)
            joined = users.outerjoin(_JOBS_OF, _JOBS_OF.c.user == users.c.id)
        query = select(users.c.id, number).select_from(joined).order_by(number.desc(), users.c.id)
        if read.before is not None:
            query = query.where(_comes_after(number, read.before))
    if read.filter:
        part = f"%{read.filter.replace('!', '!!').replace('%', '!%').replace('_', '!_')}%"
        query = query.where(or_(users.c.name.ilike(part, escape="!"), users.c.id.ilike(part, escape="!")))
    ranked: Select[Any] = query
    return ranked


def _comes_after(number: ColumnElement[int], before: str) -> ColumnElement[bool]:
    """Whoever has less than the last one of the page before, or as much and a later id."""
    text, _, user = before.partition(BETWEEN)
    last = int(text) if text.isdecimal() else 0
    return or_(number < last, and_(number == last, users.c.id > user))


def _people(connection: Connection, these: list[str], days: Mapping[str, str], day: str) -> list[UserRow]:
    query = (
        select(
            *(users.c[name] for name in ("id", "name", "plan", "banned", "created_at")),
            func.coalesce(quota.c.used, 0),
            *_NUMBERS,
        )
        .join_from(users, quota, _today(days, day), isouter=True)
        .where(users.c.id.in_(these))
    )
    return [UserRow(*row) for row in connection.execute(query)]


def _today(days: Mapping[str, str], day: str) -> ColumnElement[bool]:
    """The quota of the day that it is by the clock of the user's plan."""
    known = [(users.c.plan == plan, literal(its_day)) for plan, its_day in days.items() if its_day != day]
    today: ColumnElement[str] = case(*known, else_=literal(day)) if known else literal(day)
    return and_(quota.c.user == users.c.id, quota.c.day == today)
