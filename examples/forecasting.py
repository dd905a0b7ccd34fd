"""Forecasting: the water flow of the next 24 hours, at every hour.

``python examples/forecasting.py`` prints the mean absolute error by hours ahead, beside two simple forecasts. The rows are
aligned by hand: what was forecast of y[t + k] before y[t] was learned is compared with y[t + k].
"""

from __future__ import annotations

import math

import numpy as np
from river.datasets import WaterFlow

from streamrnn import RNNForecaster

HORIZON = 24
START = 300  # hours at the beginning that are not counted, for all three


def main() -> None:
    """Forecast before each value, learn it, and compare."""
    events = list(WaterFlow())  # type: ignore[no-untyped-call]
    flow = np.array([y for _, y in events])
    angles = [x["Time"].hour * math.pi / 12 for x, _ in events]
    clock = np.array([[math.sin(angle), math.cos(angle)] for angle in angles])

    net = RNNForecaster(horizon=HORIZON, seed=1).progressive_many(flow, clock)

    print(f"mean absolute error in l/s, hours {START} to {len(flow)}")
    print("hours ahead      net   last value   same hour yesterday")
    for ahead in (1, 2, 6, 12, 24):
        times = np.arange(START, len(flow) - ahead + 1)
        true = flow[times + ahead - 1]
        errors = [
            np.abs(forecast - true).mean()
            for forecast in (net[times, ahead - 1], flow[times - 1], flow[times + ahead - 1 - 24])
        ]
        print("{:11d} {:8.2f} {:12.2f} {:21.2f}".format(ahead, *errors))


if __name__ == "__main__":
    main()
