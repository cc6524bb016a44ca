"""Users and their keys. A key is kept as a digest only: the database cannot give it away."""

from __future__ import annotations

from typing import Any

from msgspec.structs import asdict
from sqlalchemy import Connection, Select, and_, case, insert, or_, select, update

from storage.operations import (
    AddKey,
    AddUser,
    Applied,
    DropKey,
    FindKey,
    KeyHolder,
    Nothing,
    ReadUser,
    Refused,
    Stale,
    UserRecord,
)
from storage.statements import given
from storage.tables import keys, quota, users

# An id is looked for before a name, should one user's name be another's id.
_BY_ID_OR_NAME: Select[Any] = (
    select(users.c.id, users.c.name, users.c.plan, users.c.banned, users.c.seq, quota.c.used)
    .join_from(users, quota, and_(quota.c.user == users.c.id, quota.c.day == given("day")), isouter=True)
    .where(or_(users.c.id == given("user"), users.c.name == given("user")))
    .order_by(case((users.c.id == given("user"), 0), else_=1))
    .limit(1)
)
_SAME_KEY = select(keys.c.user, keys.c.role, keys.c.revoked_at).where(keys.c.digest == given("digest"))
_HOLDER = (
    select(keys.c.id, users.c.id.label("user"), users.c.name, users.c.plan, keys.c.role, keys.c.login)
    .join_from(keys, users, keys.c.user == users.c.id)
    .where(
        keys.c.digest == given("digest"),
        keys.c.revoked_at.is_(None),
        or_(keys.c.expires_at.is_(None), keys.c.expires_at > given("at")),
        users.c.banned.is_(False),
    )
)
_REVOKE = (
    update(keys)
    .where(keys.c.digest == given("digest"), keys.c.revoked_at.is_(None))
    .values(revoked_at=given("at"))
    .returning(keys.c.id)
)
_INSERT_USER = insert(users)
_INSERT_KEY = insert(keys)
_NO_DAY = ""


def find_user(connection: Connection, user: str, day: str) -> UserRecord | None:
    """The user of this id or name, with what was used on `day`."""
    row = connection.execute(_BY_ID_OR_NAME, {"given_user": user, "given_day": day}).one_or_none()
    return UserRecord(row.id, row.name, row.plan, row.banned, row.seq, row.used or 0) if row is not None else None


def add_user(connection: Connection, write: AddUser) -> Applied | Refused:
    """See AddUser. `used` in the answer is 0, as no day was named."""
    known = find_user(connection, write.name, _NO_DAY) or find_user(connection, write.user, _NO_DAY)
    if known is not None:
        taken = Refused("ref_conflict", f"There is a user {write.name!r} already; choose another name.")
        return Applied(user=known) if write.or_keep else taken
    row = {"id": write.user, "name": write.name, "plan": write.plan, "banned": False, "seq": 0, "created_at": write.at}
    connection.execute(_INSERT_USER, row)
    return Applied(user=UserRecord(write.user, write.name, write.plan, banned=False, seq=0, used=0))


def add_key(connection: Connection, write: AddKey) -> Applied | Refused:
    """See AddKey. The same live key of the same user and role again changes nothing and is Applied; so a key from
    a file can be added at every start."""
    user = find_user(connection, write.user, _NO_DAY)
    if user is None:
        return Refused("not_found", "There is no such user.")
    same = connection.execute(_SAME_KEY, {"given_digest": write.digest}).one_or_none()
    if same is not None:
        if (same.user, same.role, same.revoked_at) == (user.id, write.role, None):
            return Applied(user=user)
        return Refused("ref_conflict", "This key is in use, or was revoked; make a new one.")
    row = asdict(write)
    row |= {"user": user.id, "created_at": row.pop("at"), "revoked_at": None}
    connection.execute(_INSERT_KEY, row)
    return Applied(user=user)


def drop_key(connection: Connection, write: DropKey) -> Applied | Stale:
    """See DropKey; Stale when there is no such live key, so that a second time is told from the first."""
    row = connection.execute(_REVOKE, {"given_digest": write.digest, "given_at": write.at}).one_or_none()
    return Applied() if row is not None else Stale()


def find_key(connection: Connection, read: FindKey) -> KeyHolder | Nothing:
    """See FindKey."""
    row = connection.execute(_HOLDER, {"given_digest": read.digest, "given_at": read.at}).one_or_none()
    return KeyHolder(*row) if row is not None else Nothing()


def read_user(connection: Connection, read: ReadUser) -> UserRecord | Nothing:
    """See ReadUser."""
    return find_user(connection, read.user, read.day) or Nothing()
