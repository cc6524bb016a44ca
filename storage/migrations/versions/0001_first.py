"""The first schema: users, keys, jobs and what hangs on them.

Written out, not taken from storage.tables: a revision must build what it built on the day it was made.
"""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

UNFINISHED: dict[str, Any] = {
    "sqlite_where": sa.text("finished_at IS NULL"),
    "postgresql_where": sa.text("finished_at IS NULL"),
}


def upgrade() -> None:
    """Makes every table; the jobs first, then what refers to them."""
    _people()
    _jobs()
    _of_jobs()
    _of_users()
    op.create_table(
        "gateways",
        sa.Column("account", sa.String(), primary_key=True),
        sa.Column("session_id", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("resume_url", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_table(
        "operations",
        sa.Column("op_id", sa.String(), primary_key=True),
        sa.Column("outcome", sa.LargeBinary(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_index("operations_of_at", "operations", ["at"])


def _people() -> None:
    op.create_table(
        "users",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("name", sa.String(), nullable=False, unique=True),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("banned", sa.Boolean(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
    )
    op.create_table(
        "keys",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("user", sa.String(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False, unique=True),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("login", sa.Boolean(), nullable=False),
        sa.Column("expires_at", sa.Double()),
        sa.Column("revoked_at", sa.Double()),
        sa.Column("created_at", sa.Double(), nullable=False),
    )
    op.create_index("keys_of_user", "keys", ["user"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("user", sa.String(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("plan", sa.String(), nullable=False),
        sa.Column("ref", sa.String()),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("prompt", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(), nullable=False),
        sa.Column("images_in", sa.Text(), nullable=False),
        sa.Column("action", sa.String()),
        sa.Column("index", sa.Integer()),
        sa.Column("parent", sa.String(), sa.ForeignKey("jobs.id")),
        sa.Column("affinity", sa.String()),
        sa.Column("press_message_id", sa.String()),
        sa.Column("press_custom_id", sa.String()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("account", sa.String()),
        sa.Column("nonce", sa.String()),
        sa.Column("lease", sa.String()),
        sa.Column("gateway_session", sa.String()),
        sa.Column("interaction_id", sa.String()),
        sa.Column("start_message_id", sa.String()),
        sa.Column("message_id", sa.String()),
        sa.Column("job_hash", sa.String()),
        sa.Column("picture_url", sa.Text()),
        sa.Column("offers", sa.Text(), nullable=False),
        sa.Column("code", sa.String()),
        sa.Column("message", sa.Text()),
        sa.Column("text", sa.Text()),
        sa.Column("charged", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("submitted_at", sa.Double()),
        sa.Column("started_at", sa.Double()),
        sa.Column("finished_at", sa.Double()),
        sa.Column("charge", sa.Integer(), nullable=False),
        sa.Column("charged_day", sa.String(), nullable=False),
    )
    op.create_index("jobs_unfinished", "jobs", ["id"], **UNFINISHED)
    op.create_index("jobs_unfinished_of_user", "jobs", ["user", "id"], **UNFINISHED)
    op.create_index("jobs_of_user", "jobs", ["user", "id"])
    op.create_index("jobs_in_state", "jobs", ["state", "id"])


def _of_jobs() -> None:
    op.create_table(
        "history",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("job", sa.String(), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
    op.create_index("history_of_job", "history", ["job"])
    op.create_table(
        "attempts",
        sa.Column("job", sa.String(), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False, unique=True),
        sa.Column("lease", sa.String(), nullable=False),
        sa.Column("gateway_session", sa.String()),
        sa.Column("interaction_id", sa.String()),
        sa.Column("message_id", sa.String()),
        sa.Column("outcome", sa.String()),
        sa.Column("at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("job", "attempt"),
    )
    op.create_table(
        "images",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("job", sa.String(), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("user", sa.String(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
        sa.Column("thumb_path", sa.String(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("media_type", sa.String(), nullable=False),
    )
    op.create_index("images_of_job", "images", ["job"])


def _of_users() -> None:
    op.create_table(
        "refs",
        sa.Column("user", sa.String(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("ref", sa.String(), nullable=False),
        sa.Column("job", sa.String(), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("digest", sa.String(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("accepted_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("user", "ref"),
    )
    op.create_table(
        "events",
        sa.Column("user", sa.String(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("job", sa.String(), sa.ForeignKey("jobs.id"), nullable=False),
        sa.Column("type", sa.String(), nullable=False),
        sa.Column("frame", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("user", "seq"),
    )
    op.create_table(
        "quota",
        sa.Column("user", sa.String(), sa.ForeignKey("users.id"), nullable=False),
        sa.Column("day", sa.String(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("user", "day"),
    )
