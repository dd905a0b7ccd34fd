"""Results to a topic in whole batches: the same keys, values and headers in the same order as one after the other, by compiled code."""

from __future__ import annotations

import functools
import time
from collections.abc import Sequence
from importlib import import_module
from typing import Any

from kafka import TopicPartition

from streamrnn_kafka.row_reader import same_as_client

__all__ = ["RowWriter", "row_writer"]

Headers = list[tuple[str, bytes]]


class RowWriter:
    """Makes whole batches of results for a producer.

    Parameters
    ----------
    most
        Bytes of a batch, at most: no topic that takes longer records refuses it.
    """

    def __init__(self, most: int) -> None:
        self._private: Any = import_module("streamrnn_kafka.client_private")
        self._pack: Any = import_module("streamrnn_kafka.record_pack")
        self._most = min(most, self._pack.MOST_BYTES)

    def send(
        self,
        producer: Any,
        to: TopicPartition,
        lines: Sequence[bytes],
        keys: Sequence[str | None] | None,
        headers: Headers,
        shared: int,
    ) -> list[Any]:
        """Give a producer results for one partition; return what tells, once it is flushed, whether they were written.

        Parameters
        ----------
        producer
            Where it writes transactions, in one.
        to
            The partition.
        lines
            Values of the records.
        keys
            Their keys; None: they have none.
        headers
            Those of the last record.
        shared
            So many of them the others have too.
        """
        answers: list[Any] = []
        known = to.partition in producer.partitions_for(to.topic)
        for one in self._pack.packed(lines, keys, headers[:shared], headers, self._most):
            if one.end > one.first and known:
                count, now = one.end - one.first, int(1000 * time.time())
                answers.append(self._private.enqueue(producer, to, one.data, count, now))
                continue
            for i in range(one.first, max(one.end, one.first + 1)):  # too long for a batch, or for the client to refuse
                key = None if keys is None else keys[i]
                of = headers if i == len(lines) - 1 else headers[:shared]
                raw = None if key is None else key.encode()
                answers.append(producer.send(to.topic, lines[i], raw, of, to.partition))
        return answers


def row_writer(most: int) -> RowWriter | None:
    """Return what writes whole batches; None where it does not give what the client itself gives.

    Parameters
    ----------
    most
        Bytes of the longest record that the topics take.
    """
    return RowWriter(most) if _tried() else None


@functools.cache
def _tried() -> bool:
    """Try the way of whole batches out, and warn once where it cannot be gone."""
    return same_as_client("writes_differ", "Results are written")
