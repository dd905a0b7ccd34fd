"""Whole batches of records, read by compiled code: everywhere what the client's own way, record by record, gives."""

from __future__ import annotations

import logging
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
from types import SimpleNamespace
from typing import NamedTuple

import msgspec
import numpy as np
import pytest
from kafka import TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.net import transport
from kafka.record import MemoryRecords
from kafka.record.memory_records import MemoryRecordsBuilder
from kafka.record.util import calc_crc32c

from streamrnn.columns.decimals import bits_of, numeral
from streamrnn.columns.texts import is_utf8
from streamrnn.columns.wide import powers
from streamrnn.io import SourceContext
from streamrnn_kafka import KafkaSource, client_private, row_reader
from streamrnn_kafka.client_private import PARTS, PartitionRows, differs, missing
from streamrnn_kafka.reader import Reader
from streamrnn_kafka.record_table import joined, rows_of
from streamrnn_kafka.row_reader import RowReader

AT = TopicPartition("in", 3)
CODECS = (0, 0, 1, 2, 3, 4)  # none, gzip, snappy, lz4, zstd


class Aborted(NamedTuple):
    producer_id: int
    first_offset: int


def sealed(data):
    """A batch with the checksum that it should have."""
    data[17:21] = struct.pack(">I", calc_crc32c(memoryview(data)[21:]))
    return data


def batch(records, offset, gaps=(), codec=0, attributes=0, producer=-1):
    """A batch at an offset, with records compacted away at ``gaps``."""
    settings = (
        {}
        if producer < 0
        else {"producer_id": producer, "producer_epoch": 0, "base_sequence": 0, "transactional": True}
    )
    builder = MemoryRecordsBuilder(2, codec, 1 << 20, **settings)
    for i, (key, value, headers) in enumerate(records):
        if i in gaps:
            builder.skip(1)
        builder.append(1_700_000_000_000 + 13 * i, key, value, headers)
    builder.close()
    data = builder.buffer()
    data[:8] = offset.to_bytes(8, "big")
    data[22] |= attributes
    return sealed(data)


GOOD = b'{"at":"2024-01-01T00:00:00Z","id":"a7","main":{"flow":%s},"level":%s,"more":[1,{"x":null}]}'
NUMBERS = (
    "1",
    "-0",
    "-0.0",
    "0.1",
    "1e5",
    "-1.5E-7",
    "9007199254740993",
    "1.7976931348623157e308",
    "5e-324",
    "1e999",
    "0.30000000000000004",
)
TEXTS = (
    '"a"',
    '""',
    '"\\u00e9"',
    '"\\ud83d\\ude00"',
    '"\\"q\\""',
    '"é"',
    "7",
    "-0",
    "1.50",
    "null",
    "true",
    "[]",
    '"\\x"',
    "1e999",
    "12345678901234567890",
)


def value(drawn):
    """A value of any kind: plain, odd, hostile, or none."""
    number, text = (lambda: drawn.choice([repr(drawn.gauss(0, 1e3)), *NUMBERS])), lambda: drawn.choice(TEXTS)
    match drawn.randrange(8):
        case 0 | 1 | 2:
            return GOOD % (number().encode(), number().encode())
        case 3:
            fields = [
                f'"id":{text()}',
                f'"at":{text()}',
                f'"level":{number()}',
                f'"main":{{"x":{text()},"flow":{number()}}}',
                f'"x":{number()}',
                f'"\\u0061t":{text()}',
            ]
            drawn.shuffle(fields)
            space = drawn.choice(["", " ", "\n\t\r"])
            return (
                "{"
                + space
                + f"{space},{space}".join(fields[: drawn.randint(0, 6)] + fields[: drawn.randint(0, 1)])
                + space
                + "}"
            ).encode()
        case 4:
            return f'{{"level":{drawn.choice([*NUMBERS, *TEXTS])},"y":{"[" * drawn.choice((1, 59, 70))}'.encode()
        case 5:
            deep = drawn.choice((1, 57, 58, 62, 70))
            return f'{{"level":{number()},"y":{"[" * deep}{"]" * deep}}}'.encode()
        case 6:
            spoiled = bytearray(GOOD % (number().encode(), number().encode()))
            for _ in range(drawn.randint(1, 3)):
                at = drawn.randrange(len(spoiled))
                spoiled[at : at + drawn.randrange(3)] = drawn.choice(
                    [b"", b'"', b"}", b"\xff", b"\xc3\xa9", b"\xed\xa0\x80", b",", b"0", b"\\", b"\x01", b"-"]
                )
            return bytes(spoiled)
        case _:
            return drawn.choice(
                [None, b"", b"{}", b"null", b"[1]", b"3", b"{" + b" " * 500 + b"}", b'{"level":1}x', b' {"level":1} ']
            )


