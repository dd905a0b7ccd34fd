"""Anomaly detection in a river pipeline: a scaler, a net that expects the next hour, and river's QuantileFilter.

``python examples/pipeline_anomalies.py`` prints the hours of a water main whose scores are among the highest 1 %.
The filter would keep what it finds from its detector (``protect_anomaly_detector``). A detector with memory must see
every event, or it goes on expecting what was due before the anomaly.
"""

from __future__ import annotations

from river import anomaly, preprocessing
from river.datasets import WaterFlow

from streamrnn import RNNAnomalyDetector

START = 200  # hours of learning only


def main() -> None:
    """Score each hour, then learn it; print the strongest."""
    detector = anomaly.QuantileFilter(RNNAnomalyDetector(seed=1), q=0.99, protect_anomaly_detector=False)
    model = preprocessing.StandardScaler() | detector
    found = []
    for hour, (x, flow) in enumerate(WaterFlow()):  # type: ignore[no-untyped-call]
        event = {"flow": flow}
        score = model.score_one(event)
        if hour >= START and detector.classify(score):  # type: ignore[no-untyped-call]
            found.append((score, x["Time"], flow))
        model.learn_one(event)
    print(f"{len(found)} of {hour + 1 - START} hours; the strongest:")
    for score, time, flow in sorted(sorted(found, reverse=True)[:8], key=lambda row: row[1]):
        print(f"  {time:%d %b %H:%M}  flow {flow:6.2f} l/s  score {score:.3f}")


if __name__ == "__main__":
    main()
