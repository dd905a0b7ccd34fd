"""What an operator says of alarms: read, checked, and written where the detector's kernel finds it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.anomaly import policy

__all__ = ["OF_FEATURES", "is_policy", "least_deviation", "per_second", "write_policies"]

SIDES: Final = {"both": policy.EITHER_SIDE, "above": 1.0, "below": -1.0}
UNITS: Final = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86400.0, "week": 604800.0}
OF_FEATURES: Final = ("direction", "min_deviation", "valid_range")
"""What may be said of one feature alone."""

_RATE: Final = re.compile(rf"(\d+(?:\.\d+)?)\s*/\s*({'|'.join(UNITS)})", re.ASCII)
_SHARE: Final = re.compile(r"(\d+(?:\.\d+)?)\s*%", re.ASCII)


def _is_number(value: Any) -> bool:
    """Tell whether a value is a number, infinity among them.

    Parameters
    ----------
    value
        Anything.
    """
    real = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return real and not math.isnan(value)


def per_second(rate: Any) -> float:
    """Return how many alarms a second a rate by time is; NaN where it is none.

    Parameters
    ----------
    rate
        Anything.

    Examples
    --------
    >>> from streamrnn.models._policy import per_second
    >>> per_second("2/day") * 86400, per_second("36/hour"), per_second("2/fortnight"), per_second(0.01)
    (2.0, 0.01, nan, nan)
    """
    found = _RATE.fullmatch(rate.strip()) if isinstance(rate, str) else None
    number = float(found[1]) / UNITS[found[2]] if found else 0.0
    return number if 0.0 < number < math.inf else math.nan


def least_deviation(given: Any) -> tuple[float, float]:
    """Return the least deviation in units, and as a share of what was expected; NaN where it is neither.

    Parameters
    ----------
    given
        A number, or a share as text.

    Examples
    --------
    >>> from streamrnn.models._policy import least_deviation
    >>> least_deviation(5), least_deviation("10%"), least_deviation("ten")
    ((5.0, 0.0), (0.0, 0.1), (nan, nan))
    """
    if _is_number(given) and 0.0 <= given < math.inf:
        return float(given), 0.0
    found = _SHARE.fullmatch(given.strip()) if isinstance(given, str) else None
    return (0.0, float(found[1]) / 100.0) if found else (math.nan, math.nan)


def is_policy(name: str, value: Any) -> bool:
    """Tell whether a value may be said of features under a name of :data:`OF_FEATURES`.

    Parameters
    ----------
    name, value
        Of the setting.

    Examples
    --------
    >>> from streamrnn.models._policy import is_policy
    >>> is_policy("direction", "above"), is_policy("valid_range", (5, 0)), is_policy("min_deviation", "10%")
    (True, False, True)
    """
    if name == "direction":
        return isinstance(value, str) and value in SIDES
    if name == "min_deviation":
        return not math.isnan(least_deviation(value)[0])
    pair = value is None or (isinstance(value, list | tuple) and len(value) == 2 and all(map(_is_number, value)))
    return pair and (value is None or bool(value[0] < value[1]))


def write_policies(
    rows: NDArray[np.float64],
    names: Sequence[Any],
    common: Mapping[str, Any],
    by_feature: Mapping[Any, Any] | None,
    counters: Sequence[Any] = (),
) -> None:
    """Write what is said of each feature.

    Parameters
    ----------
    rows
        float64, shape (F, 8): written to.
    names
        Of the features.
    common
        What is said of all, by the names of :data:`OF_FEATURES`.
    by_feature
        What is said of some of them otherwise; None: nothing.
    counters
        Those of which the increase is watched.
    """
    for row, name in zip(rows, names, strict=True):
        said = {**common, **(by_feature or {}).get(name, {})}
        lowest, highest = said["valid_range"] or (-math.inf, math.inf)
        least = least_deviation(said["min_deviation"])
        row[[policy.SIDE, policy.MIN_UNITS, policy.MIN_SHARE]] = SIDES[said["direction"]], *least
        row[[policy.LOWEST, policy.HIGHEST, policy.IS_COUNTER]] = lowest, highest, name in counters
