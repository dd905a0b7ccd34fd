"""What is said of events to come, after each event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Forecast
from streamrnn.errors import StateError

__all__ = [
    "HIGH",
    "LOW",
    "MIDDLE",
    "forecast_block",
    "forecaster_bytes",
    "forecaster_from",
    "levels_of",
    "new_forecaster",
]

LOW, LOW_HALF, MIDDLE, HIGH_HALF, HIGH = range(5)


def new_forecaster(settings: Forecast, time: str | None = None) -> Any:
    """Return the forecaster of one series; one with ``time`` sees the gaps between events."""
    from streamrnn import RNNForecaster  # noqa: PLC0415  (imports river's time series, two seconds)

    return RNNForecaster(horizon=settings.horizon, time=time)


def forecaster_bytes(forecaster: Any) -> bytes:
    """Return a forecaster as bytes, whatever the model beside it is written by."""
    from streamrnn import dumps  # noqa: PLC0415

    return dumps(forecaster)


def forecaster_from(data: bytes, settings: Forecast, time: str | None = None) -> Any:
    """Return what :func:`forecaster_bytes` wrote.

    Raises
    ------
    StateError
        When it is something else.
    """
    from streamrnn import loads  # noqa: PLC0415

    found = loads(data)
    if type(found).__name__ != "RNNForecaster" or (found.horizon, found.time) != (settings.horizon, time):
        raise StateError("The snapshot's forecaster is none of this configuration.")
    return found


def levels_of(settings: Forecast) -> tuple[float, ...]:
    """Return the four quantiles of the bands: of the level asked for, and of one half, from low to high.

    Examples
    --------
    >>> from streamrnn.config import Forecast
    >>> from streamrnn.scorers.forecast import levels_of
    >>> levels_of(Forecast(level=0.5))
    (0.25, 0.25, 0.75, 0.75)
    """
    out, inner = 0.5 - settings.level / 2, min(0.25, 0.5 - settings.level / 4)
    inner = max(inner, out)
    return out, inner, 1.0 - inner, 1.0 - out


def forecast_block(
    model: Any,
    settings: Forecast,
    names: tuple[str, ...],
    values: NDArray[np.float64],
    skip: Sequence[int] = (),
    times: NDArray[np.float64] | None = None,
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
    times
        Of the events, in seconds, for a forecaster that sees them.

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
        model.learn_one(dict(zip(names, row, strict=True)), None if times is None else {model.time: times.item(i)})
        for h, step in enumerate(model.forecast(H)):
            for c, name in enumerate(names):
                if name in step:
                    found[i, h, c, MIDDLE] = step[name]
        for h, step in enumerate(model.forecast_quantiles(H, levels)):
            for c, name in enumerate(names):
                if name in step:
                    found[i, h, c, [LOW, LOW_HALF, HIGH_HALF, HIGH]] = [step[name][level] for level in levels]
    return found
