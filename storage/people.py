"""Users and their keys. A key is kept as a digest only: the database cannot give it away."""

from __future__ import annotations

from msgspec.structs import asdict
from sqlalchemy import and_, func, or_, select, update

from storage.connection import Connection
from storage.operations import (
    AddKey,
    AddUser,
    Applied,
    DropKey,
    FindKey,
    FindKeys,
    KeyHolder,
    KeyHolders,
    Nothing,
    ReadUser,
    Refused,
    Stale,
    UserRecord,
)
from storage.statements import Statement, given, insertion
from storage.tables import jobs, keys, quota, users
from storage.writing import Writing

_NEWEST_JOB = select(func.max(jobs.c.id)).scalar_subquery()
_SELECT_USER = select(
    *(users.c.id, users.c.name, users.c.plan, users.c.banned, users.c.seq), quota.c.used, _NEWEST_JOB
).join_from(users, quota, and_(quota.c.user == users.c.id, quota.c.day == given("day")), isouter=True)
_BY_ID = Statement(_SELECT_USER.where(users.c.id == given("user")))
_BY_NAME = Statement(_SELECT_USER.where(users.c.name == given("user")))
_SAME_KEY = Statement(select(keys.c.user, keys.c.role, keys.c.revoked_at).where(keys.c.digest == given("digest")))
_HOLDER = Statement(
    select(keys.c.id, users.c.id.label("user"), users.c.name, users.c.plan, keys.c.role, keys.c.login, users.c.banned)
    .join_from(keys, users, keys.c.user == users.c.id)
    .where(
        keys.c.digest == given("digest"),
        keys.c.revoked_at.is_(None),
        or_(keys.c.expires_at.is_(None), keys.c.expires_at > given("at")),
    )
)
_REVOKE = Statement(
    update(keys)
    .where(keys.c.digest == given("digest"), keys.c.revoked_at.is_(None))
    .values(revoked_at=given("at"))
    .returning(keys.c.id)
)
_INSERT_USER = Statement(insertion(users))
_INSERT_KEY = Statement(insertion(keys))
_NO_DAY = ""


def find_user(connection: Connection, user: str, day: str) -> UserRecord | None:
    """The user of this id or name, with what was used on `day`.

    An id is looked for before a name, should one user's name be another's id; and nearly all who ask know the id.
    """
    row = _BY_ID.one(connection, user=user, day=day) or _BY_NAME.one(connection, user=user, day=day)
    if row is None:
        return None
    ident, name, plan, banned, seq, used, newest = row
    return UserRecord(ident, name, plan, banned, seq, used or 0, newest or "")


def add_user(writing: Writing, write: AddUser) -> Applied | Refused:
    """See AddUser. `used` in the answer is 0, as no day was named."""
    known = find_user(writing.connection, write.name, _NO_DAY) or find_user(writing.connection, write.user, _NO_DAY)
    if known is not None:
        taken = Refused("ref_conflict", f"There is a user {write.name!r} already; choose another name.")
        return Applied(user=known) if write.or_keep else taken
    row = {"id": write.user, "name": write.name, "plan": write.plan, "banned": False, "seq": 0, "created_at": write.at}
    _INSERT_USER.run(writing.connection, **row)
    return Applied(user=UserRecord(write.user, write.name, write.plan, banned=False, seq=0, used=0))


def add_key(writing: Writing, write: AddKey) -> Applied | Refused:
    """See AddKey. The same live key of the same user and role again changes nothing and is Applied; so a key from
    a file can be added at every start."""
    user = find_user(writing.connection, write.user, _NO_DAY)
    if user is None:
        return Refused("not_found", "There is no such user.")
    same = _SAME_KEY.one(writing.connection, digest=write.digest)
    if same is not None:
        if same == (user.id, write.role, None):
            return Applied(user=user)
        return Refused("ref_conflict", "This key is in use, or was revoked; make a new one.")
    row = asdict(write)
    row |= {"user": user.id, "created_at": row.pop("at"), "revoked_at": None}
    _INSERT_KEY.run(writing.connection, **row)
    return Applied(user=user)


def drop_key(writing: Writing, write: DropKey) -> Applied | Stale:
    """See DropKey; Stale when there is no such live key, so that a second time is told from the first."""
    row = _REVOKE.one(writing.connection, digest=write.digest, at=write.at)
    return Applied() if row is not None else Stale()


def find_key(connection: Connection, read: FindKey) -> KeyHolder | Nothing:
    """See FindKey."""
    return _holder(connection, read.digest, read.at) or Nothing()


def find_keys(connection: Connection, read: FindKeys) -> KeyHolders:
    """See FindKeys."""
    return KeyHolders(tuple(_holder(connection, digest, read.at) for digest in read.digests))


def _holder(connection: Connection, digest: str, at: float) -> KeyHolder | None:
    row = _HOLDER.one(connection, digest=digest, at=at)
    return KeyHolder(*row) if row is not None else None


def read_user(connection: Connection, read: ReadUser) -> UserRecord | Nothing:
    """See ReadUser."""
    return find_user(connection, read.user, read.day) or Nothing()
