"""What forgetting old jobs needs: files that wait to be deleted, and ways from a job to what refers to it.

Without an index a database looks through the whole of a table for each row that another one refers to and that goes.
"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A table, empty, and three indexes."""
    op.create_table("discards", sa.Column("path", sa.String(), primary_key=True))
    has_parent = sa.text("parent IS NOT NULL")
    op.create_index("jobs_of_parent", "jobs", ["parent"], sqlite_where=has_parent, postgresql_where=has_parent)
    op.create_index("refs_of_job", "refs", ["job"])
    op.create_index("events_of_job", "events", ["job"])
