"""What is said of events to come, after each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Forecast

__all__ = ["HIGH", "LOW", "MIDDLE", "forecast_block", "levels_of", "new_forecaster"]

LOW, LOW_HALF, MIDDLE, HIGH_HALF, HIGH = range(5)


def new_forecaster(settings: Forecast) -> Any:
    """Return the forecaster of one series."""
    from streamrnn import RNNForecaster  # noqa: PLC0415  (imports river's time series, two seconds)

    return RNNForecaster(horizon=settings.horizon)


def levels_of(settings: Forecast) -> tuple[float, ...]:
    """Return the four quantiles of the bands: of the level asked for, and of one half, from low to high.

    Examples
    --------
    >>> from streamrnn.config import Forecast
    >>> from streamrnn.runtime.ahead import levels_of
    >>> levels_of(Forecast(level=0.5))
    (0.25, 0.25, 0.75, 0.75)
    """
    out, inner = 0.5 - settings.level / 2, min(0.25, 0.5 - settings.level / 4)
    inner = max(inner, out)
    return out, inner, 1.0 - inner, 1.0 - out


def forecast_block(
    model: Any, settings: Forecast, names: tuple[str, ...], values: NDArray[np.float64], skip: Sequence[int] = ()
) -> NDArray[np.float64]:
    """Learn row by row, and forecast behind each.

    Parameters
    ----------
    model
        From :func:`new_forecaster`.
    settings
        Horizon and level.
    names, values
        Channels, and float64 of shape (n, I).
    skip
        Rows that are no events.

    Returns
    -------
    array
        (n, horizon, I, 5): low, low half, forecast, high half, high; NaN where a channel has had no value.
    """
    H, levels = settings.horizon, levels_of(settings)
    found = np.full((len(values), H, len(names), 5), np.nan)
    for i, row in enumerate(values.tolist()):
        if i in skip:
            continue
        model.learn_one(dict(zip(names, row, strict=True)))
        for h, step in enumerate(model.forecast(H)):
            for c, name in enumerate(names):
                if name in step:
                    found[i, h, c, MIDDLE] = step[name]
        for h, step in enumerate(model.forecast_quantiles(H, levels)):
            for c, name in enumerate(names):
                if name in step:
                    found[i, h, c, [LOW, LOW_HALF, HIGH_HALF, HIGH]] = [step[name][level] for level in levels]
    return found
