"""The machine's clock: by it a later process knows for certain how long ago something was, if it is there to be known.

Linux counts monotonic seconds from the start of the machine, for all its processes alike, and nobody can set them: the
loop's clock is this one. A number of such seconds means something to who reads the same clock, and to nobody else: not
after the machine was started anew, not on another one, not in a time namespace (time_namespaces(7)) of its own.
"""

from __future__ import annotations

import os
from pathlib import Path

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
TIME_NAMESPACE = Path("/proc/self/ns/time")


def clock_id() -> str | None:
    """Whose monotonic seconds the loop counts: equal for two processes that read one clock. None: it is not known."""
    try:
        boot = BOOT_ID.read_text().strip()
        namespace = os.readlink(TIME_NAMESPACE) if TIME_NAMESPACE.is_symlink() else ""
    except OSError:
        return None
    return f"{boot} {namespace}".rstrip() if boot else None
