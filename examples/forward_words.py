"""Pass words on events from a topic of their own on into the input of a run: ``python examples/forward_words.py localhost:9092 pump.words pump``.

A run with ``[model] feedback_memory`` takes words on earlier events from its input, since results are a function of that alone. Each record keeps its
key, and so comes to the partition of the events it speaks of. After a crash some are passed on twice; the same word on an event
counts once.
"""

from __future__ import annotations

import sys
from contextlib import closing

from kafka import KafkaConsumer, KafkaProducer


def forward(servers: str, words: str, into: str, *, endless: bool = True) -> int:
    """Pass on all words there are, and those to come if ``endless``; return how many."""
    passed = 0
    with (
        closing(
            KafkaConsumer(
                words,
                bootstrap_servers=servers,
                group_id=f"{into}.words",
                enable_auto_commit=False,
                auto_offset_reset="earliest",
            )
        ) as consumer,
        closing(KafkaProducer(bootstrap_servers=servers, acks="all")) as producer,
    ):
        while True:
            found = [one for records in consumer.poll(timeout_ms=1000).values() for one in records]
            sent = [producer.send(into, one.value, one.key, timestamp_ms=one.timestamp) for one in found]
            for one in sent:
                one.get(timeout=60)  # raises where it is not there
            consumer.commit()
            passed += len(found)
            if not found and not endless and consumer.assignment():
                return passed


if __name__ == "__main__":
    forward(*sys.argv[1:4])
