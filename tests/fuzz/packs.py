"""Discord's two compressed streams, from the server's side: one context a connection, one document a frame."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from system.zstd import zstd

Pack = Callable[[bytes], bytes]


def zlib_pack() -> Pack:
    """Discord's zlib-stream."""
    deflate = zlib.compressobj()
    return lambda document: deflate.compress(document) + deflate.flush(zlib.Z_SYNC_FLUSH)


def zstd_pack() -> Pack:
    """Discord's zstd-stream."""
    packer: Any = zstd.ZstdCompressor()
    return lambda document: packer.compress(document, packer.FLUSH_BLOCK)


PACKS: dict[str, Callable[[], Pack]] = {"zlib-stream": zlib_pack, "zstd-stream": zstd_pack}
