"""What the picture of a forecast is drawn from."""

from __future__ import annotations

from collections import deque
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Forecast
from streamrnn.engine.monitor import Summary
from streamrnn.io import Block
from streamrnn.scorers.scored import Scored

__all__ = ["ForecastSummary"]

SHOWN: Final = 6  # horizons of history in the picture, at least SHOWN_LEAST events
SHOWN_LEAST: Final = 60


class ForecastSummary:
    """Keeps what the picture of a forecast needs of the first series of a run; an observer of the runtime.

    Parameters
    ----------
    settings
        Horizon and level.
    """

    def __init__(self, settings: Forecast) -> None:
        self.settings = settings
        self.names: tuple[str, ...] = ()
        self.key: str | None = None
        self.events = 0
        size = settings.horizon + max(SHOWN * settings.horizon, SHOWN_LEAST)
        self.values: deque[NDArray[np.float64]] = deque(maxlen=size)
        self.times: deque[Any] = deque(maxlen=size)
        self.forecasts: deque[NDArray[np.float64]] = deque(maxlen=settings.horizon + 1)

    def __call__(self, block: Block, scored: Scored, _: Summary) -> None:
        """Take in a block."""
        if scored.forecasts is None or not len(block):
            return
        if not self.names:
            self.names, self.key = block.names, block.keys[0] if block.keys else None
        for i in range(len(block)):
            if block.names == self.names and (block.keys is None or block.keys[i] == self.key):
                self.events += 1
                self.values.append(block.values[i])
                self.times.append(block.times[i] if block.times is not None else None)
                self.forecasts.append(scored.forecasts[i])
