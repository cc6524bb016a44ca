"""Press: Discord's transport compressions (GW, Transport Compression): one context for the life of a connection."""

from __future__ import annotations

import zlib
from typing import Protocol

try:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd
except ImportError:
    zstd = None

# Level, method, window (2 to the power of), memory. Quick and small: an event repeats most of the one before it, which
# a window of 4 KiB still holds, and 1,000 connections must not sweep the processor's cache with 256 KiB each.
DEFLATE = (1, zlib.DEFLATED, 12, 5)
ZSTD_LEVEL = 1
ZSTD_WINDOW_LOG = 15
SYNC_FLUSH = b"\x00\x00\xff\xff"
FRAME_BYTES_MAX = 8192  # a longer zlib document spans frames, as the documents allow


class Press(Protocol):
    """Compresses one connection's documents into frames."""

    def pack(self, document: bytes) -> list[bytes]: ...


class ZlibPress:
    """zlib-stream: each document ends with a sync flush, and may span frames."""

    def __init__(self) -> None:
        self.context = zlib.compressobj(*DEFLATE)

    def pack(self, document: bytes) -> list[bytes]:
        packed = self.context.compress(document) + self.context.flush(zlib.Z_SYNC_FLUSH)
        if len(packed) <= FRAME_BYTES_MAX:
            return [packed]
        frames = [packed[start : start + FRAME_BYTES_MAX] for start in range(0, len(packed), FRAME_BYTES_MAX)]
        # A frame that ended like a document by chance would be taken for its end.
        return [packed] if any(frame.endswith(SYNC_FLUSH) for frame in frames[:-1]) else frames


class ZstdPress:
    """zstd-stream: a frame is a document, and the zstd frame around all of them never ends."""

    def __init__(self) -> None:
        options = {
            zstd.CompressionParameter.compression_level: ZSTD_LEVEL,
            zstd.CompressionParameter.window_log: ZSTD_WINDOW_LOG,
        }
        self.context = zstd.ZstdCompressor(options=options)

    def pack(self, document: bytes) -> list[bytes]:
        return [self.context.compress(document, mode=zstd.ZstdCompressor.FLUSH_BLOCK)]


PRESSES: dict[str, type[Press]] = {"zlib-stream": ZlibPress} | ({"zstd-stream": ZstdPress} if zstd is not None else {})
