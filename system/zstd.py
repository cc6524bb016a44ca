"""Zstd where the machine has it: in Python 3.14's standard library, or as `backports.zstd` (the extra `zstd`).

With it a gateway connection asks for zstd-stream, which Discord prefers; without it for zlib-stream.
"""

from __future__ import annotations

from protocol.inflate import Inflater, Stream, ZstdInflater

try:
    try:
        from compression import zstd  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        from backports import zstd
except ImportError:
    zstd = None

#: What a connection can ask for, the best first.
COMPRESSIONS = ("zstd-stream", "zlib-stream") if zstd is not None else ("zlib-stream",)


def stream_for(compression: str) -> Stream:
    """A fresh context of one of COMPRESSIONS."""
    if compression == "zstd-stream":
        return ZstdInflater(zstd.ZstdDecompressor, zstd.ZstdError)
    return Inflater()
