"""How much of the values an axis shows."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["span_of"]

MOST_WIDTHS: Final = 12.0
"""Widths of where most values lie, on either side of it, that are shown: a fault is, one reading of 2147483647 that would flatten all else is not."""

FEW: Final = 0.02
"""Share of the values on either side that is not among most."""


def span_of(values: NDArray[Any]) -> tuple[float, float]:
    """Return the lowest and the highest value that an axis shows; (inf, -inf) where there is none.

    Parameters
    ----------
    values
        float64, (n,); NaN and infinity are passed over.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.display.span import span_of
    >>> span_of(np.array([*range(100), 200.0])), span_of(np.array([*range(100), 1e9, np.inf]))[1] < 2000
    ((0.0, 200.0), True)
    """
    finite = values[np.isfinite(values)]
    if not len(finite):
        return math.inf, -math.inf
    low, high = float(finite.min()), float(finite.max())
    first, last = (float(one) for one in np.quantile(finite, [FEW, 1.0 - FEW]))
    reach = MOST_WIDTHS * (last - first)
    return (max(low, first - reach), min(high, last + reach)) if reach > 0.0 else (low, high)
