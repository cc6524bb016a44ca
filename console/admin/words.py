"""Words: times and counts of answers, as people read them."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any


def ago(at: Any) -> str | None:
    """How long ago a time of an answer (RFC 3339) was; None when there is none."""
    from console.progress import duration

    if not isinstance(at, str) or not at:
        return None
    try:
        moment = datetime.fromisoformat(at).timestamp()
    except ValueError:
        return at
    return duration(time.time() - moment)


def seconds(value: Any) -> str | None:
    """A duration (s) in one unit; None when there is none."""
    from console.progress import duration

    if value is None:
        return None
    return duration(value) if value >= 10 else f"{value:.3g} s" if value >= 1 or not value else f"{value * 1000:.3g} ms"


def size(value: Any) -> str | None:
    """Bytes in one unit; None when there are none to tell of."""
    if value is None:
        return None
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(value) < 1024:
            return f"{value:.0f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"


def flat(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested names in one: {"jobs": {"queued": 1}} is ("jobs queued", 1)."""
    for name, inner in value.items():
        full = f"{prefix}{name}".replace("_", " ")
        if isinstance(inner, Mapping):
            yield from flat(inner, f"{full} ")
        else:
            yield full, inner
