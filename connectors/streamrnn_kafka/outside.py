"""Reading from outside the group. Nothing is committed, no partition moves."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Mapping
from typing import Any

from kafka import KafkaConsumer
from kafka.errors import KafkaError

from streamrnn.errors import UnavailableError
from streamrnn_kafka.connection import connect, translated
from streamrnn_kafka.options import ConnectionOptions
from streamrnn_kafka.partitions import partitions_of

__all__ = ["APPLICATION_HEADER", "SOURCE_HEADER", "close_consumer", "committed_records", "outside_consumer"]

SOURCE_HEADER = "streamrnn.source"
"""Header of a result: the partition that its event came from."""

APPLICATION_HEADER = "streamrnn.application"
"""Header of the last result of a block in its partition: the group whose run has written it. On each it would cost more than it says."""

FETCH_BYTES = 4 * 1024 * 1024
"""Taken at once from a partition: all of a topic, or a snapshot, is read. While one lot is looked at the next one comes; of larger lots less of that is at
the same time (101 MB: 1.7 s with 4 MB, 2.0 with 8 and 16, 2.8 with 48)."""

SILENCE_S = 60.0
"""How long a topic that has more to give may be silent."""


def outside_consumer(options: ConnectionOptions, client_id: str, *, committed: bool = True) -> Any:
    """Return a consumer that belongs to no group.

    Parameters
    ----------
    options
        How to reach the brokers.
    client_id
        The name that requests are made under.
    committed
        Whether it sees committed records only, and none behind a transaction that is still open.
    """
    return connect(
        KafkaConsumer,
        options,
        client_id=client_id,
        auto_offset_reset="none",
        isolation_level="read_committed" if committed else "read_uncommitted",
        enable_auto_commit=False,
        allow_auto_create_topics=False,
        fetch_max_wait_ms=50,
        max_partition_fetch_bytes=FETCH_BYTES,
        metrics_enabled=False,
    )


def close_consumer(consumer: Any) -> None:
    """Close a consumer, whichever state it is in; what the brokers do not hear they notice by themselves.

    Parameters
    ----------
    consumer
        Of a group or of none. None: there is nothing to close.
    """
    if consumer is not None:
        with contextlib.suppress(KafkaError):
            consumer.close(autocommit=False, timeout_ms=2000)


def committed_records(consumer: Any, topic: str, after: Mapping[int, int] | None = None) -> Iterator[Any]:
    """Yield every committed record of a topic up to what is its end now, those of a partition in order.

    Parameters
    ----------
    consumer
        From :func:`outside_consumer`.
    topic
        The topic to read; one that is missing has no records.
    after
        The offset of the last record that was read, by partition. Others are read from their start, and so is what
        retention has left where the next one is gone.

    Raises
    ------
    UnavailableError
        When the topic falls silent before its end.
    """
    try:
        partitions = partitions_of(consumer, topic) if topic in consumer.topics() else []
        if not partitions:
            return
        consumer.assign(partitions)
        first = consumer.beginning_offsets(partitions, timeout_ms=15_000)
        ends = consumer.end_offsets(partitions, timeout_ms=15_000)
        for one in partitions:
            consumer.seek(one, max(first[one], (after or {}).get(one.partition, -1) + 1))
        heard = time.monotonic()
        while any(consumer.position(one, timeout_ms=5000) < end for one, end in ends.items()):
            for records in consumer.poll(timeout_ms=200, max_records=5000).values():
                heard = time.monotonic()
                yield from records
            if time.monotonic() - heard > SILENCE_S:
                raise UnavailableError(f"Topic {topic!r} has more than it gave in {SILENCE_S:.0f} s.")
    except KafkaError as error:
        raise translated(error, f"reading the topic {topic!r}") from error