def stream(drawn, writes=value):
    """What a fetch of a partition might bring: batches of every kind, and which transactions were aborted."""
    data, offset, aborted, open_ = bytearray(), drawn.randrange(50), [], {}
    for _ in range(drawn.randint(1, 8)):
        records = [
            (
                drawn.choice([None, b"", b"k%d" % drawn.randrange(3), b"\xff"]),
                writes(drawn),
                [("h", b"x"), ("n", b"")][: drawn.randrange(3)],
            )
            for _ in range(drawn.choice((1, 2, 30)))
        ]
        producer = drawn.choice((-1, 7, 8))
        gaps = [i for i in range(len(records)) if drawn.random() < 0.1]
        if producer >= 0 and producer not in open_ and drawn.random() < 0.5:
            open_[producer] = True
            aborted.append(Aborted(producer, offset))
        data += batch(records, offset, gaps, drawn.choice(CODECS), drawn.choice((0, 0, 8)), producer)
        offset += len(records) + len(gaps) + drawn.randrange(3)
        if producer >= 0 and drawn.random() < 0.7:
            marker = struct.pack(">hh", 0, 0 if open_.pop(producer, False) else 1)
            data += batch([(marker, b"", [])], offset, attributes=32, producer=producer)
            offset += 1
    return bytes(data), aborted, offset


def fetched(kind, data, aborted, start, takes):
    """What a partition gives in takes of some sizes, as rows, and where it stands behind each."""
    part = kind(start, AT, MemoryRecords(data), isolation_level=1, aborted_transactions=aborted)
    found = []
    for n in takes:
        if not part:
            break
        try:
            given = part.take(n)
        except Exception as error:  # noqa: BLE001  (whatever it is, of both)
            found.append(type(error).__name__)
            break
        count = len(given)
        rows = list(given)
        if rows and kind is not PartitionRows:
            rows = [rows_of(rows)]
        rows = joined(rows) if rows else rows_of([])
        table = rows.table[:, :2].tolist() if len(rows.table) else []
        found.append(
            (
                count,
                table,
                rows.keys() if table else [],
                rows.values() if table else [],
                part.next_fetch_offset,
                bool(part),
                part.leader_epoch,
            )
        )
    return found


@pytest.mark.parametrize("seed", range(3))
def test_records_are_those_of_the_client(seed):
    """Offsets, timestamps, keys and values, and where reading goes on: of every compression, aborted and compacted, from any offset, in pieces of any size."""
    for round_ in range(60):
        drawn = random.Random(f"{seed} {round_}")
        data, aborted, end = stream(drawn)
        start, takes = drawn.randrange(end + 1), [drawn.choice((1, 2, 7, 100)) for _ in range(300)]

        assert fetched(PartitionRows, data, aborted, start, takes) == fetched(
            Fetcher.PartitionRecords, data, aborted, start, takes
        )


def test_damaged_batches_fail_like_those_of_the_client():
    """A wrong checksum, and wrong bytes under a right one: the same records before it, the same error at the same place."""
    for round_ in range(400):
        drawn = random.Random(round_)
        parts = [
            batch([(b"k", b'{"level":1}', [("h", b"x")])] * 5, 10 * i, codec=drawn.choice((0, 0, 1))) for i in range(3)
        ]
        one = drawn.choice(parts)
        for _ in range(drawn.randint(1, 2)):
            one[drawn.randrange(61, len(one))] = drawn.randrange(256)
        if drawn.random() < 0.8:
            sealed(one)
        data, takes = bytes(b"".join(parts)), [drawn.choice((1, 3, 50))] * 30

        assert fetched(PartitionRows, data, [], 0, takes) == fetched(Fetcher.PartitionRecords, data, [], 0, takes)


