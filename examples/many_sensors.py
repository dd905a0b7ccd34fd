"""Many sensors on one stream: a hidden state for each, weights for all.

``python examples/many_sensors.py`` prints two comparisons of a model with ``key="sensor"`` and one that takes all events for one stream, which come
in any order. The first: the error of a net that is asked for the value a sensor had one event earlier. The second: the alarms of a detector when
a sensor shows, for one event, what is usual for another one.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator
from typing import Any

from river import evaluate, metrics

from streamrnn import RNNAnomalyDetector, RNNRegressor

SENSORS, EVENTS = 40, 20_000
FAULTS = {16_000: 5, 17_500: 17, 19_000: 31}  # event: the sensor that is wrong then


def stream() -> Iterator[tuple[dict[Hashable, Any], float]]:
    """Yield a value of some sensor; the target is the same sensor's value before."""
    rng = random.Random(1)  # noqa: S311
    before = dict.fromkeys(range(SENSORS), 0.0)
    for _ in range(EVENTS):
        sensor, value = rng.randrange(SENSORS), rng.uniform(-1.0, 1.0)
        yield {"sensor": sensor, "value": value}, before[sensor]
        before[sensor] = value


def levels() -> Iterator[dict[Hashable, Any]]:
    """Yield a level of some sensor: each has its own, but for a little noise. A faulty one shows that of the tenth sensor behind it."""
    rng = random.Random(2)  # noqa: S311
    for i in range(EVENTS):
        sensor = FAULTS.get(i, rng.randrange(SENSORS))
        shown = (sensor + 10) % SENSORS if i in FAULTS else sensor
        yield {"sensor": sensor, "level": shown + rng.gauss(0.0, 0.3)}


def main() -> None:
    """Show the same events to both nets, then to both detectors."""
    print(f"mean absolute error, {SENSORS} sensors, {EVENTS} events (0.5: nothing known of the past)")
    for key in (None, "sensor"):
        model = RNNRegressor(key=key, seed=1)
        error = evaluate.progressive_val_score(stream(), model, metrics.MAE())  # type: ignore[no-untyped-call]
        print(f"  key={key!r}:".ljust(16), f"{error.get():.3f}   {model.memory_usage():>8,} bytes")
    print(f"\nalarms at a rate of one in a thousand, {len(FAULTS)} sensors faulty for one event each")
    for key in (None, "sensor"):
        detector = RNNAnomalyDetector(key=key, alarm_rate=0.001, memory=200, seed=1)
        found, others = [], 0
        for i, event in enumerate(levels()):
            x = event if key else {"level": event["level"]}
            why = detector.explain_one(x)
            detector.learn_one(x)
            if i in FAULTS and why["alarm"]:
                low, high = (why["features"]["level"][name] for name in ("low", "high"))
                found.append(f"sensor {event['sensor']} at {event['level']:.1f}, expected {low:.1f} to {high:.1f}")
            others += why["alarm"] and i not in FAULTS
        print(f"  key={key!r}:".ljust(16), f"{len(found)} faults, {others} other alarms")
        for one in found:
            print(f"    {one}")


if __name__ == "__main__":
    main()
