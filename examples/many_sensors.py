"""Many sensors on one stream: a hidden state for each, weights for all.

Each of 40 sensors is asked for the value it had one event earlier, and their events come in any order. ``python
examples/many_sensors.py`` prints the error of a net with ``key="sensor"`` and of one that takes all for one stream.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator
from typing import Any

from river import evaluate, metrics

from streamrnn import RNNRegressor

SENSORS, EVENTS = 40, 20_000


def stream() -> Iterator[tuple[dict[Hashable, Any], float]]:
    """Yield a value of some sensor; the target is the same sensor's value before."""
    rng = random.Random(1)  # noqa: S311
    before = dict.fromkeys(range(SENSORS), 0.0)
    for _ in range(EVENTS):
        sensor, value = rng.randrange(SENSORS), rng.uniform(-1.0, 1.0)
        yield {"sensor": sensor, "value": value}, before[sensor]
        before[sensor] = value


def main() -> None:
    """Show the same events to both nets."""
    print(f"mean absolute error, {SENSORS} sensors, {EVENTS} events (0.5: nothing known of the past)")
    for key in (None, "sensor"):
        model = RNNRegressor(key=key, seed=1)
        error = evaluate.progressive_val_score(stream(), model, metrics.MAE())  # type: ignore[no-untyped-call]
        print(f"  key={key!r}:".ljust(16), f"{error.get():.3f}   {model.memory_usage():>8,} bytes")


if __name__ == "__main__":
    main()