def both(seed, rounds, writes=value, **options):
    """Two sources that have read the same streams, one of them whole batches: the fields of each of their blocks."""
    readers = [
        Reader(
            KafkaSource.Options(servers="x", topics=("in",), group="g", max_record_bytes=400, **options),
            SourceContext(keep_raw=True, counted=True),
        )
        for _ in range(2)
    ]
    theirs, ours = readers[0], RowReader(readers[1])
    found = ([], [])
    for round_ in range(rounds):
        data, aborted, _ = stream(random.Random(f"{seed} {round_}"), writes)
        records = Fetcher.PartitionRecords(
            0, AT, MemoryRecords(data), isolation_level=1, aborted_transactions=aborted
        ).take()
        pieces = list(PartitionRows(0, AT, MemoryRecords(data), isolation_level=1, aborted_transactions=aborted).take())
        assert bool(records) == bool(pieces)
        if records:
            for blocks, block in ((found[0], theirs.block(AT, records)), (found[1], ours.block(AT, pieces))):
                fields = {name: getattr(block, name) for name in block.__dataclass_fields__}
                fields |= {"values": (block.values.shape, block.values.tobytes()), "positions": list(block.positions)}
                fields |= {"times": None if block.times is None else list(block.times)}
                blocks.append(
                    fields | {"kinds": [list(map(type, x or ())) for x in (block.times, block.keys, block.positions)]}
                )
    return found, [one.chosen() for one in readers]


OPTIONS = {
    "nested": {"columns": ("main.flow", "level"), "time": "at", "key": "id"},
    "strict": {"columns": ("main.flow", "level"), "on_missing": "dead_letter"},
    "record-key": {"columns": ("level",), "record_key": True},
    "json-key": {"columns": ("level",), "time": "at", "record_key": True, "key_format": "json"},
    "counted": {"columns": (), "key": "id"},
    "one-inside-another": {"columns": ("main.flow",), "time": "main"},
    "twice": {"columns": ("level",), "time": "level"},
}


@pytest.mark.parametrize("options", OPTIONS)
def test_blocks_are_those_of_single_records(options):
    """Values to the last bit, times, keys, positions, dead letters with their reasons, raw records, counts of bad cells: of plain and of hostile JSON."""
    (theirs, ours), (told, told_here) = both(options, 60, **OPTIONS[options])

    assert theirs == ours
    assert told == told_here


@pytest.mark.parametrize("form", ["msgpack", "csv", "number"])
def test_blocks_of_other_formats_are_those_of_single_records(form):
    """Their records are cut by compiled code, and read as ever."""

    def writes(drawn):
        good = {
            "msgpack": msgspec.msgpack.encode({"level": drawn.random(), "at": "x"}),
            "csv": b"1.5,x",
            "number": b"2",
        }
        return drawn.choice([good[form], good[form], drawn.randbytes(5), None, b""])

    options = (
        {"columns": ("level",)}
        | ({"time": "at"} if form != "number" else {})
        | ({"csv_fields": ("level", "at")} if form == "csv" else {})
    )
    (theirs, ours), told = both(form, 20, writes, format=form, **options)

    assert theirs == ours
    assert told[0] == told[1]


