"""What we use of kafka-python that it does not promise: whole batches of records out of its fetcher, and into its accumulator.

One thing more is mended in :mod:`streamrnn_kafka.connection`, for every client: what a transport hears right before the end of a connection.

The client stays what decides: which offsets are read, which batches belong to a transaction that was aborted, whether a checksum
is right, how a batch was compressed; when a batch is sent, with which numbers, checksum and compression, and what becomes of it. Only that it
makes an object of every record is left out. Before a run uses any of this, :func:`missing` looks whether all parts are there,
:func:`differs` and :func:`writes_differ` whether they give what the client itself gives.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from importlib import import_module
from typing import Any, Final

from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.errors import CorruptRecordError, IllegalStateError, MessageSizeTooLargeError
from kafka.net import transport
from kafka.producer.future import FutureRecordMetadata
from kafka.producer.producer_batch import ProducerBatch
from kafka.producer.record_accumulator import RecordAccumulator
from kafka.record import MemoryRecords
from kafka.record.memory_records import MemoryRecordsBuilder

from streamrnn_kafka.record_pack import packed
from streamrnn_kafka.record_table import Rows, cut, joined, rows_of

__all__ = ["PartitionRows", "Taken", "Whole", "differs", "enqueue", "install", "missing", "writes_differ"]

PARTS: Final = {
    "kafka.consumer.fetcher.Fetcher": ("PartitionRecords", "_parse_fetched_data", "_append"),
    "kafka.consumer.fetcher.Fetcher.PartitionRecords": (
        "_unpack_records",
        "_maybe_raise_next_inline_exception",
        "_consume_aborted_transactions_up_to",
        "_contains_abort_marker",
        "_is_batch_aborted",
        "take",
        "drain",
    ),
    "kafka.record.default_records.DefaultRecordBatch": ("_maybe_uncompress", "_buffer", "_pos", "validate_crc"),
    "kafka.record.default_records.DefaultRecordBatchBuilder": (
        "_buffer",
        "_num_records",
        "_last_offset",
        "_first_timestamp",
        "_max_timestamp",
        "_batch_size",
    ),
    "kafka.record.memory_records.MemoryRecordsBuilder": ("_builder", "_next_offset", "_batch_size"),
    "kafka.net.transport.KafkaTCPTransport": ("_sock_recv",),
    "kafka.net.transport.KafkaSSLTransport": ("_sock_recv",),
    "kafka.producer.record_accumulator.RecordAccumulator": ("_tp_lock", "append", "ready"),
    "kafka.producer.transaction_manager.TransactionManager": ("maybe_add_partition_to_transaction", "is_transactional"),
}
"""What we use, by the class that has it."""

RECEIVED_BYTES: Final = 1 << 16
"""At once from a socket, where the client asks for 4 KB: a sixteenth of the calls."""

COMMITTED: Final = 1
"""The client's number for reading committed records only."""


def missing() -> list[str]:
    """Return those parts of the client that this release does not have."""
    found = []
    for place, names in PARTS.items():
        module = re.match(r"[a-z_.]+(?=\.)", place)[0]  # type: ignore[index]
        owner: Any = import_module(module)
        for step in place[len(module) + 1 :].split("."):
            owner = getattr(owner, step, None)
        found += [f"{place}.{name}" for name in names if not hasattr(owner, name)]
    return found


class Taken:
    """What a partition gives at once: pieces, counted as the records that they hold.

    Parameters
    ----------
    pieces
        In order.
    count
        How many records they hold.
    """

    def __init__(self, pieces: Sequence[Rows], count: int) -> None:
        self._pieces, self._count = pieces, count

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Rows]:
        return iter(self._pieces)


