"""A database that an older Limner left behind, in the middle of its work, opens with its jobs.

`made_by/REVISION.sql` is what a daemon of that revision had on disk when it was killed. A new revision adds its own.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from actors.guests import digest_of
from protocol.client import MSGPACK, decode_server
from storage.database import open_database
from storage.migrations.run import config_for
from storage.operations import (
    EventRecords,
    FindKey,
    JobFound,
    JobRecords,
    KeyHolder,
    ListJobs,
    ReadEvents,
    ReadJob,
    ReadSuspension,
    SuspensionRecord,
    Unfinished,
)
from storage.reads import find
from storage.tables import metadata

MADE_BY = Path(__file__).parent / "made_by"
KEY = "limner_u.of-an-older-limner"
STATES = [
    *("cancelled", "done", "done", "drawing", "drawing"),
    *("queued", "queued", "queued", "submitting", "undecided"),
]


def left_by(revision: str, folder: Path) -> str:
    """The URL of a database as it was left."""
    database = sqlite3.connect(folder / "limner.db")
    database.executescript((MADE_BY / f"{revision}.sql").read_text())
    database.close()
    return f"sqlite:///{folder}/limner.db"


def revisions() -> list[str]:
    """Every revision there is."""
    return [each.revision for each in ScriptDirectory.from_config(config_for()).walk_revisions()]


def test_there_is_a_database_of_every_revision() -> None:
    assert sorted(path.stem for path in MADE_BY.glob("*.sql")) == sorted(revisions())


@pytest.mark.parametrize("revision", revisions())
def test_a_database_of_an_older_revision_opens_with_its_jobs(revision: str, tmp_path: Path) -> None:
    database = open_database(left_by(revision, tmp_path))
    try:
        with database.reading() as connection:
            assert compare_metadata(MigrationContext.configure(connection.sqlalchemy), metadata) == []
            holder = find(connection, FindKey(digest_of(KEY), 0.0))
            assert isinstance(holder, KeyHolder)
            listed = find(connection, ListJobs(holder.user, None, 50, None))
            unfinished = find(connection, Unfinished(None, None, 50))
            events = find(connection, ReadEvents(holder.user, 0, 50))
            assert isinstance(listed, JobRecords)
            assert isinstance(unfinished, JobRecords)
            assert isinstance(events, EventRecords)
            assert sorted(job.state for job in listed.jobs) == STATES
            assert len(unfinished.jobs) == len([state for state in STATES if state not in ("done", "cancelled")])
            assert [event.seq for event in events.events] == list(range(1, events.newest + 1))
            assert {decode_server(event.frame, MSGPACK).job for event in events.events} == {
                job.id for job in listed.jobs
            }
            for job in listed.jobs:
                found = find(connection, ReadJob(job.id, holder.user))
                assert isinstance(found, JobFound)
                assert found.job.history[-1].state == job.state
                undecided = [moment.at for moment in found.job.history if moment.state == "undecided"]
                assert job.undecided_at == (undecided[-1] if undecided else None)
    finally:
        database.close()


@pytest.mark.parametrize("revision", ["0003", "0004", "0005"])
def test_an_account_that_an_older_limner_suspended_stays_so(revision: str, tmp_path: Path) -> None:
    database = open_database(left_by(revision, tmp_path))
    try:
        with database.reading() as connection:
            found = find(connection, ReadSuspension("owl-09"))
            assert isinstance(found, SuspensionRecord)
            assert (found.reason, found.cause) == ("paused: Action needed to continue", "captcha")
    finally:
        database.close()
