"""Alembic's environment: works on the connection given by storage.migrations.run, within its transaction."""

from alembic import context

from storage.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