def test_every_number_is_correctly_rounded():
    """Shortest and long digits of random doubles, ties between two of them and numbers of few digits are what Python reads, or left to others."""
    drawn, table, sure = random.Random(5), powers(), 0
    texts = [repr(struct.unpack("<d", drawn.randbytes(8))[0]) for _ in range(4000)]
    texts += [f"{drawn.randrange(10 ** drawn.randint(1, 19))}e{drawn.randint(-330, 310)}" for _ in range(2000)]
    texts += [str((1 << 53) + 2 * drawn.randrange(1 << 40) + 1) for _ in range(1000)] + [
        f"{drawn.randrange(1 << 30)}.5" for _ in range(500)
    ]
    texts = [text for text in texts if text[-1] not in "nf"]
    rows = [b'{"level":%s}' % text.encode() for text in texts]
    reader = Reader(KafkaSource.Options(servers="x", topics=("in",), group="g", columns=("level",)), SourceContext())
    scan = RowReader(reader)._scan
    ends = np.cumsum([len(row) for row in rows])
    found = scan(bytearray(b"".join(rows)), np.stack([ends - [len(row) for row in rows], ends], 1))

    doubtful = set(found.doubtful.tolist())
    for i, text in enumerate(texts):
        if i not in doubtful:
            sure += 1
            assert struct.pack("<d", found.values[i, 0]) == struct.pack("<d", float(text)), text
    assert sure > 0.9 * len([text for text in texts if 1e-300 < abs(float(text)) < 1e308])
    assert (table.shape, numeral.__name__, bits_of.__name__, is_utf8.__name__) == (
        (2 * 667,),
        "numeral",
        "bits_of",
        "is_utf8",
    )


def test_a_release_that_differs_is_read_record_by_record(monkeypatch, caplog):
    """Where a private part is missing, or gives something else, the present way is gone, with one warning that says why."""
    options = KafkaSource.Options(servers="x", topics=("in",), group="g", columns=("a",), columnar="auto")
    reader = SimpleNamespace(options=options)
    assert missing() == []
    assert differs() is None
    for spoil, why in ((lambda: ["kafka.x.y"], "lacks kafka.x.y"), (list, "offset 0")):
        row_reader._tried.cache_clear()
        caplog.clear()
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING, "streamrnn.kafka"):
            patch.setattr(client_private, "missing", spoil)
            patch.setattr(client_private, "rows_of", lambda _: None)
            patch.setattr(client_private, "cut", lambda *_: None)
            assert row_reader.row_reader(reader) is None
            assert row_reader.row_reader(reader) is None
        assert len(caplog.messages) == 1
        assert why in caplog.messages[0] or "Error" in caplog.messages[0]
    row_reader._tried.cache_clear()
    assert all(names for names in PARTS.values())


def test_off_is_off():
    """``columnar = "off"``, and CloudEvents, whose fields lie in headers, are read record by record."""
    for options in ({"columnar": "off"}, {"cloudevents": True}):
        made = KafkaSource.Options(servers="x", topics=("in",), group="g", columns=("a",), **options)
        assert row_reader.row_reader(SimpleNamespace(options=made)) is None


def test_what_comes_from_a_socket_is_whole():
    """Bytes are read in larger pieces than the client asks for: none is lost, and a socket that was closed is seen."""
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    sent = random.Random(1).randbytes(300_000)
    of = SimpleNamespace(_sock=ours)
    receive = client_private._large(transport.KafkaTCPTransport._sock_recv)
    threading.Thread(target=lambda: (theirs.sendall(sent), theirs.close())).start()
    got, error = b"", None
    while error is None:
        select.select([ours], [], [])
        more, error = receive(of)
        got += more
    ours.close()

    assert got == sent
    assert "socket disconnected" in str(error)


@pytest.mark.slow
def test_the_newest_release_of_the_client_gives_the_same(tmp_path):
    """Whole batches are read and written by the newest kafka-python there is: before the bound in pyproject.toml is raised, this says whether it can be."""
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--disable-pip-version-check",
        "--target",
        str(tmp_path),
        "kafka-python",
    ]
    got = subprocess.run(pip, capture_output=True, text=True, timeout=120, check=False)
    if got.returncode:
        pytest.skip(f"no registry of packages: {got.stderr[-200:]}")
    program = "import kafka, streamrnn_kafka.client_private as c; print(kafka.__version__, kafka.__file__, c.missing(), c.differs(), c.writes_differ())"
    found = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        check=False,
    )

    assert str(tmp_path) in found.stdout, found.stderr
    assert found.stdout.endswith("[] None None\n")
