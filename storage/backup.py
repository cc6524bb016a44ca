"""A copy of the database while others write to it: of one moment, whole, and never half there under its name."""

from __future__ import annotations

import os
import secrets
from contextlib import closing
from pathlib import Path

from sqlalchemy.engine import make_url

from storage.database import driver, trouble_of
from storage.trouble import StoreTrouble


class BackupRefused(Exception):
    """There can be no copy; `code` is one of CONTRACT §3, `str()` says why, for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def check_target(url: str, target: Path) -> Path:
    """The file of the database at `url`. Raises BackupRefused: it is not SQLite's, or `target` cannot be made."""
    parsed = make_url(url)
    if parsed.get_backend_name() != "sqlite":
        raise BackupRefused("bad_frame", "This database is PostgreSQL's: copy it with pg_dump, which knows how.")
    if parsed.database in (None, "", ":memory:"):
        raise BackupRefused("bad_frame", "This database is in memory only; there is nothing to copy.")
    if not target.is_absolute():
        raise BackupRefused("bad_frame", "Give the whole path of the file, from /: the daemon has a folder of its own.")
    if target.exists() or target.is_symlink():
        raise BackupRefused("ref_conflict", f"There is a {target} already; choose another name.")
    if not target.parent.is_dir():
        raise BackupRefused("not_found", f"There is no folder {target.parent} on the daemon's host.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise BackupRefused("forbidden", f"The daemon may not write to {target.parent}.")
    return Path(str(parsed.database))


def back_up(url: str, target: Path) -> int:
    """Copies the SQLite database at `url` to the new file `target`; its bytes. Raises BackupRefused and StoreTrouble.

    One read transaction, so writers go on, and what they write meanwhile is not in it. Until it is whole and on disk it
    has another name. Only the owner can read it: it holds prompts.
    """
    source = check_target(url, target)
    part = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        _copy(source, part)
        with part.open("rb") as copy:
            os.fsync(copy.fileno())
        os.link(part, target)  # which fails when there is one by now; a rename would replace it
        _sync_folder(target.parent)
    except FileExistsError:
        raise BackupRefused("ref_conflict", f"There is a {target} already; choose another name.") from None
    except OSError as error:
        raise StoreTrouble("unwritable", f"{target} cannot be written: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)
    return target.stat().st_size


def _copy(source: Path, part: Path) -> None:
    """By the same library that the Store uses: another copy of SQLite in this process would drop the Store's locks
    when it closes the file."""
    module = driver()
    part.touch(mode=0o600)
    try:
        with closing(module.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None)) as connection:
            connection.execute("VACUUM INTO ?", (str(part),))
    except module.Error as error:
        raise trouble_of(error) from error


def _sync_folder(folder: Path) -> None:
    held = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(held)
    finally:
        os.close(held)
