"""Samples as remote write 1.0 takes them: a few fields of Protobuf, in the format of Snappy."""

from __future__ import annotations

import struct

from streamrnn_prometheus.samples import Batch

__all__ = ["HEADERS", "write_request"]

HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}

PIECE = 65536
"""Of Snappy's format, the longest literal with a length of two bytes."""


def _varint(n: int) -> bytes:
    found = bytearray()
    while n > 127:
        found.append(n & 127 | 128)
        n >>= 7
    found.append(n)
    return bytes(found)


def _held(number: int, data: bytes) -> bytes:
    """Return a field that holds bytes."""
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def write_request(batch: Batch) -> bytes:
    r"""Return a request: the message ``WriteRequest``, as literals of Snappy, which compress nothing and need no library.

    Parameters
    ----------
    batch
        Series and their samples.

    Examples
    --------
    >>> from streamrnn_prometheus.remote_write import write_request
    >>> write_request([]), len(write_request([({"__name__": "up"}, [(1, 1.0)])]))
    (b'\x00', 35)
    """
    parts = []
    for labels, samples in batch:
        one = [_held(1, _held(1, name.encode()) + _held(2, text.encode())) for name, text in sorted(labels.items())]
        one += [_held(2, b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(ms)) for ms, value in samples]
        parts.append(_held(1, b"".join(one)))
    data = b"".join(parts)
    pieces = (data[i : i + PIECE] for i in range(0, len(data), PIECE))
    return _varint(len(data)) + b"".join(b"\xf4" + struct.pack("<H", len(one) - 1) + one for one in pieces)
