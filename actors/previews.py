"""Previews: of each running drawing the newest rough picture, in memory, within bounds; the least used goes first.

Of most drawings nobody looks at the previews: so their address is noted, and the bytes come when somebody asks.
"""

from __future__ import annotations

from collections import OrderedDict

import msgspec

PREVIEW_COUNT_MAX = 10_000
PREVIEW_TOTAL_BYTES_MAX = 64 << 20


class Preview(msgspec.Struct, frozen=True):
    """One, with its owner. `data` is None until it has been fetched from `url`."""

    user: str
    url: str
    data: bytes | None = None
    media_type: str = ""


class Previews:
    """By job."""

    def __init__(self, count_max: int = PREVIEW_COUNT_MAX, total_bytes_max: int = PREVIEW_TOTAL_BYTES_MAX) -> None:
        self._count_max, self._total_bytes_max = count_max, total_bytes_max
        self._kept: OrderedDict[str, Preview] = OrderedDict()
        self._bytes = 0

    def put(self, job: str, preview: Preview) -> None:
        """Replaces the job's earlier one."""
        self.drop(job)
        self._kept[job] = preview
        self._bytes += len(preview.data or b"")
        while len(self._kept) > self._count_max or self._bytes > self._total_bytes_max:
            self.drop(next(iter(self._kept)))

    def of(self, job: str, user: str) -> Preview | None:
        """The job's preview, for its owner only."""
        preview = self._kept.get(job)
        if preview is None or preview.user != user:
            return None
        self._kept.move_to_end(job)
        return preview

    def drop(self, job: str) -> None:
        """The job has its picture, or none will come."""
        preview = self._kept.pop(job, None)
        if preview is not None:
            self._bytes -= len(preview.data or b"")
