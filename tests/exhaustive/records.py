"""Records of every kind, plain and hostile, read by compiled code and one by one: the same events, dead letters and positions."""

from __future__ import annotations

import importlib
import random
import sys
import tempfile
from itertools import count as numbers
from pathlib import Path
from unittest import mock

from streamrnn_files import scanned, source

CONNECTORS = Path(__file__).parents[1] / "connectors"
sys.path[:0] = [str(CONNECTORS / "files"), str(CONNECTORS / "kafka")]

LINES = 1000
"""Of a file."""

BATCHES = 20
"""Streams of Kafka's batches read by one reader."""


def of_files(count: int, seed: int) -> tuple[int, list[str]]:
    """Compare so many lines of files; return how many there were, and the kind and seed of what differs."""
    tests = importlib.import_module("test_files_columns")
    kinds = [(f"JSON {options}", tests.json_line, b"", ".jsonl", options) for options in tests.JSON_OPTIONS]
    kinds += [(name, line, header, ".csv", options) for name, (line, header, options) in tests.CSV.items()]
    done, differences = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for i in numbers():
            if done >= count:
                return done, differences
            name, line, header, suffix, options = kinds[i % len(kinds)]
            path = Path(folder, f"in{suffix}")
            data = tests.stream(random.Random(f"{seed} {i}"), line, LINES)
            path.write_bytes(header + data.removeprefix(b"\xef\xbb\xbf") if header else data)
            with mock.patch.object(source, "LONG", 1 << 60):
                alone = tests.seen(path, size=997, **options)
            with mock.patch.object(source, "LONG", 0), mock.patch.object(scanned, "LEAST", 1):
                many = tests.seen(path, size=97 if i % 2 else 997, **options)
            if alone != many:
                differences.append(f"{name}, seed {seed} {i}")
            done += LINES
    raise AssertionError


def of_kafka(count: int, seed: int) -> tuple[int, list[str]]:
    """The same of Kafka's batches: compressed, with aborted transactions, compacted."""
    tests = importlib.import_module("test_kafka_columns")
    done, differences = 0, []
    for i in numbers():
        if done >= count:
            return done, differences
        name = list(tests.OPTIONS)[i % len(tests.OPTIONS)]
        (theirs, ours), (told, told_here) = tests.both(f"{seed} {i}", BATCHES, **tests.OPTIONS[name])
        if theirs != ours or told != told_here:
            differences.append(f"{name}, seed {seed} {i}")
        done += sum(len(block["positions"]) + len(block["dead_letters"]) for block in theirs)
    raise AssertionError
