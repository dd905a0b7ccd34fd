"""Zones that are written behind times, by their names."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["ZONES", "offset_of"]

_HOURS = {
    "UTC": 0, "GMT": 0, "WET": 0, "BST": 1, "WEST": 1, "CET": 1, "MEZ": 1, "CEST": 2, "MESZ": 2, "EET": 2, "EEST": 3, "MSK": 3, "JST": 9, "KST": 9, "AEST": 10,
    "AEDT": 11, "NZST": 12, "NZDT": 13, "EDT": -4, "EST": -5, "CDT": -5, "CST": -6, "MDT": -6, "MST": -7, "PDT": -7, "PST": -8, "AKDT": -8, "AKST": -9, "HST": -10,
}  # fmt: skip

ZONES = "|".join(sorted(_HOURS, key=len, reverse=True)) + "|[A-Z][a-z]+/[A-Z][A-Za-z_]+"
"""What a pattern of times knows as zones."""


def offset_of(zone: str | None, moment: datetime) -> str:
    """Return the offset of a zone, as ISO 8601 writes it; ``""`` where there is none.

    Parameters
    ----------
    zone
        As it is written.
    moment
        The local time, which decides on summer time.

    Raises
    ------
    ValueError
        When it is not known.
    """
    if not zone:
        return ""
    if zone[0] in "+-":
        digits = zone[1:].removesuffix(" UTC").replace(":", "")
        return f"{zone[0]}{digits[:2]}:{digits[2:] or '00'}"
    if "/" not in zone:
        hours = _HOURS.get(zone.upper(), 0)
        return f"{'-' if hours < 0 else '+'}{abs(hours):02}:00"
    try:
        offset = ZoneInfo(zone).utcoffset(moment) or timedelta()
    except (ZoneInfoNotFoundError, OSError):
        raise ValueError(f"there is no zone called {zone}") from None
    minutes = round(offset.total_seconds() / 60)
    return "{}{:02}:{:02}".format("-" if minutes < 0 else "+", *divmod(abs(minutes), 60))
