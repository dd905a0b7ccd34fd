"""A person's word on an event, written into the topic that is read."""

from __future__ import annotations

import contextlib
from typing import Final

import msgspec
from kafka import KafkaProducer
from kafka.errors import KafkaError

from streamrnn.io import Feedback, check_feedback_options, nested
from streamrnn_kafka.connection import connect, translated
from streamrnn_kafka.options import SourceOptions
from streamrnn_kafka.partitions import partition_of

__all__ = ["append", "check"]

ENCODERS: Final = {"json": msgspec.json.encode, "msgpack": msgspec.msgpack.encode}

ANSWER_S: Final = 3.0
"""Longest wait for a broker: a person waits for the answer."""


def check(options: SourceOptions) -> None:
    """Raise where records with nothing but key, time and label cannot be written, or would be dead letters.

    Parameters
    ----------
    options
        Of the source.

    Raises
    ------
    ConfigError
        With what stands in the way.
    """
    problems = []
    if options.format not in ENCODERS or options.cloudevents:
        problems.append("[source] format: feedback can be written as 'json' or 'msgpack', not as CloudEvents.")
    if options.record_key and (options.key_format != "text" or options.key_field is not None):
        problems.append("[source] key_format: feedback can be written beside keys that are 'text'.")
    when = options.time or "that of the record"
    check_feedback_options(follow=True, time=when, on_missing=options.on_missing, others=problems)
    nested(dict.fromkeys(name for name in (options.time, options.key, *options.columns) if name is not None))


def append(options: SourceOptions, said: Feedback) -> None:
    """Write a record into the partition of the event it speaks of, and wait until the brokers have it.

    Parameters
    ----------
    options
        Of the source.
    said
        What a person says.

    Raises
    ------
    ConfigError
        When such records cannot be written.
    UnavailableError, AccessError
        When no broker takes it.
    """
    check(options)
    value = ENCODERS[options.format](nested(said.cells(options.time, options.key)))
    key = said.key.encode() if options.record_key and said.key is not None else None
    stamp = round(1000 * said.time) if options.time is None and isinstance(said.time, int | float) else None
    to = partition_of(said.partition)
    options = msgspec.structs.replace(options, connect_timeout_s=min(ANSWER_S, options.connect_timeout_s))
    producer = connect(KafkaProducer, options, client_id=f"{options.member}-feedback", acks="all", max_block_ms=int(1000 * ANSWER_S))  # fmt: skip
    try:
        producer.send(to.topic, value, key, partition=to.partition, timestamp_ms=stamp).get(timeout=ANSWER_S)
    except KafkaError as error:
        raise translated(error, f"writing feedback into {to.topic!r}") from error
    finally:
        with contextlib.suppress(KafkaError):
            producer.close(timeout=1.0)
