"""Results as records of message format 2, compiled: what stands behind the header of a batch, byte for byte as the client writes it."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.compiled import EMPTY, bytes_of, copy, kernel, put, stamped
from streamrnn.columns.lines import Lines, ended

__all__ = ["Packed", "packed"]

HEADER_BYTES: Final = 61
"""Of a batch: the client fills them in."""

MOST_BYTES: Final = 600_000
"""Of a batch: what a broker takes is 1 MiB, and a larger one saves nothing more."""

_OVERHEAD: Final = 32  # most bytes of a record besides key, value and headers


class Packed(NamedTuple):
    """Records of one batch.

    Parameters
    ----------
    data
        Room for the batch's header, then the records.
    first, end
        The number of the first record, and that behind the last. No records: the first one is too long for a batch.
    """

    data: bytearray
    first: int
    end: int


@kernel
def _write(out, p, value):  # type: ignore[no-untyped-def]
    """Write a number >= -1 with variable length."""
    w = np.uint64(value << 1) if value >= 0 else np.uint64(1)
    while w > np.uint64(127):
        p = put(out, p, np.uint8(w & np.uint64(127)) | np.uint8(128))
        w >>= np.uint64(7)
    return put(out, p, np.uint8(w))


@kernel
def _size(value):  # type: ignore[no-untyped-def]
    """Return how many bytes a number >= -1 takes."""
    w, n = value << 1, 1
    while w > 127:
        w >>= 7
        n += 1
    return n


def _make(stamp: str) -> Callable[..., Any]:
    def pack(keys, values, sizes, headers, shared, place, out):  # type: ignore[no-untyped-def]
        """Write records from ``place[0]`` on until ``out`` is full; ``place`` (first, key, value, end of out) moves on.

        ``sizes`` (n, 2): lengths of key and value, -1 for no key. ``headers``: those of all records, then from ``shared`` on those of the last.
        """
        stamp  # noqa: B018
        n, i, p = sizes.shape[0], place[0], place[3]
        first = i
        while i < n:
            key, value = sizes[i, 0], sizes[i, 1]
            at, more = (0, shared) if i < n - 1 else (shared, headers.shape[0] - shared)
            body = 2 + _size(i - first) + _size(key) + max(key, 0) + _size(value) + value + more
            if p + _size(body) + body > out.shape[0]:
                break
            p = _write(out, p, body)
            p = put(out, put(out, p, 0), 0)  # attributes; the time is the batch's
            p = _write(out, p, i - first)
            p = _write(out, p, key)
            p = copy(keys, place[1], place[1] + max(key, 0), out, p)
            p = _write(out, p, value)
            p = copy(values, place[2], place[2] + value, out, p)
            p = copy(headers, at, at + more, out, p)
            place[1] += max(key, 0)
            place[2] += value + 1  # a line end behind each
            i += 1
        place[0], place[3] = i, p

    return pack


@functools.cache
def _entry() -> Any:
    return stamped(_make, _write.py_func)


def _number(value: int) -> bytes:
    out = np.zeros(10, np.uint8)
    value, n = value << 1, 0
    while value > 127:
        out[n], value, n = value & 127 | 128, value >> 7, n + 1
    out[n] = value
    return out[: n + 1].tobytes()


def _headers(headers: Sequence[tuple[str, bytes]]) -> bytes:
    parts = [_number(len(headers))]
    for name, value in headers:
        raw = name.encode()
        parts += [_number(len(raw)), raw, _number(len(value)), value]
    return b"".join(parts)


def packed(
    values: Sequence[bytes],
    keys: Sequence[str | None] | None,
    headers: Sequence[tuple[str, bytes]],
    last: Sequence[tuple[str, bytes]],
    most: int = MOST_BYTES,
) -> Iterator[Packed]:
    """Yield records in batches, each of them once, in order.

    Parameters
    ----------
    values
        Values of the records.
    keys
        Keys of the records; None: they have none.
    headers
        Headers of each record but the last one.
    last
        Headers of the last one.
    most
        Bytes of a batch. A record that is longer by itself is yielded with no bytes: then :meth:`send` it, and pass over it.

    Examples
    --------
    >>> from streamrnn_kafka.record_pack import packed
    >>> [(len(one.data), one.first, one.end) for one in packed([b"{}", b"{}"], None, (), ())]
    [(79, 0, 2)]
    """
    named = [b""] * len(values) if keys is None else [b"" if key is None else key.encode() for key in keys]
    sizes: NDArray[np.int64] = np.empty((len(values), 2), np.int64)
    sizes[:, 0] = (
        -1 if keys is None else [-1 if key is None else len(raw) for key, raw in zip(keys, named, strict=True)]
    )
    sizes[:, 1] = values.lengths() if isinstance(values, Lines) else [len(value) for value in values]
    shared, others = _headers(headers), _headers(last)
    joined = bytearray(b"".join(named))
    data = values.whole() if isinstance(values, Lines) else bytes_of(bytearray(ended(values)))
    place = np.zeros(4, np.int64)
    rest = len(joined) + len(data) + len(values) * (_OVERHEAD + max(len(shared), len(others)))
    while place[0] < len(values):
        first, before = int(place[0]), int(place[1] + place[2])
        out = bytearray(HEADER_BYTES + min(most - HEADER_BYTES, rest))
        place[3] = HEADER_BYTES
        _entry()(
            bytes_of(joined), data if len(data) else EMPTY, sizes, bytes_of(bytearray(shared + others)), len(shared), place, bytes_of(out)
        )  # fmt: skip
        end = int(place[0])
        rest -= int(place[1] + place[2]) - before
        del out[place[3] :]
        yield Packed(out, first, end)
        if end == first:
            place[0] += 1
            place[1] += max(0, sizes[first, 0])
            place[2] += sizes[first, 1] + 1
