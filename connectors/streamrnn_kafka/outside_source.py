"""The input once more, from outside the group: to what is its end now."""

from __future__ import annotations

import re
from typing import Any, Self

from kafka import TopicPartition
from kafka.errors import KafkaError

from streamrnn.errors import SourceError
from streamrnn.io import Poll, Position, SourceContext
from streamrnn_kafka import offsets
from streamrnn_kafka.options import SourceOptions
from streamrnn_kafka.outside import close_consumer, outside_consumer
from streamrnn_kafka.partitions import names_of, offset_of, partition_of, partitions_of
from streamrnn_kafka.read_errors import check_inputs, explained
from streamrnn_kafka.reader import Reader

__all__ = ["OutsideSource"]


class OutsideSource:
    """The same input from its start to what is its end now, beside a run that may go on meanwhile.

    Parameters
    ----------
    options
        As for :class:`KafkaSource`.
    context
        The same.

    Examples
    --------
    >>> from streamrnn_kafka import KafkaSource
    >>> source = KafkaSource.from_topics("flow", servers="localhost:9092", group="watch", columns=["flow"])
    >>> type(source.reread()).__name__
    'OutsideSource'
    """

    Options = SourceOptions
    keeps_raw = True
    begins_again = True

    def __init__(self, options: SourceOptions, context: SourceContext) -> None:
        self.options = options
        self._reader = Reader(options, context)
        self._consumer: Any = None
        self._ends: dict[TopicPartition, int] = {}
        self._announced = False

    def __enter__(self) -> Self:
        self._consumer = consumer = outside_consumer(self.options, self.options.member)
        self._announced = False
        try:
            if self.options.pattern is None:
                check_inputs(consumer, self.options)
            partitions = [one for topic in self._topics() for one in partitions_of(consumer, topic)]
            consumer.assign(partitions)
            for one in partitions:
                consumer.seek(one, offsets.start(consumer, one, self.options.start))
            self._ends = {one: offsets.end(consumer, one) for one in partitions}
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exc: object) -> None:
        consumer, self._consumer = self._consumer, None
        close_consumer(consumer)

    def _topics(self) -> list[str]:
        if self.options.pattern is None:
            return list(self.options.topics)
        return sorted(topic for topic in self._consumer.topics() if re.match(self.options.pattern, topic))

    def chosen(self) -> dict[str, Any]:
        """Return what is read, and which cells could not be read so far."""
        return self._reader.chosen()

    def _client(self) -> Any:
        if self._consumer is None:
            raise SourceError("The source is not open: read it inside a with statement.")
        return self._consumer

    def retained(self, partition: str) -> tuple[Position, Position] | None:
        """Return the first offset that a partition holds, and its end.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.
        """
        one = partition_of(partition)
        if one not in self._ends:
            return None
        return offsets.beginning(self._client(), one), self._ends[one]

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading ``partition`` at the offset ``position``.

        Parameters
        ----------
        partition
            Name of the partition: ``"flow/0"``.
        position
            An offset, >= 0.

        Raises
        ------
        StateError
            When the partition does not hold it: deleted by retention, or the topic was recreated.
        """
        offset, one = offset_of(partition, position), partition_of(partition)
        if one not in self._ends:
            return
        offsets.check_held(self._client(), one, offset)
        self._client().seek(one, offset)

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` events; the first poll announces all partitions and brings none.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.
        """
        consumer = self._client()
        if not self._announced:
            self._announced = True
            return Poll(assigned=names_of(self._ends))
        try:
            fetched = consumer.poll(timeout_ms=int(1000 * timeout_s), max_records=max_events)
            blocks = [self._reader.block(partition, records) for partition, records in fetched.items()]
            ended = not blocks and all(
                consumer.position(one, timeout_ms=5000) >= end for one, end in self._ends.items()
            )
        except KafkaError as error:
            raise explained(error, consumer, self.options) from error
        return Poll(blocks, ended=ended)
