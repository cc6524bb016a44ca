"""Since when a job is undecided, whether its user asked to stop it, and an account's submissions by time."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Two columns and an index; a job that is undecided is so since its history says."""
    op.add_column("jobs", sa.Column("undecided_at", sa.Double()))
    op.add_column("jobs", sa.Column("cancel_asked_at", sa.Double()))
    op.create_index("attempts_of_account", "attempts", ["account", "at"])
    jobs = sa.table("jobs", sa.column("id"), sa.column("state"), sa.column("undecided_at"))
    history = sa.table("history", sa.column("job"), sa.column("state"), sa.column("at"))
    since = (
        sa.select(sa.func.max(history.c.at))
        .where(history.c.job == jobs.c.id, history.c.state == "undecided")
        .scalar_subquery()
    )
    op.execute(jobs.update().where(jobs.c.state == "undecided").values(undecided_at=since))
