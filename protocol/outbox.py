"""What waits to be written to one reader: bounded, coalesced where only the newest counts, in order.

`queued` and `progress` frames repeat the latest state of a job, so a newer one replaces the older. All other frames
are never dropped: if they do not fit, the reader is too slow and must be closed; it comes back with `resume`.
"""

from __future__ import annotations

from protocol.frames import TERMINAL_FRAMES, ClientFrame, Progress, Queued, ServerFrame

OUTBOX_BYTES_MAX = 1_048_576

_Key = tuple[str, str] | int


class Outbox:
    """Frames already encoded, oldest first."""

    __slots__ = ("_bytes_max", "_count", "_waiting", "size_bytes")

    def __init__(self, bytes_max: int = OUTBOX_BYTES_MAX) -> None:
        self._bytes_max = bytes_max
        self._waiting: dict[_Key, bytes] = {}
        self._count = 0
        self.size_bytes = 0

    def put(self, frame: ServerFrame | ClientFrame, data: bytes) -> bool:
        """Adds a frame's bytes; False if it does not fit and may not be dropped."""
        key: _Key
        if isinstance(frame, Queued | Progress):
            key = (type(frame).__name__, frame.job)
        else:
            self._count += 1
            key = self._count
        # The newest goes to the end: it names a seq, and must not overtake the events before that seq.
        self._drop(key)
        if isinstance(frame, TERMINAL_FRAMES):
            self._drop((Queued.__name__, frame.job))
            self._drop((Progress.__name__, frame.job))
        if self.size_bytes + len(data) > self._bytes_max:
            return isinstance(frame, Queued | Progress)
        self._waiting[key] = data
        self.size_bytes += len(data)
        return True

    def take(self) -> list[bytes]:
        """Everything that waits, in order; the outbox is empty afterwards."""
        taken = list(self._waiting.values())
        self._waiting.clear()
        self.size_bytes = 0
        return taken

    def _drop(self, key: _Key) -> None:
        dropped = self._waiting.pop(key, None)
        if dropped is not None:
            self.size_bytes -= len(dropped)
