"""When a parameter is as it must be: the tests behind the table's words that take more than a line."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Hashable, Mapping
from typing import Any

import numpy as np

from streamrnn.models._maintenance import is_windows
from streamrnn.models._policy import OF_FEATURES, is_policy, per_second

__all__ = [
    "are_counters",
    "is_alarm_rate",
    "is_by_feature",
    "is_day",
    "is_maintenance",
    "is_rate",
    "is_window",
    "whole",
]


def whole(low: int, high: int) -> Callable[[Any, Mapping[str, Any]], bool]:
    """Return what tells whether a value is an int within bounds.

    Parameters
    ----------
    low, high
        The bounds, themselves allowed.
    """

    def ok(value: Any, _: Mapping[str, Any]) -> bool:
        return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(low <= value <= high)

    return ok


def is_rate(value: Any, given: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """Tell whether a learning rate is one, or None.

    Parameters
    ----------
    value
        Of the parameter.
    given
        All parameters by name.
    """
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return value is None or (real and 0 < value < math.inf)


def is_day(value: Any) -> bool:
    """Tell whether a value is a date as text.

    Parameters
    ----------
    value
        Anything.

    Examples
    --------
    >>> from streamrnn.models._parameter_rules import is_day
    >>> is_day("2024-12-25"), is_day("25.12.")
    (True, False)
    """
    try:
        return isinstance(value, str) and dt.date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def is_alarm_rate(value: Any, given: Mapping[str, Any]) -> bool:
    """Tell whether an alarm rate is one: a share, or with a time a text.

    Parameters
    ----------
    value
        Of the parameter.
    given
        All parameters by name.
    """
    if isinstance(value, str):
        return per_second(value) > 0.0 and given.get("time") is not None
    return is_rate(value, given) and value is not None and bool(1e-5 <= value <= 0.5)


def is_maintenance(value: Any, given: Mapping[str, Any]) -> bool:
    """Tell whether a maintenance is one: a feature, or with a time weekly times.

    Parameters
    ----------
    value
        Of the parameter.
    given
        All parameters by name.
    """
    if value is None:
        return True
    if is_windows(value):
        return given.get("time") is not None
    apart = (given.get("key"), given.get("time"))
    return not isinstance(value, list | tuple) and isinstance(value, Hashable) and value not in apart


def are_counters(value: Any, given: Mapping[str, Any]) -> bool:
    """Tell whether counters are names that differ, of features.

    Parameters
    ----------
    value
        Of the parameter.
    given
        All parameters by name.
    """
    if value is None:
        return True
    if not isinstance(value, list | tuple) or not all(isinstance(name, Hashable) for name in value):
        return False
    apart = (given.get("key"), given.get("time"), given.get("maintenance"))
    return len(set(value)) == len(value) and not any(name is not None and name in apart for name in value)


def is_by_feature(value: Any, given: Mapping[str, Any]) -> bool:  # noqa: ARG001
    """Tell whether what differs for features is a policy of each.

    Parameters
    ----------
    value
        Of the parameter.
    given
        All parameters by name.
    """
    if value is None:
        return True
    tables = list(value.values()) if isinstance(value, Mapping) else [None]
    return all(
        isinstance(table, Mapping) and all(name in OF_FEATURES and is_policy(name, one) for name, one in table.items())
        for table in tables
    )


def is_window(value: Any, given: Mapping[str, Any]) -> bool:
    """Tell whether a window is one; None where there is a rule for it.

    Parameters
    ----------
    value
        Of the parameter.
    given
        All parameters by name.
    """
    ruled = "expectation" in given or "autoregressive" in given
    return (value is None and ruled) or whole(1, 65536)(value, given)
