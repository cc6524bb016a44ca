"""When the POST of a job in doubt had certainly been cut off, by a clock that cannot be set."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Of doubts from before nobody wrote it down: their time in flight begins with the next life."""
    op.add_column("jobs", sa.Column("cut_off", sa.String()))
