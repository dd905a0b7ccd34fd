"""Reading from outside the group: the input again, results, snapshots. Nothing is committed, no partition moves."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any, Self

from kafka import KafkaConsumer, TopicPartition
from kafka.errors import KafkaError

from streamrnn.errors import UnavailableError
from streamrnn.io import Poll
from streamrnn_kafka.connection import connect, translated
from streamrnn_kafka.names import name_of
from streamrnn_kafka.options import ConnectionOptions
from streamrnn_kafka.source import KafkaSource

__all__ = ["SOURCE_HEADER", "OutsideSource", "committed_records", "outside_consumer"]

SOURCE_HEADER = "streamrnn.source"
"""Header of a result: the partition that its event came from."""

SILENCE_S = 60.0
"""How long a topic that has more to give may be silent."""


def outside_consumer(options: ConnectionOptions, client_id: str) -> Any:
    """Return a consumer that belongs to no group and sees committed records only."""
    return connect(
        KafkaConsumer,
        options,
        client_id=client_id,
        auto_offset_reset="none",
        isolation_level="read_committed",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        fetch_max_wait_ms=50,
        metrics_enabled=False,
    )


class OutsideSource(KafkaSource):
    """The same input from its start to what is its end now, beside a run that may go on meanwhile.

    Parameters
    ----------
    options
        As for :class:`KafkaSource`.
    """

    def __enter__(self) -> Self:
        self._consumer = outside_consumer(self.options, self.member)
        self._announced = False
        try:
            if self.options.pattern is None:
                self._check_topics(self.options.topics)
            partitions = [
                TopicPartition(topic, i)
                for topic in self._topics()
                for i in sorted(self._consumer.partitions_for_topic(topic) or ())
            ]
            self._consumer.assign(partitions)
            for one in partitions:
                self._place(one, self._first(one))
            self._ends = {one: self._ask(self._consumer.end_offsets, one) for one in partitions}
        except BaseException:
            self.__exit__()
            raise
        return self

    def _topics(self) -> list[str]:
        if self.options.pattern is None:
            return list(self.options.topics)
        return sorted(topic for topic in self._consumer.topics() if re.match(self.options.pattern, topic))

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` events; the first poll announces all partitions and brings none."""
        consumer = self._client()
        if not self._announced:
            self._announced = True
            return Poll(assigned=[name_of(one) for one in sorted(self._ends)])
        try:
            fetched = consumer.poll(timeout_ms=int(1000 * timeout_s), max_records=max_events)
            blocks = [self._block(partition, records) for partition, records in fetched.items()]
            ended = not blocks and all(
                consumer.position(one, timeout_ms=5000) >= end for one, end in self._ends.items()
            )
        except KafkaError as error:
            raise self._explained(error) from error
        return Poll(blocks, ended=ended)


def committed_records(consumer: Any, topic: str) -> Iterator[Any]:
    """Yield every committed record of a topic up to what is its end now, those of a partition in order.

    Raises
    ------
    UnavailableError
        When the topic falls silent before its end.
    """
    try:
        there = sorted(consumer.partitions_for_topic(topic) or ()) if topic in consumer.topics() else []
        partitions = [TopicPartition(topic, i) for i in there]
        if not partitions:
            return
        consumer.assign(partitions)
        first = consumer.beginning_offsets(partitions, timeout_ms=15_000)
        ends = consumer.end_offsets(partitions, timeout_ms=15_000)
        for one in partitions:
            consumer.seek(one, first[one])
        heard = time.monotonic()
        while any(consumer.position(one, timeout_ms=5000) < end for one, end in ends.items()):
            for records in consumer.poll(timeout_ms=200, max_records=5000).values():
                heard = time.monotonic()
                yield from records
            if time.monotonic() - heard > SILENCE_S:
                raise UnavailableError(f"Topic {topic!r} has more than it gave in {SILENCE_S:.0f} s.")
    except KafkaError as error:
        raise translated(error, f"reading the topic {topic!r}") from error
