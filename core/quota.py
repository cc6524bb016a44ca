"""The day a picture is charged to, and when the next one begins, in a plan's time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

#: A clock that was set back by more was wrong before, and is believed now.
SET_BACK_S_MAX = 6 * 3600.0


def never_before(latest: float, wall: float) -> float:
    """The moment whose day is charged: now, but not before the latest one that was charged (Unix seconds).

    A clock that is set back over midnight would else give everybody yesterday's pictures once more.
    """
    return latest if wall < latest <= wall + SET_BACK_S_MAX else wall


def day_of(wall: float, timezone: str) -> str:
    """The local calendar day ("2026-11-24") at `wall` (Unix seconds)."""
    return datetime.fromtimestamp(wall, ZoneInfo(timezone)).date().isoformat()


def resets_at(wall: float, timezone: str) -> float:
    """Unix seconds of the next local midnight after `wall`; right also on days of 23 or 25 hours."""
    zone = ZoneInfo(timezone)
    tomorrow = datetime.fromtimestamp(wall, zone).date() + timedelta(days=1)
    midnight = datetime(tomorrow.year, tomorrow.month, tomorrow.day, tzinfo=zone)
    return midnight.astimezone(UTC).timestamp()
