"""The name of a partition, as the rest of the library knows it: ``topic/number``."""

from __future__ import annotations

from kafka import TopicPartition

__all__ = ["name_of", "partition_of"]


def name_of(partition: TopicPartition) -> str:
    """Return the name of a Kafka partition. A slash cannot be part of a topic's name.

    Parameters
    ----------
    partition
        Topic and number.
    """
    return f"{partition.topic}/{partition.partition}"


def partition_of(name: str) -> TopicPartition:
    """Return the Kafka partition of a name.

    Parameters
    ----------
    name
        What :func:`name_of` returned: ``"flow/0"``.
    """
    topic, _, number = name.rpartition("/")
    return TopicPartition(topic, int(number))
