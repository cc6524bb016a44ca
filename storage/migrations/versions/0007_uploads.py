"""Which pictures users gave, so that they can be forgotten."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, empty: what was given before stays."""
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(), primary_key=True),
        sa.Column("user", sa.String(), sa.ForeignKey("users.id", name="uploads_user_fk"), nullable=False),
        sa.Column("path", sa.String(), nullable=False),
    )
