"""Words: figures, times and states in the few characters that a cell has. Pure; `now` is Unix time in seconds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

BARS = "▁▂▃▄▅▆▇"
#: Eighths of a cell, from nothing to all of it.
EIGHTHS = " ▁▂▃▄▅▆▇█"
#: The sign beside each colour of trouble: yellow needs a look, red needs a hand.
SIGNS = {"yellow": "▲", "red": "●", "": " "}
NOTHING = "-"
#: How grave the state of an account is.
HEALTH = {"up": "", "degraded": "yellow", "paused": "red", "exhausted": "red", "suspended": "red"}
#: Causes that are an operator's own doing, and no emergency.
WANTED = frozenset({"operator", "drain"})
#: Why nothing is begun or taken in, when an operator wants it so (docs/ADMIN.md, "status").
WANTED_INTAKE = frozenset({"paused", "draining"})
#: How grave the state of a job is.
FATES = {"failed": "red", "undecided": "yellow", "cancelled": "", "done": ""}
MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0


def number(value: Any) -> str:
    """1,204 · 10.4 · 0.32; what is absent or no number is a dash."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return NOTHING
    if isinstance(value, int) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 1 or value == 0 else f"{value:.2f}"


def span(seconds: Any) -> str:
    """3.2 s · 38 s · 2.1 m · 4.5 h · 2 d 4 h."""
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return NOTHING
    seconds = max(0.0, float(seconds))
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * MINUTE:
        return f"{seconds / MINUTE:.1f} m"
    if seconds < 36 * HOUR:
        return f"{seconds / HOUR:.1f} h"
    return f"{int(seconds // DAY)} d {int(seconds % DAY // HOUR)} h"


def size(count: Any) -> str:
    """Bytes: 512 B · 1.5 MiB · 210 GiB."""
    if isinstance(count, bool) or not isinstance(count, int | float):
        return NOTHING
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if value >= 100 or unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TiB"


def moment(text: Any) -> float | None:
    """Unix time of RFC 3339; numbers are Unix time already; None when it is neither."""
    if isinstance(text, int | float) and not isinstance(text, bool):
        return float(text)
    try:
        return datetime.fromisoformat(str(text)).timestamp()
    except ValueError:
        return None


def clock(text: Any, fine: bool = False) -> str:
    """The time of day, here: 14:03:07; `fine`: 14:03:07.250."""
    at = moment(text)
    if at is None:
        return NOTHING
    here = datetime.fromtimestamp(at, UTC).astimezone()
    return here.strftime("%H:%M:%S") + (f".{here.microsecond // 1000:03}" if fine else "")


def age(text: Any, now: float) -> str:
    """How long ago."""
    at = moment(text)
    return span(now - at) if at is not None else NOTHING


def line(value: Any) -> str:
    """Any value on one line, without what would move the cursor of a terminal."""
    if value is None:
        return NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return number(value)
    if isinstance(value, Mapping):
        return "  ".join(f"{name} {line(inner)}" for name, inner in value.items() if inner is not None) or NOTHING
    if isinstance(value, list | tuple):
        return ", ".join(line(inner) for inner in value) or NOTHING
    return "".join(each if each.isprintable() else " " for each in " ".join(str(value).split()))


def spark(values: Sequence[float | None], width: int) -> str:
    """The last values as bars from nothing to their most, a blank where there is none; shorter while there are few."""
    shown = list(values)[-width:] if width > 0 else []
    most = max((value for value in shown if value is not None), default=0.0) or 1.0
    top = len(BARS) - 1
    return "".join(" " if each is None else BARS[min(top, int(max(0.0, each) / most * top + 0.5))] for each in shown)


def chart(values: Sequence[float | None], width: int, height: int) -> list[str]:
    """The last values as columns of `height` lines, the newest at the right; the most fills them.

    Nothing is a line at the bottom; what is not known is blank.
    """
    shown = list(values)[-width:] if width > 0 else []
    most = max((value for value in shown if value is not None), default=0.0) or 1.0
    full = len(EIGHTHS) - 1
    tall = [0 if each is None else max(1, round(each / most * height * full)) for each in shown]
    rows = ("".join(EIGHTHS[min(full, max(0, each - row * full))] for each in tall) for row in reversed(range(height)))
    return [row.rjust(width) for row in rows]


def bar(part: Any, whole: Any, width: int) -> str:
    """A part of a whole as a bar; empty when there is no whole."""
    if not isinstance(part, int | float) or not isinstance(whole, int | float) or whole <= 0 or width <= 0:
        return ""
    full = round(min(1.0, max(0.0, part / whole)) * width)
    return "█" * full + "░" * (width - full)


def tone_of(account: Mapping[str, Any]) -> str:
    """How grave an account's state is. What an operator has wanted, to suspend or drain it, is worth a look."""
    tone = HEALTH.get(str(account.get("state")), "yellow")
    if tone and account.get("cause") in WANTED:
        return "yellow"
    return tone or ("yellow" if account.get("draining") else "")


def signed(tone: str, words: str) -> str:
    """The words behind the sign of their colour; without trouble there is no sign."""
    return f"{SIGNS[tone]} {words}" if tone else words


def matches(needle: str, *values: Any) -> bool:
    """Whether each word of the needle is in one of the values, capitals or not."""
    heap = " ".join(line(value) for value in values).casefold()
    return all(word in heap for word in needle.casefold().split())


def plural(count: Any, one: str) -> str:
    """1 drawing, 4 drawings."""
    return f"{number(count)} {one}{'' if count == 1 else 's'}"


def joined(parts: Iterable[str], between: str = " · ") -> str:
    """Those that say something."""
    return between.join(part for part in parts if part)
