"""What a record takes, and a dead letter as a record that fits."""

from __future__ import annotations

from collections.abc import Sequence

from streamrnn.io import DeadLetter
from streamrnn_kafka.partitions import partition_of

__all__ = ["LEAST_RECORD_BYTES", "PAGE_ROOM", "letter_record", "record_bytes"]

Headers = list[tuple[str, bytes]]

BATCH_BYTES = 61 + 21
"""The header of a batch, which a long record has for itself, and what surrounds a record in it, at most."""

FIELD_BYTES = 5
"""A length in front of a field, at most."""

PAGE_ROOM = 4096
"""What the key of a state record and all that surrounds it take at most: names of topics have 249 characters."""

KEPT_BYTES = 1024
"""Of a key or a value that had to be cut."""

REASON_BYTES = 4096
"""Reasons are sentences; what they quote is short, but names of fields may be of any length."""

LEAST_RECORD_BYTES = 16 * 1024
"""A dead letter with a cut key, a cut value and the longest headers always fits into this."""


def record_bytes(key: bytes | None, value: bytes, headers: Sequence[tuple[str, bytes]]) -> int:
    """Return what a record takes on its way to the broker, at most, uncompressed and in a batch of its own.

    Parameters
    ----------
    key
        The record's key, or None.
    value
        The record's value.
    headers
        Names and values of its headers.
    """
    fields = [key or b"", value, *(part for name, text in headers for part in (name.encode(), text))]
    return BATCH_BYTES + FIELD_BYTES * (len(fields) + 1) + sum(map(len, fields))


def letter_record(letter: DeadLetter, group: str, limit: int) -> tuple[bytes | None, bytes, Headers]:
    """Return key, value and headers of a dead letter: the record as it came, and why in the headers.

    Where they are longer than ``limit`` together, the longer one of key and value is cut, then the other one; the
    reason says so.

    Parameters
    ----------
    letter
        The record that is no event.
    group
        The consumer group that has read it.
    limit
        Most bytes of key, value and headers together.
    """
    from_ = partition_of(letter.partition)
    key, value, reason, cuts = letter.key, letter.raw, letter.reason, Headers()
    while True:
        headers = [
            ("__streamrnn.error.reason", _shortened(reason)),
            ("__streamrnn.error.exception", b"RecordError"),
            ("__streamrnn.error.topic", from_.topic.encode()),
            ("__streamrnn.error.partition", str(from_.partition).encode()),
            ("__streamrnn.error.offset", str(letter.position).encode()),
            ("__streamrnn.error.application", group.encode()),
            *cuts,
        ]
        if record_bytes(key, value, headers) <= limit or len(cuts) > 1:
            return key, value, headers
        if len(value) >= len(key or b""):
            reason += f" The value is cut here: it has {len(value)} bytes."
            cuts.append(("__streamrnn.error.cut", str(len(value)).encode()))
            value = value[:KEPT_BYTES]
        else:
            reason += f" The key is cut here: it has {len(key or b'')} bytes."
            cuts.append(("__streamrnn.error.cut_key", str(len(key or b"")).encode()))
            key = (key or b"")[:KEPT_BYTES]


def _shortened(reason: str) -> bytes:
    """Return a reason as bytes; where it is too long, its beginning and its end."""
    text = reason.encode()
    return text if len(text) <= REASON_BYTES else text[: REASON_BYTES // 2] + b" ... " + text[-REASON_BYTES // 2 + 5 :]
