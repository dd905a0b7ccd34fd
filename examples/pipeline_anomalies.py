"""Anomalies behind river's transformers, with reasons, and with an operator who answers a day later.

``python examples/pipeline_anomalies.py`` watches the hourly flow of a water main, as a ratio to its running mean, and prints each alarm with what
decided it. The operator knows outages when he sees them. What he calls usual alarms less easily from then on.

No scaler is needed, and none does harm. River's ``QuantileFilter`` around the detector is not needed either: ``alarm_rate`` says how often it may
alarm. Where you use one, pass ``protect_anomaly_detector=False``: a detector with memory must see every event.
"""

from __future__ import annotations

from collections import deque
from typing import Any

from river import compose, preprocessing, stats
from river.datasets import WaterFlow

from streamrnn import RNNAnomalyDetector

LATER = 24  # hours until the operator answers
OUTAGE = 98.0  # l/s: below, something is wrong


def main() -> None:
    """Score each hour, learn it, hear what the operator says of an alarm a day ago; print all of it."""
    mean = stats.EWMean(0.01)
    ratio = compose.FuncTransformer(lambda x: {"flow": x["flow"], "ratio": x["flow"] / (mean.get() or x["flow"])})
    features: Any = ratio | preprocessing.StandardScaler()
    detector = RNNAnomalyDetector(alarm_rate=0.01, warm_up=60, seed=1)
    waiting: deque[tuple[int, dict[str, Any], bool]] = deque()
    alarms = taken_back = 0
    for hour, (time, flow) in enumerate(WaterFlow()):  # type: ignore[no-untyped-call]
        features.learn_one({"flow": flow})
        x = features.transform_one({"flow": flow})
        why = detector.explain_one(x)
        if why["alarm"]:
            alarms += 1
            waiting.append((hour + LATER, why, flow < OUTAGE))
            print(
                f"{time['Time']:%d %b %H:%M}  flow {flow:6.2f} l/s  score {why['score']:.3f}  {why['feature']}: {why['view']}"
            )
        detector.learn_one(x)
        mean.update(flow)
        while waiting and waiting[0][0] <= hour:
            _, said_of, outage = waiting.popleft()
            detector.correct(said_of["feature"], said_of["view"], feedback=outage)
            taken_back += not outage
    print(f"{alarms} alarms in {hour + 1} hours; the operator called {taken_back} of them usual")


if __name__ == "__main__":
    main()
