"""Results in whole batches: the records that the client would have made of them, one after the other."""

from __future__ import annotations

import logging
import random
from types import SimpleNamespace

import pytest
from kafka import TopicPartition
from kafka.errors import IllegalStateError, InvalidRecordError, KafkaTimeoutError, MessageSizeTooLargeError
from kafka.producer.record_accumulator import RecordAccumulator
from kafka.record import MemoryRecords

from streamrnn_kafka import client_private, row_writer
from streamrnn_kafka.client_private import enqueue, writes_differ
from streamrnn_kafka.record_pack import MOST_BYTES
from streamrnn_kafka.row_writer import RowWriter

TO = TopicPartition("out", 2)
HEADERS = [("streamrnn.source", b"in/3"), ("streamrnn.application", b"g")]


class Producer:
    """What a producer holds until its sender's thread takes it, without the thread."""

    def __init__(self, codec=0, most=1 << 17, *, transactional=True):
        self._accumulator = RecordAccumulator(batch_size=min(1 << 17, most), compression_attrs=codec)
        self.calls = []
        self._transaction_manager = SimpleNamespace(
            maybe_add_partition_to_transaction=self.calls.append, is_transactional=lambda: transactional
        )
        self._sender = SimpleNamespace(wakeup=lambda: self.calls.append("wake"))

    def partitions_for(self, topic):
        return {0, 1, 2}

    def send(self, topic, value, key, headers, partition):
        self._accumulator.append(TopicPartition(topic, partition), None, key, value, headers)

    def records(self):
        """Offset in its batch, key, value and headers of each record, and the sizes of the batches."""
        found, sizes = [], []
        for batch in self._accumulator._batches[TO]:
            batch.records.set_producer_state(7, 1, 5, True)
            batch.records.close()
            records = list(MemoryRecords(batch.records.buffer()).next_batch())
            assert [one.offset for one in records] == list(range(batch.record_count))
            sizes.append(len(batch.records.buffer()))
            found += [(one.key, one.value, one.headers) for one in records]
        return found, sizes


@pytest.mark.parametrize("codec", [0, 1, 3])
def test_batches_hold_the_records_of_single_ones(codec):
    """Keys, values and headers in order, whatever their lengths, and no batch longer than a topic takes."""
    for seed in range(12):
        drawn = random.Random(seed)
        most = drawn.choice((2_000, 20_000, 1 << 20))
        n = drawn.choice((1, 2, 700))
        lines = [
            drawn.randbytes(drawn.choice((0, 60, 63, 64, 130, 8190, 8200 if n > 2 else 600_000))) for _ in range(n)
        ]
        keys = drawn.choice([None, [drawn.choice([None, "", "k", "é" * 70]) for _ in lines]])
        ours = Producer(codec, most)

        RowWriter(most).send(ours, TO, lines, keys, HEADERS, 1)

        named = [None] * n if keys is None else [None if key is None else key.encode() for key in keys]
        found, sizes = ours.records()
        assert found == [
            (key, line, HEADERS if i == n - 1 else HEADERS[:1])
            for i, (key, line) in enumerate(zip(named, lines, strict=True))
        ]
        assert codec or max(sizes) <= max(min(most, MOST_BYTES), max(map(len, lines)) + 400)


def test_a_batch_is_part_of_the_transaction_and_waits_for_nothing():
    """The partition is made known to the transaction before a batch, the sender is woken after it, and the batch is ready at once, whatever comes behind it."""
    producer = Producer()
    RowWriter(1 << 20).send(producer, TO, [b"{}"] * 3, None, HEADERS, 1)
    producer.send(TO.topic, b"x", None, [], TO.partition)

    batches = list(producer._accumulator._batches[TO])
    assert producer.calls == [TO, "wake"]
    assert [one.record_count for one in batches] == [3, 1]
    assert batches[0].records.is_full()
    assert batches[0].produce_future is batches[0]._record_futures[0]._produce_future
    assert set(batches) == set(producer._accumulator._incomplete.all())


def test_a_batch_outside_of_transactions_tells_whether_it_was_written():
    """It is part of no transaction; an error of any record, of all, and a batch that had to be cut are failures."""
    producer = Producer(transactional=False)
    answers = [one for _ in range(4) for one in RowWriter(1 << 20).send(producer, TO, [b"{}"] * 3, None, HEADERS, 1)]
    batches = list(producer._accumulator._batches[TO])
    assert producer.calls == ["wake"] * 4

    batches[0].produce_future.success((0, -1, None))
    batches[1].produce_future.failure(KafkaTimeoutError("late"))
    batches[2].produce_future.success((0, -1, lambda _: InvalidRecordError("bad")))

    assert [one.failed() for one in answers] == [False, True, True, True]
    assert [type(one.exception) for one in answers[1:]] == [
        KafkaTimeoutError,
        InvalidRecordError,
        MessageSizeTooLargeError,
    ]


def test_nothing_goes_into_a_producer_that_is_closed_or_does_not_know_the_partition():
    """The client says so, as it does of single records."""
    producer = Producer()
    producer._accumulator._closed = True
    with pytest.raises(IllegalStateError):
        enqueue(producer, TO, bytearray(61), 1, 1)
    with pytest.raises(IllegalStateError):
        RowWriter(1 << 20).send(producer, TopicPartition("out", 7), [b"{}"], None, HEADERS, 1)


def test_a_release_that_differs_is_written_record_by_record(monkeypatch, caplog):
    """Where a batch comes out another than the client's own, the present way is gone, with one warning that says why."""
    assert writes_differ() is None
    row_writer._tried.cache_clear()
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "streamrnn.kafka"):
        patch.setattr(client_private, "packed", lambda *_: [])
        assert row_writer.row_writer(1000) is None
        assert row_writer.row_writer(1000) is None
    assert len(caplog.messages) == 1
    row_writer._tried.cache_clear()
    assert row_writer.row_writer(1000) is not None
