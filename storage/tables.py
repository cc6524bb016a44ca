"""The tables, as SQLAlchemy Core metadata: what `migrations/` builds and the queries speak of.

Columns of `jobs` bear the names of `JobRecord`'s fields. Times are Unix seconds; lists are JSON text. A job is
unfinished as long as `finished_at` is null: both partial indexes hang on that, because a planner can prove it of a
query without knowing its parameters.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    text,
)

#: The newest revision in migrations/versions: a database that shows it needs no migration, and no import of Alembic.
REVISION = "0010"

metadata = MetaData(
    naming_convention={
        "ix": "%(table_name)s_of_%(column_0_name)s",
        "pk": "%(table_name)s_pk",
        "fk": "%(table_name)s_%(column_0_name)s_fk",
        "uq": "%(table_name)s_%(column_0_name)s_unique",
    }
)

users = Table(
    "users",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False, unique=True),
    Column("plan", String, nullable=False),
    Column("banned", Boolean, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("created_at", Double, nullable=False),
)

keys = Table(
    "keys",
    metadata,
    Column("id", String, primary_key=True),
    Column("user", ForeignKey("users.id"), nullable=False, index=True),
    Column("digest", String, nullable=False, unique=True),
    Column("role", String, nullable=False),
    Column("login", Boolean, nullable=False),
    Column("expires_at", Double),
    Column("revoked_at", Double),
    Column("created_at", Double, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("id", String, primary_key=True),
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("plan", String, nullable=False),
    Column("ref", String),
    Column("state", String, nullable=False),
    Column("kind", String, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("mode", String, nullable=False),
    Column("images_in", Text, nullable=False),
    Column("action", String),
    Column("index", Integer),
    Column("parent", ForeignKey("jobs.id")),
    Column("affinity", String),
    Column("press_message_id", String),
    Column("press_custom_id", String),
    Column("attempt", Integer, nullable=False),
    Column("account", String),
    Column("nonce", String),
    Column("lease", String),
    Column("gateway_session", String),
    Column("interaction_id", String),
    Column("start_message_id", String),
    Column("message_id", String),
    Column("job_hash", String),
    Column("picture_url", Text),
    Column("offers", Text, nullable=False),
    Column("code", String),
    Column("message", Text),
    Column("text", Text),
    Column("charged", Boolean, nullable=False),
    Column("created_at", Double, nullable=False),
    Column("submitted_at", Double),
    Column("started_at", Double),
    Column("finished_at", Double),
    Column("undecided_at", Double),
    Column("cut_off", String),
    Column("cancel_asked_at", Double),
    # What the job took of the quota, and of which day: a refund goes back exactly there.
    Column("charge", Integer, nullable=False),
    Column("charged_day", String, nullable=False),
)
_unfinished: dict[str, Any] = {
    # PostgreSQL's twin is said where they are built, in the migration: here it would import that dialect, 2 MB.
    "sqlite_where": text("finished_at IS NULL"),
}
Index("jobs_unfinished", jobs.c.id, **_unfinished)
Index("jobs_unfinished_of_user", jobs.c.user, jobs.c.id, **_unfinished)
Index("jobs_of_user", jobs.c.user, jobs.c.id)
Index("jobs_in_state", jobs.c.state, jobs.c.id)
Index("jobs_of_parent", jobs.c.parent, sqlite_where=text("parent IS NOT NULL"))
Index("jobs_of_account", jobs.c.account, jobs.c.id, sqlite_where=text("account IS NOT NULL"))

#: A user's ref names one job while it is in force (storage.accepting); `seq` is that of the job's `accepted`.
refs = Table(
    "refs",
    metadata,
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("ref", String, nullable=False),
    Column("job", ForeignKey("jobs.id"), nullable=False, index=True),
    Column("digest", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("accepted_at", Double, nullable=False),
    PrimaryKeyConstraint("user", "ref"),
)

history = Table(
    "history",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("job", ForeignKey("jobs.id"), nullable=False, index=True),
    Column("state", String, nullable=False),
    Column("at", Double, nullable=False),
)

#: One row a submission: what was sent under which nonce, and what came of it. A lease that never began leaves none.
attempts = Table(
    "attempts",
    metadata,
    Column("job", ForeignKey("jobs.id"), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("account", String, nullable=False),
    Column("nonce", String, nullable=False, unique=True),
    Column("lease", String, nullable=False),
    Column("gateway_session", String),
    Column("interaction_id", String),
    Column("message_id", String),
    Column("outcome", String),
    Column("at", Double, nullable=False),
    # Of a picture that came after the job had ended, for the operator.
    Column("late_at", Double),
    Column("late_url", Text),
    PrimaryKeyConstraint("job", "attempt"),
)
Index("attempts_of_account", attempts.c.account, attempts.c.at)

events = Table(
    "events",
    metadata,
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("job", ForeignKey("jobs.id"), nullable=False, index=True),
    Column("type", String, nullable=False),
    Column("frame", LargeBinary, nullable=False),
    PrimaryKeyConstraint("user", "seq"),
)

images = Table(
    "images",
    metadata,
    Column("id", String, primary_key=True),
    Column("job", ForeignKey("jobs.id"), nullable=False, index=True),
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("index", Integer, nullable=False),
    Column("path", String, nullable=False),
    Column("thumb_path", String, nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("sha256", String, nullable=False),
    Column("media_type", String, nullable=False),
)

#: Pictures that users gave, in the image store.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String, primary_key=True),
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("path", String, nullable=False),
)

#: Files in the image store whose jobs or uploads are forgotten, until they are deleted.
discards = Table("discards", metadata, Column("path", String, primary_key=True))

quota = Table(
    "quota",
    metadata,
    Column("user", ForeignKey("users.id"), nullable=False),
    Column("day", String, nullable=False),
    Column("used", Integer, nullable=False),
    PrimaryKeyConstraint("user", "day"),
)

gateways = Table(
    "gateways",
    metadata,
    Column("account", String, primary_key=True),
    Column("session_id", String, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("resume_url", String, nullable=False),
    Column("at", Double, nullable=False),
)

#: Accounts that are taken out of work until the operator says otherwise.
suspensions = Table(
    "suspensions",
    metadata,
    Column("account", String, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", Double, nullable=False),
    Column("cause", String, nullable=False, server_default="operator"),
)

#: Accounts that operators added while Limner ran. `settings`: JSON of core.account_config's keys but the token, which
#: is sealed (storage.sealed).
accounts = Table(
    "accounts",
    metadata,
    Column("name", String, primary_key=True),
    Column("settings", Text, nullable=False),
    Column("token", LargeBinary, nullable=False),
    Column("at", Double, nullable=False),
)

#: How many drawings at once operators allow an account, where that is not what its config says.
slots = Table(
    "slots",
    metadata,
    Column("account", String, primary_key=True),
    Column("slots", Integer, nullable=False),
    Column("at", Double, nullable=False),
)

#: When each application IDENTIFYed in the last day: Discord resets the token over 1000 (protocol.identifies).
identifies = Table(
    "identifies",
    metadata,
    Column("application", String, primary_key=True),
    Column("at", Double, primary_key=True),
)

#: What each write answered, for a while, so that one sent again is answered and not done again (storage.groups).
operations = Table(
    "operations",
    metadata,
    Column("op_id", String, primary_key=True),
    Column("outcome", LargeBinary, nullable=False),
    Column("at", Double, nullable=False, index=True),
)

#: What operators have switched on (`queue_paused`); what is off has no row.
switches = Table(
    "switches",
    metadata,
    Column("switch", String, primary_key=True),
    Column("at", Double, nullable=False),
)

#: What operators asked for and what came of it, bounded by the janitor; refusals push out no change.
audit = Table(
    "audit",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True),
    Column("at", Double, nullable=False),
    Column("by", String, nullable=False),
    Column("role", String, nullable=False),
    Column("noun", String, nullable=False),
    Column("of", String),
    Column("verb", String, nullable=False),
    Column("outcome", String, nullable=False),
    Column("refused", Boolean, nullable=False),
    Column("detail", Text, nullable=False),
)
Index("audit_refused", audit.c.refused, audit.c.id)