class PartitionRows(Fetcher.PartitionRecords):  # type: ignore[misc]
    """What was fetched of a partition, as :class:`Rows` instead of an object for each record.

    Parameters
    ----------
    fetch_offset
        The first offset that was asked for.
    tp
        The partition.
    records
        What came.
    **settings
        Handed on to the client.
    """

    def __init__(self, fetch_offset: int, tp: TopicPartition, records: Any, **settings: Any) -> None:
        super().__init__(fetch_offset, tp, records, **settings)
        self._rest: Rows | None = None
        self._began = False

    def take(self, n: int | None = None) -> Any:
        """Return at most n records. What the client would raise behind some of them is raised by the next call.

        Parameters
        ----------
        n
            How many; None: all.
        """
        self._maybe_raise_next_inline_exception()
        pieces: list[Rows] = []
        count, batches = 0, self.record_iterator
        try:
            while n is None or count < n:
                rest = self._rest or next(batches, None)
                if rest is None:
                    break
                end = len(rest.table) if n is None else min(len(rest.table), n - count)
                piece = rest.part(0, end)
                self._rest = rest.part(end, len(rest.table)) if end < len(rest.table) else None
                self.next_fetch_offset = piece.offset + 1
                count += end
                pieces.append(piece)
        except Exception as error:
            if not pieces:
                raise
            self._next_inline_exception = error
        self.records_read += count
        return Taken(pieces, count)

    def drain(self) -> None:
        """Give no more."""
        self._rest = None
        super().drain()

    def _unpack_records(self, _tp: Any, records: Any, *_: Any) -> Iterator[Rows]:
        """Yield the records of one batch after the other, as the client does with single ones."""
        last = None
        while (batch := records.next_batch()) is not None:
            last = batch
            if self.check_crcs and not batch.validate_crc():
                raise CorruptRecordError(
                    f"Record batch for partition {self.topic_partition} at offset {batch.base_offset} failed crc check"
                )
            if batch.magic == 2:
                self.leader_epoch = batch.leader_epoch
                if self._passed_over(batch):
                    self.next_fetch_offset = batch.next_offset
                    continue
            yield from self._rows(batch)
        if last is not None and last.magic == 2:
            self.next_fetch_offset = last.next_offset
        self.drain()

    def _passed_over(self, batch: Any) -> bool:
        """Whether a batch was aborted, or is a marker of the end of a transaction."""
        if self.isolation_level == COMMITTED and batch.has_producer_id():
            self._consume_aborted_transactions_up_to(batch.last_offset)
            if self._contains_abort_marker(batch):
                self.aborted_producer_ids.discard(batch.producer_id)
            elif self._is_batch_aborted(batch):
                return True
        return bool(batch.is_control_batch)

    def _maybe_skip_record(self, _: Rows) -> bool:
        return False  # see _wanted

    def _wanted(self, rows: Rows) -> Iterator[Rows]:
        """Yield rows without those before the first that was asked for: a batch comes whole, whatever was asked for."""
        wanted = rows.table[:, 0] >= self.fetch_offset
        if self._began or wanted[0]:
            self._began = True
            yield rows
        elif wanted.any():
            self._began = True
            yield rows.part(int(wanted.argmax()), len(rows.table))

    def _rows(self, batch: Any) -> Iterator[Rows]:
        rows = None
        self.bytes_read += batch.size_in_bytes
        if batch.magic == 2 and batch.records_count:
            batch._maybe_uncompress()  # noqa: SLF001
            rows = cut(
                batch._buffer, batch._pos, batch.records_count, batch.base_offset, batch.first_timestamp  # noqa: SLF001
            )  # fmt: skip
        if rows is not None:
            if batch.timestamp_type == batch.LOG_APPEND_TIME:
                rows.table[:, 1] = batch.max_timestamp
            yield from self._wanted(rows)
            return
        kept: list[Any] = []
        try:
            self._read_singly(batch, kept)
        except Exception:
            if kept:
                yield from self._wanted(rows_of(kept))
            raise
        if kept:
            yield from self._wanted(rows_of(kept))

    def _read_singly(self, batch: Any, kept: list[Any]) -> None:
        """Read a batch as the client does, which also says what is wrong with it; what comes before that is kept."""
        for record in batch:
            if self.check_crcs and not record.validate_crc():
                raise CorruptRecordError(
                    f"Record for partition {self.topic_partition} at offset {record.offset} failed crc check"
                )
            kept.append(record)


