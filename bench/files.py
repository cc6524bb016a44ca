"""Files: what every side of a load with many sockets needs first."""

from __future__ import annotations

import resource


def raise_file_limit() -> None:
    """To the hard limit: a socket is a file."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
