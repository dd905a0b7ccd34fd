"""Regression on a stream: by how much the water flow changes within the next hour, from all that came before.

``python examples/regression.py`` prints the mean absolute error of a net, and that of expecting no change. Where the last
value is hard to beat, the change is the better target: a net that has learned nothing yet then repeats the last value.
"""

from __future__ import annotations

from river.datasets import WaterFlow

from streamrnn import RNNRegressor


def main() -> None:
    """Predict each change from the hour before it, then learn it."""
    model = RNNRegressor(seed=1)
    errors, changes = [], []
    flows = [flow for _, flow in WaterFlow()]  # type: ignore[no-untyped-call]
    for before, now, after in zip(flows, flows[1:], flows[2:], strict=False):
        x, y = {"flow": now, "change": now - before}, after - now
        errors.append(abs(y - model.predict_one(x)))  # asking changes nothing
        model.learn_one(x, y)  # the state moves on, the weights learn
        changes.append(abs(y))
    print("mean absolute error in l/s    first half   second half")
    half = len(errors) // 2
    for label, row in (("the net", errors), ("the last value", changes)):
        print(f"  {label:26}  {sum(row[:half]) / half:10.3f} {sum(row[half:]) / (len(row) - half):13.3f}")


if __name__ == "__main__":
    main()
