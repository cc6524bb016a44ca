"""The gateway's transport compression: compressed WebSocket frames in, JSON documents out.

One context lives as long as the connection (discord-api-docs, developers/events/gateway.mdx). Of zlib-stream a document
ends where a frame ends with 00 00 ff ff, and may span frames; of zstd-stream each frame is a document. After an error
the context is lost: reconnect with a new one. What comes out of a frame is bounded, however small the frame.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

SYNC_FLUSH = b"\x00\x00\xff\xff"
DOCUMENT_BYTES_MAX = 64 * 1024 * 1024


class BrokenStream(Exception):
    """The compressed stream is corrupt, ended, or holds a document above the limit."""


class Stream(Protocol):
    """One connection's compressed stream."""

    def receive(self, frame: bytes) -> bytes | None:
        """Takes one frame; returns a document if it completes one. Raises `BrokenStream`."""


class Inflater:
    """Decompresses one connection's zlib-stream."""

    def __init__(self, document_bytes_max: int = DOCUMENT_BYTES_MAX) -> None:
        self._context = zlib.decompressobj()
        self._waiting = bytearray()
        self._document_bytes_max = document_bytes_max

    def receive(self, frame: bytes) -> bytes | None:
        """Takes one frame; returns a document if it completes one. Raises `BrokenStream`."""
        waiting = self._waiting
        if len(waiting) + len(frame) > self._document_bytes_max:
            raise BrokenStream("compressed document too large")
        if waiting or not frame.endswith(SYNC_FLUSH):
            # Rare: a document of several frames. Only here is anything copied.
            waiting += frame
            if not waiting.endswith(SYNC_FLUSH):
                return None
            frame, self._waiting = bytes(waiting), bytearray()
        try:
            document = self._context.decompress(frame, self._document_bytes_max)
        except zlib.error as fault:
            raise BrokenStream("corrupt zlib stream") from fault
        if self._context.unconsumed_tail:
            raise BrokenStream("document too large")
        if self._context.eof:
            raise BrokenStream("zlib stream ended")
        return document


class ZstdContext(Protocol):
    """A streaming decompressor as `compression.zstd` (Python 3.14) and `backports.zstd` have it."""

    @property
    def eof(self) -> bool: ...
    @property
    def needs_input(self) -> bool: ...
    def decompress(self, data: bytes, max_length: int = -1) -> bytes: ...


class ZstdInflater:
    """Decompresses one connection's zstd-stream with a fresh context of a library's; `fault` is what that raises."""

    def __init__(
        self,
        context: Callable[[], ZstdContext],
        fault: type[Exception],
        document_bytes_max: int = DOCUMENT_BYTES_MAX,
    ) -> None:
        self._context = context()
        self._fault = fault
        self._document_bytes_max = document_bytes_max

    def receive(self, frame: bytes) -> bytes | None:
        """Takes one frame; returns its document. Raises `BrokenStream`."""
        try:
            document = self._context.decompress(frame, self._document_bytes_max)
        except self._fault as fault:
            raise BrokenStream("corrupt zstd stream") from fault
        if self._context.eof:
            raise BrokenStream("zstd stream ended")
        if not self._context.needs_input:
            raise BrokenStream("document too large")
        return document or None
