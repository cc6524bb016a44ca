"""Alembic's revisions of the schema, and the way they are run: from the program, without an alembic.ini."""
