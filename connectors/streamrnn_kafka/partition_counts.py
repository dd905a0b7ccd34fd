"""How many partitions topics have, and what it means when it is another number than before."""

from __future__ import annotations

import logging
from typing import Any

from kafka import TopicPartition

from streamrnn.errors import StateError
from streamrnn_kafka.options import SourceOptions
from streamrnn_kafka.partitions import partitions_of

__all__ = ["PartitionCounts"]

_log = logging.getLogger("streamrnn.kafka")


class PartitionCounts:
    """Remembers how many partitions each topic had.

    Parameters
    ----------
    options
        Those of the source: whether events have keys.
    """

    def __init__(self, options: SourceOptions) -> None:
        self._keyed = options.key is not None or options.record_key
        self._known: dict[str, int] = {}
        self._before: dict[str, int] = {}  # of topics that have more partitions now: how many they had

    def look(self, client: Any) -> None:
        """Notice that a topic of the client's partitions has other partitions than before.

        Parameters
        ----------
        client
            The consumer.
        """
        for topic in {partition.topic for partition in client.assignment()}:
            self.check(client, topic, self._known.setdefault(topic, len(partitions_of(client, topic))), "before")

    def check(self, client: Any, topic: str, before: int, when: str) -> None:
        """Compare the number of a topic's partitions with what it was: where there is no key, there may be more of them now.

        Parameters
        ----------
        client
            The consumer.
        topic
            One of the topics that are read.
        before
            Its number of partitions as it was, >= 1.
        when
            When it was that, for the message: ``"when its state was written"``.

        Raises
        ------
        StateError
            When there are fewer, or there are keys: they then lie in other partitions than their nets.
        """
        count = len(partitions_of(client, topic))
        if count < before or (count > before and self._keyed):
            why = "Its keys now come in other partitions than their nets." if self._keyed else "It was recreated."
            raise StateError(
                f"Topic {topic!r} has {count} partitions, {before} {when}. {why} To begin anew: another [source] group, "
                "or --fresh."
            )
        if count > before and before < self._before.get(topic, count):
            self._before[topic] = before
            client.rejoin()
            _log.warning(
                "topic %r has %d partitions, %d %s: the new ones are read from their start", topic, count, before, when
            )

    def added(self, partition: TopicPartition) -> bool:
        """Return whether a partition was added to its topic while that was being read: it is new from its beginning.

        Parameters
        ----------
        partition
            Topic and number.
        """
        return bool(partition.partition >= self._before.get(partition.topic, partition.partition + 1))
