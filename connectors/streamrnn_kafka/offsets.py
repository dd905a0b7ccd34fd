"""What a partition holds, and where reading it begins."""

from __future__ import annotations

import contextlib
from typing import Any

from kafka import TopicPartition
from kafka.errors import KafkaError

from streamrnn.errors import ConfigError, GoneError, StateError
from streamrnn_kafka.connection import translated
from streamrnn_kafka.options import start_ms, start_offset
from streamrnn_kafka.partitions import name_of

__all__ = ["ANSWER_MS", "beginning", "check_held", "end", "gone", "start"]

ANSWER_MS = 15_000
"""How long to wait for an answer to a question about offsets, a change of coordinator included."""


def _ask(question: Any, partition: TopicPartition) -> int:
    try:
        return int(question([partition], timeout_ms=ANSWER_MS)[partition])
    except KafkaError as error:
        raise translated(error, f"asking for the offsets of {name_of(partition)}") from error


def beginning(client: Any, partition: TopicPartition) -> int:
    """Return the first offset that a partition holds.

    Parameters
    ----------
    client
        A consumer.
    partition
        Topic and number.
    """
    return _ask(client.beginning_offsets, partition)


def end(client: Any, partition: TopicPartition) -> int:
    """Return the offset behind the last record of a partition.

    Parameters
    ----------
    client
        A consumer.
    partition
        Topic and number.
    """
    return _ask(client.end_offsets, partition)


def start(client: Any, partition: TopicPartition, text: str) -> int:
    """Return where the option ``start`` lies in a partition.

    Parameters
    ----------
    client
        A consumer.
    partition
        Topic and number.
    text
        The option.

    Raises
    ------
    ConfigError
        When it names an offset that the partition does not hold.
    """
    if text == "latest":
        return end(client, partition)
    ms = start_ms(text)
    if ms is None:
        return _named(client, partition, text)
    try:
        found = client.offsets_for_times({partition: ms}, timeout_ms=ANSWER_MS)[partition]
    except KafkaError as error:
        raise translated(error, f"looking for a time in {name_of(partition)}") from error
    return end(client, partition) if found is None else int(found.offset)


def _named(client: Any, partition: TopicPartition, text: str) -> int:
    """Return the offset that ``start`` names, or the first there is."""
    first = beginning(client, partition)
    wanted = start_offset(text, name_of(partition))
    if wanted is None:
        return first
    last = end(client, partition)
    if not first <= wanted <= last:
        raise ConfigError(
            f"[source] start: partition {name_of(partition)} has the offsets {first} to {last}. Got {wanted} instead."
        )
    return wanted


def check_held(client: Any, partition: TopicPartition, offset: int) -> None:
    """Raise where a partition does not hold an offset.

    Parameters
    ----------
    client
        A consumer.
    partition
        Topic and number.
    offset
        Where to go on reading.

    Raises
    ------
    StateError
        When the partition does not hold it: deleted by retention, or the topic was recreated.
    """
    first, last = beginning(client, partition), end(client, partition)
    if not first <= offset <= last:
        raise gone(client, partition, offset)


def gone(client: Any, partition: TopicPartition, offset: int) -> StateError:
    """Return the error for an offset that a partition does not hold, with what became of it.

    Parameters
    ----------
    client
        A consumer.
    partition
        Topic and number.
    offset
        The offset.
    """
    name = name_of(partition)
    with contextlib.suppress(KafkaError):
        first = client.beginning_offsets([partition], timeout_ms=ANSWER_MS)[partition]
        last = client.end_offsets([partition], timeout_ms=ANSWER_MS)[partition]
        if offset > last:
            return StateError(
                f"Partition {name} ends at offset {last}, before offset {offset} that was reached: the topic was recreated, or "
                "its brokers lost records. To begin anew: --fresh, or another [source] group."
            )
        return GoneError(
            f"Partition {name} no longer holds offset {offset}: retention has deleted all before {first}. "
            "To go on, events would have to be left out. To keep what was learned and go on with what there is: streamrnn "
            f"snapshot export CONFIG FILE --partition {name}, then streamrnn snapshot import CONFIG FILE "
            "--skip-gap; to begin anew: --fresh. To lose nothing next time, keep the topic's records for longer than the "
            "longest stop.",
            first,
        )
    return StateError(f"Partition {name} no longer holds offset {offset}.")
