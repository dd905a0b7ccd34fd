"""deep-river's LSTM on a stream, in an environment of its own: it needs torch, and another release of river.

``PYTHON torch_peer.py``, with ``{"label": ..., "seed": ..., "events": [[x, y], ...]}`` at standard input, prints the mean error; the first event is not counted.
Its defaults, but Adam for both tasks and a window of 16 events, as long as ours; features, and targets that are numbers, are standardised by river.
"""

from __future__ import annotations

import json
import sys
from typing import Any


def make(label: bool, seed: int, features: int) -> Any:
    """Return a classifier or a regressor."""
    import torch  # noqa: PLC0415  only here
    from deep_river.classification.zoo import LSTMClassifier  # noqa: PLC0415
    from deep_river.regression.zoo import LSTMRegressor  # noqa: PLC0415
    from river import preprocessing  # noqa: PLC0415

    torch.set_num_threads(1)
    kind = LSTMClassifier if label else LSTMRegressor
    net = kind(n_features=features, window_size=16, optimizer_fn="adam", seed=seed)
    return preprocessing.StandardScaler() | (net if label else preprocessing.TargetStandardScaler(net))


def main() -> None:
    """Read a stream, print the error."""
    asked = json.load(sys.stdin)
    events = asked["events"]
    model = make(asked["label"], asked["seed"], len(events[0][0]))
    lost = 0.0
    for i, (x, y) in enumerate(events):
        found = model.predict_one(x)
        if i > 0:
            lost += float(found != y) if asked["label"] else abs(float(found) - y)
        model.learn_one(x, y)
    print(lost / (len(events) - 1))


if __name__ == "__main__":
    main()
