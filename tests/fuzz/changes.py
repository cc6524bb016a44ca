"""A document with each of its parts, at any depth, replaced by each of many things that do not belong there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

#: In every field of every event: nothing, of other types, beyond every limit. One is no UTF-8, so no JSON.
NASTY = (
    *(b"null", b"true", b"0", b"-1", b"1.5", b"1e308", b"9" * 30, b"9" * 5_000, b'""', b'"text"', b'"\xff"'),
    *(b"[]", b"[[]]", b"[null]", b"[7]", b"{}", b'{"id":{}}', b"[" * 500 + b"]" * 500, b'"' + b"9" * 5_000 + b'"'),
)
DEPTH_MAX = 10


def changes(value: Any) -> Iterator[bytes]:
    """All of them, as JSON; `value` may hold `msgspec.Raw`."""
    for path in paths(value):
        for nasty in NASTY:
            yield msgspec.json.encode(replaced(value, path, msgspec.Raw(nasty)))


def paths(value: Any, depth: int = DEPTH_MAX) -> Iterator[tuple[Any, ...]]:
    """The way to each part: keys and places; not to those that are deeper than any that we read."""
    if depth == 0:
        return
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        yield (key,)
        yield from ((key, *rest) for rest in paths(part, depth - 1))


def replaced(value: Any, path: tuple[Any, ...], by: Any) -> Any:
    """A copy with the part at `path` replaced."""
    if not path:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = replaced(value[path[0]], path[1:], by)
    return copy
