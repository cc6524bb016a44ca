"""The revisions build the schema that the queries speak of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect

from storage.database import open_database
from storage.migrations.run import config_for, is_known
from storage.tables import REVISION, metadata


def test_the_revisions_build_exactly_the_tables() -> None:
    database = open_database("sqlite://")
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection.sqlalchemy), metadata) == []
        found = inspect(connection.sqlalchemy)
        made = {name: {index["name"] for index in found.get_indexes(name)} for name in metadata.tables}
    wanted = {name: {index.name for index in table.indexes} for name, table in metadata.tables.items()}
    assert made == wanted
    database.close()


def test_the_newest_revision_is_the_one_that_needs_no_migration() -> None:
    assert ScriptDirectory.from_config(config_for()).get_current_head() == REVISION
    assert is_known(REVISION)
    assert not is_known("9999")


def test_an_empty_older_database_is_migrated(tmp_path: Path) -> None:
    """A file that Alembic knows of but that has no schema yet, as before the first revision."""
    path = tmp_path / "limner.db"
    database = open_database(f"sqlite:///{path}")
    with database.writing() as connection:
        metadata.drop_all(connection.sqlalchemy)
        connection.exec_driver_sql("DELETE FROM alembic_version")
    database.close()
    database = open_database(f"sqlite:///{path}")
    with database.reading() as connection:
        assert compare_metadata(MigrationContext.configure(connection.sqlalchemy), metadata) == []
    database.close()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/limner.db"
    open_database(url).close()
    program = f"import sys, storage.database as d; d.open_database({url!r}).close(); sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
