"""What put an account out of work: a name of core.health beside the words."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A column. What is there already says by its words whether the operator, a notice or Discord was the cause."""
    op.add_column("suspensions", sa.Column("cause", sa.String(), nullable=False, server_default="operator"))
    op.execute("UPDATE suspensions SET cause = 'moderation' WHERE reason LIKE 'paused: %'")
    op.execute("UPDATE suspensions SET cause = 'credits' WHERE reason LIKE 'paused: Credits%'")
    op.execute("UPDATE suspensions SET cause = 'blocked' WHERE reason LIKE 'paused: Blocked%'")
    op.execute("UPDATE suspensions SET cause = 'captcha' WHERE reason LIKE 'paused: Action%'")
    op.execute("UPDATE suspensions SET cause = 'refused' WHERE reason LIKE 'Discord refuses its submissions%'")
