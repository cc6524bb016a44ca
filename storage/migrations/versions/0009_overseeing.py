"""The audit trail, what operators switch on, jobs by account, and pictures that came late."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two tables, empty; an index; and where a late picture is, which of those before nobody wrote down."""
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("noun", sa.String(), nullable=False),
        sa.Column("of", sa.String()),
        sa.Column("verb", sa.String(), nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("refused", sa.Boolean(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
    )
    op.create_index("audit_refused", "audit", ["refused", "id"])
    op.create_table(
        "switches",
        sa.Column("switch", sa.String(), primary_key=True),
        sa.Column("at", sa.Double(), nullable=False),
    )
    given = sa.text("account IS NOT NULL")
    op.create_index("jobs_of_account", "jobs", ["account", "id"], sqlite_where=given, postgresql_where=given)
    op.add_column("attempts", sa.Column("late_at", sa.Double()))
    op.add_column("attempts", sa.Column("late_url", sa.Text()))