def install(consumer: Any) -> None:
    """Have a consumer's polls bring :class:`Rows`.

    Parameters
    ----------
    consumer
        From now on each list that its ``poll`` returns holds pieces.
    """
    consumer._fetcher.PartitionRecords = PartitionRows  # noqa: SLF001
    for kind in (transport.KafkaTCPTransport, transport.KafkaSSLTransport):
        if kind._sock_recv not in _LARGE:  # noqa: SLF001
            kind._sock_recv = _large(kind._sock_recv)  # noqa: SLF001


_LARGE: Final[set[Any]] = set()


class _Socket:
    """What the client's reading sees of a transport and of its socket: more bytes come at once than it asks for.

    Parameters
    ----------
    of
        The transport.
    """

    def __init__(self, of: Any) -> None:
        self._of, self._sock = of, self
        self._recv = of._sock.recv  # noqa: SLF001

    def recv(self, _: int) -> Any:
        return self._recv(RECEIVED_BYTES)

    def __str__(self) -> str:
        return str(self._of)


def _large(receive: Any) -> Any:
    def received(of: Any) -> Any:
        return receive(_Socket(of))

    _LARGE.add(received)
    return received


def _batch(records: Sequence[tuple[Any, ...]], offset: int, **settings: Any) -> bytearray:
    """Return a batch as the client writes it."""
    builder = MemoryRecordsBuilder(2, settings.pop("compression", 0), 1 << 20, **settings)
    for timestamp, key, value, headers in records:
        builder.append(timestamp, key, value, headers)
    builder.close()
    data: bytearray = builder.buffer()
    data[:8] = offset.to_bytes(8, "big")  # the broker's part; the checksum does not cover it
    return data


def differs() -> str | None:
    """Say where our way through some batches gives something else than the client's own; None: nowhere."""
    some = [
        (1_700_000_000_000 + 7 * i, None if i % 3 else b"key-%d" % i, None if i == 4 else b'{"a":%d.5}' % i * (1 + i), [("h", b"x")] * (i % 2))
        for i in range(9)
    ]  # fmt: skip
    data = _batch(some, 5)
    for i, settings in enumerate(
        ({"compression": 1}, {"transactional": True, "producer_id": 7, "producer_epoch": 0, "base_sequence": 0}, {})
    ):
        data += _batch(some[i:], 100 * i + 50, **settings)
    for start in (0, 7, 152):
        theirs, ours = (
            kind(start, TopicPartition("t", 0), MemoryRecords(bytes(data)), isolation_level=COMMITTED)
            for kind in (Fetcher.PartitionRecords, PartitionRows)
        )
        for n in (1, 4, 100):
            records, pieces = theirs.take(n), list(ours.take(n))
            rows = joined(pieces) if pieces else rows_of([])
            if [(r.offset, r.timestamp, r.key, r.value) for r in records] != list(
                zip(*rows.table[:, :2].T.tolist(), rows.keys(), rows.values(), strict=True)
            ):
                return f"the records behind offset {start}"
            if (theirs.next_fetch_offset, bool(theirs)) != (ours.next_fetch_offset, bool(ours)):
                return f"where reading goes on behind offset {start}"
    return None


class Whole:
    """The answer to a whole batch, like the client's own to a record: it fails where any of its records does.

    Where a broker has refused it as too long the client has cut it, and only of its first part the fate would be told: that counts as a failure.

    Parameters
    ----------
    batch
        The client's.
    answer
        The client's to the first record.
    """

    def __init__(self, batch: Any, answer: Any) -> None:
        self._batch, self._answer = batch, answer

    def failed(self) -> bool:
        """Whether it is not written, or nobody knows, once the producer has been flushed."""
        return self._answer.failed() or not self._batch.produce_future.is_done

    @property
    def exception(self) -> Exception:
        """Why."""
        why: Exception = self._answer.exception or MessageSizeTooLargeError(
            "a batch had to be cut: the topic takes shorter ones than at the start"
        )
        return why


