"""When each application began a new gateway session: a restart must not forget how many there were today."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, empty: what was spent before, nobody knows."""
    op.create_table(
        "identifies",
        sa.Column("application", sa.String(), primary_key=True),
        sa.Column("at", sa.Double(), primary_key=True),
    )
