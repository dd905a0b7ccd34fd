"""Regression on a stream: the water flow of each hour, from the hour of the day and all that came before.

``python examples/regression.py`` prints the mean absolute error of the model, of its net alone, of a net that is not told the flows before,
and of repeating the last one.
"""

from __future__ import annotations

import math

from river.datasets import WaterFlow

from streamrnn import RNNRegressor


def main() -> None:
    """Predict each flow, then learn it."""
    models = {
        "the model": RNNRegressor(seed=1),
        "its net alone": RNNRegressor(experts=("net",), seed=1),
        "a net without the last flow": RNNRegressor(autoregressive=False, seed=1),
    }
    errors: dict[str, list[float]] = {name: [] for name in (*models, "the last value")}
    last = None
    for moment, flow in WaterFlow():  # type: ignore[no-untyped-call]
        hour = moment["Time"].hour * math.pi / 12.0
        x = {"sin": math.sin(hour), "cos": math.cos(hour)}
        for name, model in models.items():
            predicted = model.predict_one(x)  # asking changes nothing
            model.learn_one(x, flow)  # the state moves on, the weights learn
            if last is not None:
                errors[name].append(abs(flow - predicted))
        if last is not None:
            errors["the last value"].append(abs(flow - last))
        last = flow
    print("mean absolute error in l/s    first half   second half")
    half = len(errors["the last value"]) // 2
    for label, row in errors.items():
        print(f"  {label:26}  {sum(row[:half]) / half:10.3f} {sum(row[half:]) / (len(row) - half):13.3f}")


if __name__ == "__main__":
    main()
