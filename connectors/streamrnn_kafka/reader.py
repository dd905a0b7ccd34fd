"""Records of a partition to a block: the values' columns, the series that keys name, dead letters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kafka import TopicPartition

from streamrnn.errors import ConfigError
from streamrnn.io import Block, DeadLetter, SourceContext, Tally
from streamrnn_kafka.formats import FORMATS, Decoder, Fields, KeyDecoder
from streamrnn_kafka.options import SourceOptions
from streamrnn_kafka.partitions import name_of
from streamrnn_kafka.registry import Registry
from streamrnn_kafka.values import RecordError

__all__ = ["Reader"]

RECORD_TIME = "timestamp"
"""What the time of events is called where it is that of their records."""


class Reader:
    """Makes blocks of records.

    Parameters
    ----------
    options
        What to read of a record.
    context
        What the run asks besides.

    Raises
    ------
    ConfigError
        When no fields are named, and records are not counted.
    """

    def __init__(self, options: SourceOptions, context: SourceContext) -> None:
        if not options.columns and not context.counted:
            raise ConfigError("[source] columns: is missing. It must be a list, each item a text.")
        self.options = options
        self.keep_raw = context.keep_raw
        registry = None if options.registry is None else Registry(options)
        fields = Fields(
            options.columns, options.time, options.key, options.on_missing == "mean", options.csv_fields, registry,
            options.cloudevents,
        )  # fmt: skip
        self._tally = Tally()
        self.fields = fields
        self.decoder = Decoder(FORMATS[options.format], fields, options.max_record_bytes, self._tally)
        self.key_of = KeyDecoder(FORMATS.get(options.key_format), options.key_field, registry)

    def block(self, partition: TopicPartition, records: Sequence[Any]) -> Block:
        """Return the events of some records, and those that are none.

        Parameters
        ----------
        partition
            Where they come from.
        records
            As the client gives them, in order; at least one.
        """
        name, options = name_of(partition), self.options
        faults: dict[int, str] = {}
        series: list[str | None] = []
        if options.record_key:
            series = [self.series(i, record.key, faults) for i, record in enumerate(records)]
        tried = [i for i in range(len(records)) if i not in faults]
        headers = [records[i].headers for i in tried] if options.cloudevents else ()
        found = self.decoder.columns([records[i].value for i in tried], headers)
        faults |= {tried[j]: reason for j, reason in found.faults.items()}
        good = [i for i in tried if i not in faults] if found.faults else tried
        letters = [
            DeadLetter(records[i].offset, faults[i], records[i].value or b"", None, name, records[i].key)
            for i in sorted(faults)
        ]
        keys: Sequence[str | None] | None = found.keys if options.key is not None else None
        if options.record_key:
            keys = [series[i] for i in good]
        times: Sequence[Any] = found.times
        if options.time is None:
            stamps = [records[i].timestamp for i in good]
            times = [stamp / 1000 if stamp >= 0 else None for stamp in stamps]
        return Block(
            options.columns,
            found.values,
            [records[i].offset for i in good],
            records[-1].offset + 1,
            keys,
            times,
            [records[i].value for i in good] if self.keep_raw else (),
            letters,
            name,
            RECORD_TIME if options.time is None else options.time,
        )

    def chosen(self) -> dict[str, Any]:
        """Return what is read, and what of it could not be read so far, as :class:`streamrnn.io.ChoosingSource` says it."""
        options = self.options
        return {
            "columns": list(options.columns),
            "left_out": {},
            "time": {"column": RECORD_TIME if options.time is None else options.time},
            "key": "the record's key" if options.record_key else options.key,
            "order": "oldest first",
            "format": options.format,
            **self._tally.told(),
        }

    def series(self, i: int, key: bytes | None, faults: dict[int, str]) -> str | None:
        """Return the series that a record's key names, or note why it names none.

        Parameters
        ----------
        i
            Number of the record.
        key
            Its key.
        faults
            Why a record is no event, by its number.
        """
        try:
            return self.key_of(key)
        except RecordError as error:
            faults[i] = str(error)
            return None
