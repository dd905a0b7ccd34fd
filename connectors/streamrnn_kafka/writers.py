"""Who writes a topic of results besides this application: looked for in the newest records of each partition."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from streamrnn_kafka.outside import APPLICATION_HEADER, SOURCE_HEADER
from streamrnn_kafka.partitions import partitions_of

__all__ = ["other_writers"]

TAIL = 200
"""Offsets looked at, from the end: who wrote last, and who writes in turns with it. Commit markers take some of them."""

LOOK_S = 10.0
"""Longest time for a look: it is worth no more."""


def other_writers(consumer: Any, topic: str, group: str) -> str | None:
    """Return a sentence about results of others than ``group`` among the newest ones of a topic, or None.

    Results of earlier releases do not say whose they are; nothing is said of them.

    Parameters
    ----------
    consumer
        From :func:`streamrnn_kafka.outside.outside_consumer`.
    topic
        The topic of results.
    group
        The consumer group of this application.
    """
    newest: dict[str, int] = {}
    for record in _tail(consumer, topic):
        headers = dict(record.headers)
        if APPLICATION_HEADER in headers:
            name = f"the application (the [source] group) {(headers[APPLICATION_HEADER] or b'')[:249].decode(errors='replace')!r}"
        elif SOURCE_HEADER in headers:
            continue
        else:
            name = "a program that is not this one"
        newest[name] = max(newest.get(name, 0), record.timestamp)
    newest.pop(f"the application (the [source] group) {group!r}", None)
    if not newest:
        return None
    listed = ", ".join(
        f"{name}, the newest of {datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"
        for name, ms in sorted(newest.items())
    )
    return (
        f"[sink] topic: {topic!r} holds records of {listed}. If that still runs, readers get the records of both, mixed, and "
        "'streamrnn verify' finds a difference: give each application a topic of its own."
    )


def _tail(consumer: Any, topic: str) -> list[Any]:
    """Return the newest committed records of a topic, as far as they come in time."""
    partitions = partitions_of(consumer, topic)
    if not partitions:
        return []
    end = time.monotonic() + LOOK_S
    left = {"timeout_ms": int(1000 * LOOK_S)}
    first, ends = consumer.beginning_offsets(partitions, **left), consumer.end_offsets(partitions, **left)
    full = [one for one in partitions if ends[one] > first[one]]
    if not full:
        return []
    consumer.assign(full)
    for one in full:
        consumer.seek(one, max(first[one], ends[one] - TAIL))
    found: list[Any] = []
    while time.monotonic() < end and any(consumer.position(one, timeout_ms=1000) < ends[one] for one in full):
        for records in consumer.poll(timeout_ms=200).values():
            found += records
    return found
