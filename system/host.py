"""Host: what the machine gives this process. Read from the system each time; tests give a host of their own."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterable
from pathlib import Path

STATM = Path("/proc/self/statm")


class Host:
    """The machine as it is."""

    def memory_bytes(self) -> int:
        """What the process fills of the memory (resident set); where the system does not tell, what it ever filled."""
        try:
            pages = int(STATM.read_text().split()[1])
        except (OSError, ValueError, IndexError):
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
        return pages * resource.getpagesize()

    def free_bytes(self, folders: Iterable[Path]) -> int | None:
        """What is free, for an ordinary user, on the fullest of the disks that these folders are on. None: of none of
        them is it known. It may take long on a network's disk: not for the loop's thread."""
        free = []
        for folder in folders:
            try:
                disk = os.statvfs(folder)
            except OSError:
                continue  # a folder that is not there is the store's trouble, and told by it
            free.append(disk.f_bavail * disk.f_frsize)
        return min(free, default=None)
