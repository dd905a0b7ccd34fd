"""Whole batches of records to blocks: the same events, dead letters and offsets as record by record, by compiled code."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np
from kafka import TopicPartition

from streamrnn.io import Block, DeadLetter
from streamrnn_kafka.formats import Columns
from streamrnn_kafka.partitions import name_of
from streamrnn_kafka.reader import RECORD_TIME, Reader

__all__ = ["RowReader", "row_reader", "same_as_client"]

_log = logging.getLogger("streamrnn.kafka")

EXACT: int = 1 << 53
"""Below it each integer is a float64."""


class RowReader:
    """Makes blocks of :class:`streamrnn_kafka.record_table.Rows`, the rest like a :class:`Reader`.

    Parameters
    ----------
    reader
        What to read, and the way record by record: it gets whatever the compiled code is not sure of.
    """

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._private: Any = import_module("streamrnn_kafka.client_private")
        self._tables: Any = import_module("streamrnn_kafka.record_table")
        self._scan = _scanner(reader)

    def read_from(self, consumer: Any) -> None:
        """Have a consumer's polls bring whole batches.

        Parameters
        ----------
        consumer
            The client.
        """
        self._private.install(consumer)

    def block(self, partition: TopicPartition, records: Sequence[Any]) -> Block:
        """Return the events of some records, and those that are none.

        Parameters
        ----------
        partition
            Where they come from.
        records
            Pieces as the client gives them now, in order; at least one.
        """
        rows, reader, name = self._tables.joined(records), self._reader, name_of(partition)
        options, faults = reader.options, dict[int, str]()
        series: list[str | None] = []
        offsets = rows.offsets()
        if options.record_key:
            series = self._series(rows.keys(), faults)
        tried = [i for i in range(len(offsets)) if i not in faults] if faults else range(len(offsets))
        found = self._columns(rows.of(tried) if faults else rows)
        faults |= {tried[j]: reason for j, reason in found.faults.items()}
        letters: list[DeadLetter] = []
        good = rows
        if faults:
            kept = [i for i in range(len(offsets)) if i not in faults]
            good = rows.of(kept)
            series = [series[i] for i in kept] if series else []
            bad = sorted(faults)
            lost = rows.of(bad)
            letters = [
                DeadLetter(offsets[i], faults[i], value or b"", None, name, key)
                for i, value, key in zip(bad, lost.values(), lost.keys(), strict=True)
            ]
        keys = found.keys if options.key is not None else series if options.record_key else None
        return Block(
            options.columns,
            found.values,
            good.offsets() if faults else offsets,
            offsets[-1] + 1,
            keys,
            found.times if options.time is not None else _seconds(good.table[:, 1]),
            good.values() if reader.keep_raw else (),
            letters,
            name,
            RECORD_TIME if options.time is None else options.time,
        )

    def _series(self, keys: Sequence[bytes | None], faults: dict[int, str]) -> list[str | None]:
        if self._reader.options.key_format != "text":
            return [self._reader.series(i, key, faults) for i, key in enumerate(keys)]
        known = {key: self._reader.key_of(key) for key in set(keys)}
        return [known[key] for key in keys]

    def _columns(self, rows: Any) -> Columns:
        """Return the columns of some records, and why others are no events."""
        if self._scan is None or not len(rows.table):
            return self._reader.decoder.columns(rows.values())
        scanned = self._scan(rows.data, np.ascontiguousarray(rows.table[:, self._tables.VALUE :]))
        fields = self._reader.fields
        texts: Any = iter(scanned.texts)
        found = Columns(
            scanned.values,
            [] if fields.time is None else next(texts),
            [] if fields.key is None else list(next(texts)),
        )
        return _with_the_rest(found, scanned.doubtful.tolist(), self._reader, rows) if len(scanned.doubtful) else found


def _with_the_rest(found: Columns, doubtful: list[int], reader: Reader, rows: Any) -> Columns:
    """Return columns in which the records that compiled code was not sure of stand as the decoder reads them."""
    careful = reader.decoder.columns(rows.of(doubtful).values())
    found.times = list(found.times)
    found.faults = {doubtful[j]: reason for j, reason in careful.faults.items()}
    read = [i for i in doubtful if i not in found.faults]
    found.values[read] = careful.values
    for i, time in zip(read, careful.times, strict=False):
        found.times[i] = time
    for i, key in zip(read, careful.keys, strict=False):
        found.keys[i] = key
    if found.faults:
        kept = [i for i in range(len(found.values)) if i not in found.faults]
        found.values = found.values[kept]
        found.times = [found.times[i] for i in kept] if found.times else []
        found.keys = [found.keys[i] for i in kept] if found.keys else []
    return found


def _seconds(stamps: Any) -> list[float | None]:
    """Return timestamps in seconds; None where there is none."""
    if len(stamps) and (stamps.min() < 0 or stamps.max() >= EXACT):
        return [stamp / 1000 if stamp >= 0 else None for stamp in stamps.tolist()]
    found: list[float | None] = (stamps / 1000).tolist()
    return found


def _scanner(reader: Reader) -> Any:
    """Return what reads JSON by compiled code; None for another format, or where fields lie inside of each other."""
    fields = reader.fields
    if reader.options.format != "json":
        return None
    columns: Any = import_module("streamrnn.columns.json_columns")
    texts = [name for name in (fields.time, fields.key) if name is not None]
    plan = import_module("streamrnn.columns.json_plan").plan_of(fields.columns, texts)
    if plan is None:
        return None
    means = [columns.TIME] * (fields.time is not None) + [columns.KEY] * (fields.key is not None)
    width = len(fields.columns)
    scan = columns.JsonColumns(
        plan, width, means, min(1, width) if fields.allow_missing else width, reader.options.max_record_bytes
    )
    scan(bytearray(b"{}"), np.array([[0, 2]]))  # compiled, or loaded, before the first event
    return scan


def row_reader(reader: Reader) -> RowReader | None:
    """Return what reads whole batches; None where that is not wanted, or does not give what the client itself gives.

    Parameters
    ----------
    reader
        What to read.
    """
    options = reader.options
    if options.columnar == "off" or options.cloudevents or not _tried():
        return None
    return RowReader(reader)


@functools.cache
def _tried() -> bool:
    """Try the way of whole batches out, and warn once where it cannot be gone."""
    return same_as_client("differs", "Records are read")


def same_as_client(check: str, what: str) -> bool:
    """Tell whether our way through whole batches gives what the client's own gives, and warn where it does not.

    Parameters
    ----------
    check
        Name of the function of :mod:`streamrnn_kafka.client_private` that says where they differ.
    what
        What is done one by one then, as the beginning of the warning.
    """
    if import_module("streamrnn.columns.compiled").INTERPRETED:
        return False
    try:
        private: Any = import_module("streamrnn_kafka.client_private")
        lacking = private.missing()
        why = f"lacks {', '.join(lacking)}" if lacking else getattr(private, check)()
    except Exception as error:  # noqa: BLE001  (whatever another release does: the present way is there)
        why = f"{type(error).__name__}: {error}"
    if why is not None:
        _log.warning("%s one by one, several times slower: this release of kafka-python differs: %s", what, why)
    return why is None
