"""Runs Alembic on an open connection. This imports Alembic, so it is imported only when a migration is due."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection


def config_for(connection: Connection | None = None) -> Config:
    """Alembic's settings: where the revisions are, and the connection that env.py is to use."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def is_known(revision: str) -> bool:
    """Whether this Limner has the revision."""
    try:
        return ScriptDirectory.from_config(config_for()).get_revision(revision) is not None
    except CommandError:
        return False


def upgrade(connection: Connection) -> None:
    """All missing revisions, in the connection's transaction."""
    command.upgrade(config_for(connection), "head")
