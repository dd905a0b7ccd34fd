"""The short form of ``make exhaustive``."""

from __future__ import annotations

import numpy as np

from tests.exhaustive.doubles import KINDS, compare
from tests.exhaustive.records import of_files, of_kafka


def test_doubles_are_written_and_read_as_by_python(monkeypatch):
    """Some of every kind: random bits, subnormals, powers, short decimals, integers; ties among the texts."""
    monkeypatch.setattr("tests.exhaustive.doubles.CHUNK", 4000)
    with np.errstate(all="ignore"):
        found = compare(4000 * len(KINDS), 7)

    assert found.differences == []
    assert found.compared == 4000 * len(KINDS)
    assert 0 < found.left < found.compared // 2


def test_records_are_read_as_one_by_one(monkeypatch):
    """Files of both formats, and streams of Kafka's batches; their own tests read some of each kind."""
    monkeypatch.setattr("tests.exhaustive.records.LINES", 150)
    monkeypatch.setattr("tests.exhaustive.records.BATCHES", 4)
    lines, files = of_files(15 * 150, 7)
    records, kafka = of_kafka(100, 7)

    assert (files, kafka) == ([], [])
    assert lines == 15 * 150
    assert records >= 100
