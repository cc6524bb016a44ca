"""Which accounts are suspended, and why: a restart gives none of them work again."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table; what an older Limner had suspended, only its memory knew."""
    op.create_table(
        "suspensions",
        sa.Column("account", sa.String(), primary_key=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("at", sa.Double(), nullable=False),
    )
