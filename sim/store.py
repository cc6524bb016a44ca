"""Store: what the simulator must still know after kill -9, as tables of (key, JSON) in one SQLite file.

The living state is ordinary Python objects elsewhere; each change is also put here, in the transaction of the event
that made it, so that the next start with the same folder goes on from there. Without a folder nothing is kept and
every call is free. WAL with synchronous=NORMAL survives the death of the process, which is what is promised; the
death of the machine is not.
"""

from __future__ import annotations

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeVar

import msgspec

TABLES = ("identity", "sessions", "events", "messages", "attachments", "jobs", "ledger", "commands", "forms")
LOCK_WAIT_S = 5.0  # a predecessor whose parent was killed needs a moment to end

T = TypeVar("T")


class FolderBusy(Exception):
    """Another simulator works in this folder."""


class Store:
    """`put` and `drop` a value by table and key; `with store:` makes everything inside one transaction."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self.database: sqlite3.Connection | None = None
        self.depth = 0
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)
            self.lock = lock_folder(folder)
            self.database = sqlite3.connect(folder / "sim.db", isolation_level=None)
            self.database.execute("PRAGMA journal_mode=WAL")
            self.database.execute("PRAGMA synchronous=NORMAL")
            for table in TABLES:
                self.database.execute(
                    f"CREATE TABLE IF NOT EXISTS {table} (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID"
                )

    def __enter__(self) -> Store:
        if self.database is not None and self.depth == 0:
            self.database.execute("BEGIN IMMEDIATE")
        self.depth += 1
        return self

    def __exit__(self, kind: object, error: object, trace: object) -> None:
        self.depth -= 1
        if self.database is not None and self.depth == 0:
            self.database.execute("COMMIT" if kind is None else "ROLLBACK")

    def put(self, table: str, key: str, value: Any) -> None:
        """Keep `value` (anything msgspec can encode) under `key`, replacing what was there."""
        if self.database is not None:
            blob = msgspec.json.encode(value)
            self.database.execute(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", (key, blob))  # noqa: S608 (TABLES)

    def drop(self, table: str, key: str) -> None:
        if self.database is not None:
            self.database.execute(f"DELETE FROM {table} WHERE key = ?", (key,))  # noqa: S608 (TABLES)

    def drop_between(self, table: str, low: str, high: str) -> None:
        """Drop every key with low <= key < high."""
        if self.database is not None:
            self.database.execute(f"DELETE FROM {table} WHERE key >= ? AND key < ?", (low, high))  # noqa: S608 (TABLES)

    def load(self, table: str, kind: type[T]) -> Iterator[tuple[str, T]]:
        """Everything in `table`, in the order of its keys."""
        if self.database is not None:
            for key, blob in self.database.execute(f"SELECT key, value FROM {table} ORDER BY key"):  # noqa: S608
                yield key, msgspec.json.decode(blob, type=kind)

    def close(self) -> None:
        if self.database is not None:
            self.database.close()
            self.database = None
            os.close(self.lock)


def lock_folder(folder: Path) -> int:
    """The descriptor whose lock says: this folder is taken. It is let go by closing, or by any death.

    Raises FolderBusy when another simulator holds it for LOCK_WAIT_S.
    """
    descriptor = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > deadline:
                os.close(descriptor)
                raise FolderBusy(f"another simulator uses {folder}: end it, or choose another --data") from None
            time.sleep(0.05)
