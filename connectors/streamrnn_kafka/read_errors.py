"""What goes wrong while topics are read, in the words of an application."""

from __future__ import annotations

from typing import Any

from kafka.errors import (
    FencedInstanceIdError,
    InconsistentGroupProtocolError,
    KafkaError,
    LogTruncationError,
    OffsetOutOfRangeError,
)

from streamrnn.errors import ConfigError, SourceError, StateError, StreamrnnError
from streamrnn_kafka.connection import translated
from streamrnn_kafka.offsets import gone
from streamrnn_kafka.options import SourceOptions

__all__ = ["check_inputs", "explained", "foreign_group"]


def explained(error: KafkaError, client: Any, options: SourceOptions) -> StreamrnnError:
    """Return what an error of the consumer means here.

    Parameters
    ----------
    error
        What the consumer raised.
    client
        The consumer.
    options
        Those of the source.
    """
    if isinstance(error, OffsetOutOfRangeError) and error.args and isinstance(error.args[0], dict):
        [(partition, offset)] = error.args[0].items()
        return gone(client, partition, offset)
    if isinstance(error, LogTruncationError):
        return StateError(
            f"Records that were read are no longer in the topic: {error}. The brokers lost them, or the topic was "
            "recreated. What was learned and written from them stands; to begin anew: --fresh."
        )
    if isinstance(error, FencedInstanceIdError):
        return StateError(
            f"Another process runs as {options.member!r} and has taken the place of this one. Give each process of the "
            "group its own [source] replica."
        )
    if isinstance(error, InconsistentGroupProtocolError):
        return foreign_group(options.group, "another way")
    return translated(error, "reading")


def foreign_group(group: str, way: str) -> ConfigError:
    """Return the error for a consumer group that other programs share.

    Parameters
    ----------
    group
        The consumer group.
    way
        How they share its partitions.
    """
    return ConfigError(
        f"[source] group: {group!r} has members that share its partitions in {way}: other programs, which would "
        "be given a part of the events. Name a group that is this application's alone, or stop them."
    )


def check_inputs(client: Any, options: SourceOptions) -> None:
    """Raise where the topics that are named cannot be read.

    Parameters
    ----------
    client
        A consumer.
    options
        Those of the source.

    Raises
    ------
    SourceError
        When one is missing, or this user may not see it.
    """
    try:
        there = client.topics()
    except KafkaError as error:
        raise translated(error, "listing topics") from error
    missing = [topic for topic in options.topics if topic not in there]
    if missing:
        raise SourceError(
            f"Kafka at {options.servers} has no topic {', '.join(map(repr, missing))}, or this user may not see it. "
            "Create it, or correct [source] topics."
        )