def enqueue(producer: Any, to: TopicPartition, data: bytearray, count: int, timestamp: int) -> Whole:
    """Give a producer a whole batch, as its ``send`` does with the first record of one; it is full, and sent as soon as may be.

    Parameters
    ----------
    producer
        The client; where it writes transactions, in one.
    to
        A partition of a topic that it knows.
    data
        Room for the header, then the records, the first of them with the offset 0 and the time of the batch.
    count
        How many records there are.
    timestamp
        The time of all of them [ms].
    """
    if producer._transaction_manager.is_transactional():  # noqa: SLF001
        producer._transaction_manager.maybe_add_partition_to_transaction(to)  # noqa: SLF001
    written = _append(producer._accumulator, to, data, count, timestamp)  # noqa: SLF001
    producer._sender.wakeup()  # noqa: SLF001
    return written


def _append(accumulator: Any, to: TopicPartition, data: bytearray, count: int, timestamp: int) -> Whole:
    records = MemoryRecordsBuilder(2, accumulator.config["compression_attrs"], 0)  # 0 bytes: is full, takes no more
    builder = records._builder  # noqa: SLF001
    builder._buffer, builder._num_records, builder._last_offset = data, count, count - 1  # noqa: SLF001
    builder._first_timestamp = builder._max_timestamp = timestamp  # noqa: SLF001
    records._next_offset = count  # noqa: SLF001
    batch = ProducerBatch(to, records, now=time.monotonic())
    answer = FutureRecordMetadata(batch.produce_future, 0, timestamp, None, -1, -1, -1)
    batch._record_futures.append(answer)  # noqa: SLF001
    accumulator._appends_in_progress.increment()  # noqa: SLF001
    try:
        with accumulator._tp_lock(to):  # noqa: SLF001
            if accumulator._closed:  # noqa: SLF001
                raise IllegalStateError("RecordAccumulator is closed")
            accumulator._batches[to].append(batch)  # noqa: SLF001
            accumulator._incomplete.add(batch)  # noqa: SLF001
    finally:
        accumulator._appends_in_progress.decrement()  # noqa: SLF001
    return Whole(batch, answer)


def writes_differ() -> str | None:
    """Say where a batch of ours is another than the client's own; None: nowhere."""
    to, now = TopicPartition("t", 0), 1_700_000_000_000
    keys: list[str | None] = [None, "", "key", "\u00e9" * 40] * 40
    lines = [b"{%d}" % i * (1 + i) for i in range(len(keys))]
    headers = [("one", b"1"), ("two", b"")]
    for compression in (0, 1):
        ours, theirs = (
            RecordAccumulator(batch_size=1 << 20, compression_attrs=compression, message_version=2) for _ in range(2)
        )
        for one in packed(lines, keys, headers[:1], headers):
            _append(ours, to, one.data, one.end - one.first, now)
        for i, (key, line) in enumerate(zip(keys, lines, strict=True)):
            raw = None if key is None else key.encode()
            theirs.append(to, now, raw, line, headers if i == len(lines) - 1 else headers[:1])
        found = []
        for accumulator in (ours, theirs):
            [batch] = accumulator._batches[to]  # noqa: SLF001
            full = batch.records.is_full()
            batch.records.set_producer_state(7, 1, 5, is_transactional=True)
            batch.records.close()
            found.append((batch.record_count, bytes(batch.records.buffer()), len(accumulator._incomplete.all())))  # noqa: SLF001
            if accumulator is ours and not full:
                return "a batch is not taken for full"
        if found[0] != found[1]:
            return f"a batch with compression {compression}"
    return None
