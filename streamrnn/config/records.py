"""What of ``[source]`` is the same for every connector: how its records become events."""

from __future__ import annotations

import math
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamrnn.config.rules import nearest
from streamrnn.errors import ConfigError

__all__ = ["Records", "seconds"]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])", re.ASCII)
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def seconds(duration: float | str | None) -> float:
    """Return a duration in seconds: a number, or one with its unit; NaN where it is neither.

    Parameters
    ----------
    duration
        ``90``, ``"90s"``, ``"1.5m"``, ``"6h"`` or ``"2d"``.

    Examples
    --------
    >>> from streamrnn.config.records import seconds
    >>> seconds(90), seconds("1.5m"), seconds("2d"), seconds("soon")
    (90.0, 90.0, 172800.0, nan)
    """
    if isinstance(duration, int | float):
        return float(duration)
    found = _DURATION.fullmatch(duration or "")
    return float(found[1]) * _UNITS[found[2]] if found else math.nan


def _check_zone(name: str | None) -> None:
    if name is None:
        return
    import zoneinfo  # noqa: PLC0415  (looks through folders)

    try:
        zoneinfo.ZoneInfo(name)
    except (ValueError, OSError, zoneinfo.ZoneInfoNotFoundError):
        known = zoneinfo.available_timezones()
        hint = nearest(name, known) if known else "This system has no tz database: pip install tzdata."
        hint = "Known are those of the tz database." if hint.startswith("Known") else hint
        raise ConfigError(f"[source] zone: there is no zone {name!r}, such as Europe/Berlin. {hint}") from None


class Records(msgspec.Struct, frozen=True, kw_only=True):
    """``[source]``, whatever the connector: how its records become events.

    Parameters
    ----------
    zone
        The zone of times that are written without one, by its name in the tz database. None: UTC.
    every
        Length of a window, in seconds or with a unit. None: each record is an event.
    aggregate
        What becomes of the records of a window.
    lateness
        How long a window waits for records that come late, by the times of records.

    Examples
    --------
    >>> from streamrnn.config import Records
    >>> Records(every="5m").every_s, Records().windows
    (300.0, False)
    """

    zone: Annotated[
        str | None,
        Meta(
            description="Zone of times that are written without one, such as Europe/Berlin. The hour that comes twice in autumn is told apart "
            "by the order of a key's records. Unset: they count as UTC."
        ),
    ] = None
    every: Annotated[
        float | str | None,
        Meta(
            description="Records of this length by the time of records, instead of records: seconds, or '90s', '1m', '6h', '2d'. A "
            "window ends once a later record says so, never by the clock. Unset: each record is an event."
        ),
    ] = None
    aggregate: Annotated[
        Literal["count", "sum", "mean", "max", "last"],
        Meta(
            description="With 'every': what becomes of the records of a window and key. count: one column, 'count', 0 where none came; the "
            "others: of each column, missing where none came."
        ),
    ] = "count"
    lateness: Annotated[
        float | str,
        Meta(
            description="With 'every': how much longer a window waits for late records, by the time of records. Those that come later "
            "still are counted and passed over. As 'every'."
        ),
    ] = 0.0

    @property
    def windows(self) -> bool:
        """Whether there are windows."""
        return self.every is not None

    @property
    def every_s(self) -> float:
        """``every`` in seconds."""
        return seconds(self.every)

    @property
    def lateness_s(self) -> float:
        """``lateness`` in seconds."""
        return seconds(self.lateness)

    def __post_init__(self) -> None:
        _check_zone(self.zone)
        if self.every is not None and not 1e-3 <= self.every_s < 1e9:
            raise ConfigError(
                f"[source] every: must be seconds >= 0.001, or a number with s, m, h or d, such as '1m'. Got {self.every!r} instead."
            )
        if not 0 <= self.lateness_s < 1e9:
            raise ConfigError(
                f"[source] lateness: must be seconds >= 0, or a number with s, m, h or d, such as '30s'. Got {self.lateness!r} instead."
            )
        if self.every is None and (self.aggregate != "count" or self.lateness_s > 0):
            name = "lateness" if self.aggregate == "count" else "aggregate"
            raise ConfigError(f"[source] {name}: is about windows, and there are none. Set every as well.")
