"""A topic into any river model: ``python examples/kafka_plain.py localhost:9092 flow``. Ctrl-C ends it."""

from __future__ import annotations

import sys

from river.anomaly import HalfSpaceTrees

from streamrnn_kafka import KafkaSource


def main(servers: str, topic: str) -> None:
    """Score every event of the topic; a restart goes on behind the last commit."""
    model = HalfSpaceTrees(seed=1)
    with KafkaSource.from_topics(topic, servers=servers, group="plain", columns=["flow"]) as source:
        for n, event in enumerate(source, 1):
            score = model.score_one(event.x)  # type: ignore[no-untyped-call]
            model.learn_one(event.x)  # type: ignore[no-untyped-call]
            print(f"{event.position} {event.x['flow']:g} {score:.3f}", flush=True)
            if n % 100 == 0:
                source.commit()


if __name__ == "__main__":
    main(*sys.argv[1:3])
