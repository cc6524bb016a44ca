"""The files of an open SQLite database: are they still the ones under their names?

SQLite in WAL mode writes on into a file that was moved away, replaced or deleted, and says nothing; the next start
would not find what was written there. So it is looked before each write: three `stat`s, a few microseconds.
"""

from __future__ import annotations

import os
from pathlib import Path

from storage.trouble import StoreTrouble

#: Beside the database: the log of what is committed and not in the database yet, and its index.
LOG_ENDINGS = ("-wal", "-shm")

Identity = tuple[int, int]


class Files:
    """The database, its log and the log's index, as they are when this is made."""

    def __init__(self, path: Path) -> None:
        self._path = os.fspath(path)
        self._database = _identity(self._path)
        self._logs = tuple(self._path + ending for ending in LOG_ENDINGS)
        self._log = tuple(map(_identity, self._logs))

    def are_whole(self) -> bool:
        """False when only a part of the log is missing: whoever still holds it can fold it into the database.

        Raises StoreTrouble: `gone` when the database is not there (it may come back), `replaced` when another file is.
        """
        found = _identity(self._path)
        if found is None:
            raise StoreTrouble("gone", f"{self._path} is not there any more; put it back")
        log = tuple(map(_identity, self._logs))
        if found == self._database and log == self._log:
            return True
        if found != self._database or any(now not in (None, then) for now, then in zip(log, self._log, strict=True)):
            problem = (
                f"another file is in the place of {self._path}; put the right one back, or restart to use this one"
            )
            raise StoreTrouble("replaced", problem)
        return False


def _identity(path: str) -> Identity | None:
    """Device and number of the file of this name, None when there is none to be seen."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino
