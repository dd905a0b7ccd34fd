"""Partitions and positions, as the rest of the library knows them: ``topic/number``, and offsets."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kafka import TopicPartition

from streamrnn.errors import StateError
from streamrnn.io import Position

__all__ = ["name_of", "names_of", "offset_of", "partition_of", "partitions_of"]


def name_of(partition: TopicPartition) -> str:
    """Return the name of a Kafka partition. A slash cannot be part of a topic's name.

    Parameters
    ----------
    partition
        Topic and number.
    """
    return f"{partition.topic}/{partition.partition}"


def names_of(partitions: Iterable[TopicPartition]) -> list[str]:
    """Return the names of Kafka partitions, by topic and number.

    Parameters
    ----------
    partitions
        Topic and number of each.
    """
    return [name_of(one) for one in sorted(partitions)]


def partition_of(name: str) -> TopicPartition:
    """Return the Kafka partition of a name.

    Parameters
    ----------
    name
        What :func:`name_of` returned: ``"flow/0"``.
    """
    topic, _, number = name.rpartition("/")
    return TopicPartition(topic, int(number))


def partitions_of(client: Any, topic: str) -> list[TopicPartition]:
    """Return the partitions of a topic as a client knows them, in order; one that is missing has none.

    Parameters
    ----------
    client
        A consumer.
    topic
        The topic's name.
    """
    return [TopicPartition(topic, i) for i in sorted(client.partitions_for_topic(topic) or ())]


def offset_of(partition: str, position: Position) -> int:
    """Return the offset that a position is.

    Parameters
    ----------
    partition
        Name of the partition: ``"flow/0"``.
    position
        Where to go on reading.

    Raises
    ------
    StateError
        When it is none.
    """
    if not isinstance(position, int) or position < 0:
        raise StateError(f"Partition {partition} has no position {position!r}: it is not an offset.")
    return position
