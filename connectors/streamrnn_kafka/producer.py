"""The producer: how it is made, and why it asks for the end of a transaction only once."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from typing import Any

from kafka import KafkaProducer, TopicPartition, codec
from kafka.errors import KafkaError, KafkaTimeoutError
from kafka.future import Future
from kafka.net.compat import KafkaNetClient

from streamrnn.errors import ConfigError
from streamrnn_kafka.connection import connect
from streamrnn_kafka.options import SinkOptions

__all__ = ["BoundedProducer", "OneTryClient", "check_compression", "drop_producer", "make_producer"]

BATCH_BYTES = 128 * 1024
REQUEST_BYTES = 1 << 20  # pages of the state must fit too
LINGER_MS = 20  # a cycle ends with a flush; until then batches may fill

WAIT_MS = 30_000
"""How long records may take to be acknowledged, and transactions to begin: past a change of leader, not past all patience."""


LEAST_WAIT_S = 5.0
"""For an answer, where those before have taken all the time there is."""


class OneTryClient(KafkaNetClient):  # type: ignore[misc]
    """Fails the second request for the end of one transaction.

    The client asks again where the connection broke before the answer came. The first request may still be under way
    then; the broker, without KIP-890, takes it for the end of whatever transaction is open when it arrives. So an answer
    that does not come is an unknown fate: the producer fails, and a new one, with a new epoch, fences the stray request.
    """

    def __init__(self, *args: Any, **settings: Any) -> None:
        super().__init__(*args, **settings)
        self._asked: Any = None

    def send(self, node_id: Any, request: Any, **settings: Any) -> Any:
        """Send a request, if it is not the same end of a transaction once more.

        Parameters
        ----------
        node_id
            The broker.
        request
            What to ask of it.
        **settings
            Handed on to the client.
        """
        if type(request).__name__ == "EndTxnRequest":
            if request is self._asked:
                return Future().failure(KafkaError("the answer to the commit was lost"))
            self._asked = request
        return super().send(node_id, request, **settings)


class BoundedProducer(KafkaProducer):  # type: ignore[misc]
    """Waits no longer than ``max_block_ms`` for an answer where the client itself would wait for ever.

    That is for the records of a transaction and its end together, with at least ``LEAST_WAIT_S`` for each step of the end. While no broker answers,
    a wait without an end could be ended by no signal to stop.
    """

    _end: float | None = None  # of the wait for the answers to what was flushed last

    def _left(self) -> float:
        """Return how many seconds an answer may still take."""
        longest: float = self.config["max_block_ms"] / 1000
        return longest if self._end is None else min(max(self._end - time.monotonic(), LEAST_WAIT_S), longest)

    def flush(self, timeout: float | None = None) -> None:
        """Wait until all that was sent is acknowledged or has failed.

        Parameters
        ----------
        timeout
            Longest wait, in seconds. None: the client's ``max_block_ms``.
        """
        self._end = time.monotonic() + self.config["max_block_ms"] / 1000
        super().flush(self._left() if timeout is None else timeout)

    def send_offsets_to_transaction(self, offsets: Any, group_metadata: Any) -> None:
        """Make offsets part of the transaction.

        Parameters
        ----------
        offsets
            Offset and metadata by partition.
        group_metadata
            The consumer's membership of its group, by which the broker fences former members.
        """
        self._wait(self._transaction_manager.send_offsets_to_transaction(offsets, group_metadata))

    def commit_transaction(self) -> None:
        """End the transaction."""
        self._wait(self._transaction_manager.begin_commit())

    def send_all(
        self,
        topic: str,
        records: Iterable[tuple[bytes | None, bytes]],
        headers: list[tuple[str, bytes]],
        partition: int,
    ) -> list[Any]:
        """Send keys and values to one partition, as :meth:`send` does, but look only once at what is the same for all.

        The first goes the client's own way, which checks topic and headers and makes the partition part of the transaction;
        a large one too, for its size. The others save a third of what the client takes for a record.

        Parameters
        ----------
        topic
            The topic to write.
        records
            Key (or None) and value of each, in order.
        headers
            Headers of each of them.
        partition
            Number of the partition.
        """
        futures: list[Any] = []
        to, append = TopicPartition(topic, partition), self._accumulator.append
        for key, value in records:
            if not futures or len(value) + len(key or b"") > BATCH_BYTES:
                futures.append(self.send(topic, value, key, headers, partition))
                continue
            future, is_full, is_new, _ = append(to, None, key, value, headers)
            if is_full or is_new:
                self._sender.wakeup()
            futures.append(future)
        return futures

    def leave(self) -> None:
        """Close, whatever is in flight."""
        with contextlib.suppress(KafkaError):
            self.close(timeout=0.5)
        if (
            self._sender is not None and self._sender.is_alive()
        ):  # where its flush has no end, close() leaves the thread
            self._sender.force_close()

    def _wait(self, result: Any) -> None:
        self._sender.wakeup()
        if not result.wait(timeout_ms=1000 * self._left()):
            raise KafkaTimeoutError("no broker answers")


def check_compression(options: SinkOptions) -> None:
    """Raise where the library is missing that compresses.

    Parameters
    ----------
    options
        The options of the sink.

    Raises
    ------
    ConfigError
        When there is none for ``compression``.
    """
    if options.compression != "none" and not getattr(codec, f"has_{options.compression}")():
        raise ConfigError(
            f"[sink] compression: {options.compression} needs a library that is not installed: pip install 'streamrnn[compression]'"
        )


def make_producer(options: SinkOptions, member: str) -> Any:
    """Return a producer, not yet fit for transactions: ``init_transactions`` fences whatever ran under the same name.

    Parameters
    ----------
    options
        The options of the sink.
    member
        Name of this process: the client's id, and the transactional id where there are transactions.
    """
    settings: dict[str, Any] = {}
    check_compression(options)
    if options.delivery == "exactly_once":
        settings = {
            "transactional_id": member,
            "transaction_timeout_ms": int(1000 * options.transaction_timeout_s),
            "kafka_client": OneTryClient,
        }
    return connect(
        BoundedProducer,
        options,
        client_id=member,
        acks="all",
        enable_idempotence=True,
        linger_ms=LINGER_MS,
        batch_size=min(
            BATCH_BYTES, options.max_record_bytes
        ),  # a topic that takes no longer record takes no longer batch
        max_request_size=max(REQUEST_BYTES, options.max_record_bytes),
        compression_type=None if options.compression == "none" else options.compression,
        delivery_timeout_ms=WAIT_MS,
        max_block_ms=WAIT_MS,
        allow_auto_create_topics=False,
        metrics_enabled=False,
        **settings,
    )


def drop_producer(producer: Any) -> None:
    """Leave a producer without another word: what it has in flight, the next one's ``init_transactions`` ends.

    Parameters
    ----------
    producer
        From :func:`make_producer`.
    """
    producer.leave()
