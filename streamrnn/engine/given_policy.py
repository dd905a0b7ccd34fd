"""What ``streamrnn replay`` is told of alarms on its command line, as the options of ``[alarm]``."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from streamrnn.config import Alarm
from streamrnn.errors import UsageError
from streamrnn.scorers.check_alarm import maintenance_column

__all__ = ["by_time", "number_or_text", "policy_options"]


def number_or_text(text: float | str | None) -> float | str | None:
    """Return a number where a text is one, else the text: what it may be is the check's business.

    Parameters
    ----------
    text
        Of the command line.

    Examples
    --------
    >>> from streamrnn.engine.given_policy import number_or_text
    >>> number_or_text("0.01"), number_or_text("2/day")
    (0.01, '2/day')
    """
    try:
        return None if text is None else float(text)
    except ValueError:
        return text


def by_time(rate: float | str | None, maintenance: Sequence[str]) -> bool:
    """Tell whether the model must see the time of events.

    Parameters
    ----------
    rate
        Of alarms.
    maintenance
        As given, each.
    """
    rated = isinstance(number_or_text(rate), str)
    return rated or bool(maintenance and maintenance_column(Alarm(maintenance=_maintenance(maintenance))) is None)


def _maintenance(texts: Sequence[str]) -> str | tuple[str, ...]:
    return texts[0] if len(texts) == 1 else tuple(texts)


def _range(text: str) -> list[float]:
    low, colon, high = text.partition(":")
    try:
        pair = [float(low) if low else -math.inf, float(high) if high else math.inf]
    except ValueError:
        pair = []
    if not colon or not pair:
        raise UsageError(f"--valid-range must be LOW:HIGH, LOW: or :HIGH, or COLUMN=LOW:HIGH. Got {text!r} instead.")
    return pair


READ: dict[str, Callable[[str], Any]] = {
    "direction": str,
    "min_deviation": number_or_text,
    "valid_range": _range,
}
"""What may be said of a column alone, and how it is read."""


def policy_options(
    direction: Sequence[str], min_deviation: Sequence[str], valid_range: Sequence[str], maintenance: Sequence[str]
) -> dict[str, Any]:
    """Return the options of ``[alarm]`` that were given; None for those that were not.

    Parameters
    ----------
    direction, min_deviation, valid_range
        Each text is of all columns, or behind ``COLUMN=`` of one.
    maintenance
        A column, or weekly times.

    Raises
    ------
    UsageError
        When a range is none.

    Examples
    --------
    >>> from streamrnn.engine.given_policy import policy_options
    >>> found = policy_options(["below", "flow=above"], [], ["flow=0:"], [])
    >>> found["direction"], found["by_feature"]
    ('below', {'flow': {'direction': 'above', 'valid_range': [0.0, inf]}})
    """
    common: dict[str, Any] = {}
    by_feature: dict[str, dict[str, Any]] = {}
    for name, texts in (("direction", direction), ("min_deviation", min_deviation), ("valid_range", valid_range)):
        for text in texts:
            column, given, value = text.rpartition("=")
            (by_feature.setdefault(column, {}) if given else common)[name] = READ[name](value)
    return {
        **common,
        "maintenance": _maintenance(maintenance) if maintenance else None,
        "by_feature": by_feature or None,
    }
