"""What operators ask of the store, as frozen values: users and keys, the lists of users and jobs, switches, and the
audit trail. Times are Unix seconds; all ids are strings save those of the audit trail, which count up."""

from __future__ import annotations

from msgspec import Struct

from storage.records import JobRecord

#: A list of users is in this order: by name, or those with the most first.
SORTS = ("name", "used", "jobs")
#: The switch that keeps the queue from beginning drawings.
QUEUE_PAUSED = "queue_paused"


# --- users and keys: writes


class Ban(Struct, frozen=True, tag=True):
    """Let a user (by id) do nothing any more, or (not `banned`) all again.

    Answers Applied, or Stale when it is so already, or Refused `not_found`.
    """

    user: str
    banned: bool
    at: float


class SetQuota(Struct, frozen=True, tag=True):
    """Another plan for a user (by id), and how much of the quota of `day` is used; None leaves it as it is.

    Jobs that have not ended go by the new plan too. Answers Applied, or Stale when nothing is other than it was, or
    Refused `not_found`.
    """

    user: str
    day: str
    used: int | None
    plan: str | None
    at: float


class RevokeKey(Struct, frozen=True, tag=True):
    """Revoke the key (or login) with this id. Answers Revoked, or Refused `not_found`."""

    key: str
    at: float


class Revoked(Struct, frozen=True, tag=True):
    """The key is worth nothing any more; not `fresh`: it had been revoked before."""

    user: str
    digest: str
    fresh: bool


# --- users and keys: reads


class ListUsers(Struct, frozen=True, tag=True):
    """Users in the order of `sort` (one of SORTS) after `before`, the `next` of an earlier page. Answers UserRows.

    `filter`: a part of the name or the id, in either case. `used` is of the day in `days` under the user's plan, else
    of `day`.
    """

    sort: str
    filter: str | None
    limit: int
    before: str | None
    days: dict[str, str]
    day: str


class ReadPerson(Struct, frozen=True, tag=True):
    """A user by id or name, with the keys made last (`keys` at most). Answers Person or Nothing; `days` as above."""

    user: str
    keys: int
    days: dict[str, str]
    day: str


class ReadNames(Struct, frozen=True, tag=True):
    """The names of users by their ids. Answers Names."""

    users: tuple[str, ...]


class UserRow(Struct, frozen=True):
    """A user in a list. `waiting`, `drawing`: jobs that have not ended; `jobs`: all that are kept."""

    id: str
    name: str
    plan: str
    banned: bool
    created_at: float
    used: int
    waiting: int
    drawing: int
    jobs: int


class UserRows(Struct, frozen=True, tag=True):
    """A page of users; `next`: the `before` of the next one, None at the end."""

    users: tuple[UserRow, ...]
    next: str | None


class KeyRow(Struct, frozen=True):
    """A key by its id."""

    key: str
    role: str
    login: bool
    created_at: float
    revoked_at: float | None


class Person(Struct, frozen=True, tag=True):
    """One user with keys, newest first."""

    user: UserRow
    keys: tuple[KeyRow, ...]


class Names(Struct, frozen=True, tag=True):
    """Names by id; of whom there is none, none."""

    names: dict[str, str]


# --- jobs: reads


class FindJobs(Struct, frozen=True, tag=True):
    """Jobs of all users, newest first, older than job `before`. Answers JobRows; Nothing: there is no such user.

    `user`: by id or name; `account`: which has, or had last, the job.
    """

    user: str | None
    state: str | None
    account: str | None
    before: str | None
    limit: int


class ReadCase(Struct, frozen=True, tag=True):
    """All that is on record of a job. Answers Case or Nothing."""

    job: str


class CountEnded(Struct, frozen=True, tag=True):
    """How many jobs of all users ended from `since` until before `until`. Answers Ended."""

    since: float
    until: float


class JobRow(Struct, frozen=True):
    """A job in a list; `prompt` is its beginning."""

    job: str
    user: str
    name: str
    kind: str
    mode: str
    state: str
    prompt: str
    account: str | None
    attempt: int
    code: str | None
    created_at: float
    finished_at: float | None


class JobRows(Struct, frozen=True, tag=True):
    """A page of jobs; `next`: the `before` of the next one, None at the end."""

    jobs: tuple[JobRow, ...]
    next: str | None


class Ended(Struct, frozen=True, tag=True):
    """So many ended `done`, and so many `failed`."""

    done: int
    failed: int


class AttemptRow(Struct, frozen=True):
    """What was sent under which nonce, and what came of it. `late_at`, `late_url`: of a picture that came after the
    job had ended."""

    attempt: int
    account: str
    nonce: str
    interaction_id: str | None
    message_id: str | None
    outcome: str | None
    at: float
    late_at: float | None
    late_url: str | None


class StoredEvent(Struct, frozen=True):
    """A frame of CONTRACT §3 that the user's clients were told, or will be."""

    seq: int
    type: str


class Case(Struct, frozen=True, tag=True):
    """One job, whose it is, its attempts and its events, each in order."""

    job: JobRecord
    name: str
    attempts: tuple[AttemptRow, ...]
    events: tuple[StoredEvent, ...]


# --- switches


class SaveSwitch(Struct, frozen=True, tag=True):
    """Something is on from now on, or off. Answers Applied, or Stale when it is so already."""

    switch: str
    on: bool
    at: float


class ReadSwitch(Struct, frozen=True, tag=True):
    """Answers SwitchFound."""

    switch: str


class SwitchFound(Struct, frozen=True, tag=True):
    """Whether it is on."""

    on: bool


# --- the audit trail


class AddAudit(Struct, frozen=True, tag=True):
    """An operator's instruction and what came of it: `changed`, `unchanged`, or the code of its refusal.

    `of`: what it was about. `detail`: its arguments and, refused, the reason; never a secret. Answers Applied.
    """

    by: str
    role: str
    noun: str
    of: str | None
    verb: str
    outcome: str
    refused: bool
    detail: str
    at: float


class PruneAudit(Struct, frozen=True, tag=True):
    """Keep the latest entries only: so many changes, and so many refusals, which push out no change. At most `limit` of
    each go at once. Answers Applied, or Stale when there is nothing to forget."""

    changes: int
    refusals: int
    limit: int
    at: float


class ReadAudit(Struct, frozen=True, tag=True):
    """The trail, newest first, older than entry `before`. Answers AuditRows."""

    before: int | None
    limit: int


class AuditRow(Struct, frozen=True):
    """One entry."""

    id: int
    at: float
    by: str
    role: str
    noun: str
    of: str | None
    verb: str
    outcome: str
    detail: str


class AuditRows(Struct, frozen=True, tag=True):
    """A page of the trail; `next`: the `before` of the next one, None at the end."""

    rows: tuple[AuditRow, ...]
    next: int | None


OverseeWrite = Ban | SetQuota | RevokeKey | SaveSwitch | AddAudit | PruneAudit
OverseeWritten = Revoked
OverseeRead = ListUsers | ReadPerson | ReadNames | FindJobs | ReadCase | CountEnded | ReadSwitch | ReadAudit
OverseeFound = UserRows | Person | Names | JobRows | Case | Ended | SwitchFound | AuditRows
