"""What every city stands on: an empty database in memory, a machine with room, and silence."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import structlog

from storage.database import open_database
from system.host import Host

#: Memory where there is such a folder: the disk's own time is not what is tested.
SHM = Path("/dev/shm")


class RoomyHost(Host):
    """A machine whose memory and disk are no matter, whatever the real one's are."""

    disk_bytes = 1 << 40

    def memory_bytes(self) -> int:
        """Always the same."""
        return 1 << 27

    def free_bytes(self, folders: Iterable[Path]) -> int | None:
        """What a test says is free."""
        return self.disk_bytes


@contextmanager
def quiet() -> Iterator[None]:
    """Thousands of deaths: the log has them, nobody needs to read them."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)
        structlog.configure(**before)


@cache
def template() -> Path:
    """A migrated, empty database: migrations take longer than a city."""
    folder = Path(tempfile.mkdtemp(prefix="limner-city-"))
    open_database(f"sqlite:///{folder}/limner.db").close()
    return folder / "limner.db"
