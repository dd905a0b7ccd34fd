"""Arrays on one flat block of bytes, each 64-byte aligned: a header of int64 words says where each begins.

Nets and forecast states are laid out by this one writer. A stretch of the slab may come several times, one for each stream
(an *area*): arrays that are added between :meth:`Slab.begin_areas` and :meth:`Slab.end_areas` lie in it. There may be a million: small arrays lie close together, and
no cache line holds a part of one that would fit into it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

ALIGNMENT: Final = 64  # bytes: a cache line, and a vector of any processor


def up(n: int, to: int) -> int:
    """Round ``n`` up to a multiple of ``to``."""
    return -(-n // to) * to


def _alignment(size: int) -> int:
    """Return what an array of an area is aligned to: the power of two that holds it, from a number to a cache line."""
    return min(1 << max(size - 1, 7).bit_length(), ALIGNMENT)


@dataclass(frozen=True, slots=True)
class Field:
    """One array of the slab: where it starts and its size (bytes; in area 0), type, shape, and whether each area has one."""

    at: int
    size: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    in_area: bool


class Slab:
    """Where each array of a slab lies. Add all arrays, then allocate as many slabs as needed.

    Parameters
    ----------
    header_words
        Length of the header, in int64.

    Examples
    --------
    >>> from streamrnn.kernels.slab import Slab
    >>> layout = Slab(16)
    >>> layout.add(3, "weights", "f4", 2, 5)
    >>> slab = layout.allocate()
    >>> slab[:128].view("i8")[3], layout.view(slab, "weights").shape, layout.nbytes
    (np.int64(32), (2, 5), 192)
    """

    def __init__(self, header_words: int) -> None:
        self.header_words = header_words
        self.fields: dict[str, Field] = {}
        self.words: dict[int, int] = {}
        self.nbytes = up(8 * header_words, ALIGNMENT)
        self.areas, self.area_at, self.area_nbytes = 1, 0, 0
        self._in_area = False

    def note(self, words: Iterable[tuple[int, int]]) -> None:
        """Set header words to numbers, given as (word, number)."""
        for word, value in words:
            self._set(word, int(value))

    def _set(self, word: int, value: int) -> None:
        """Set a header word, which nothing else may have: kernels would take one thing for the other."""
        if not 0 <= word < self.header_words or word in self.words:
            raise ValueError(f"Header word {word} is taken, or not one of {self.header_words}.")
        self.words[word] = value

    def add(self, word: int, name: str, dtype: str, *shape: int) -> None:
        """Add an array; its header word is its offset, in units of its own type."""
        kind = np.dtype(dtype)
        size = kind.itemsize * math.prod(shape)
        start = up(self.nbytes, _alignment(size)) if self._in_area else self.nbytes
        self.fields[name] = Field(start, size, kind, shape, self._in_area)
        self._set(word, start // kind.itemsize)
        self.nbytes = start + size if self._in_area else up(start + size, ALIGNMENT)

    def add_all(self, dtype: str, arrays: Iterable[tuple[Any, ...]]) -> None:
        """Add arrays of one type, given as (word, name, *shape)."""
        for word, name, *shape in arrays:
            self.add(word, name, dtype, *shape)

    def begin_areas(self) -> None:
        """Let what is added from here on come once for each stream."""
        self.area_at, self._in_area = self.nbytes, True

    def end_areas(self, areas: int) -> None:
        """Repeat what was added since :meth:`begin_areas` so many times."""
        self.areas, self._in_area = areas, False
        self.nbytes = up(self.nbytes, ALIGNMENT)
        self.area_nbytes = self.nbytes - self.area_at
        self.nbytes += (areas - 1) * self.area_nbytes

    def allocate(self) -> NDArray[np.uint8]:
        """Return a slab of zeros, 64-byte aligned, with its header filled in."""
        raw = np.zeros(self.nbytes + ALIGNMENT, np.uint8)
        start = -raw.ctypes.data % ALIGNMENT
        slab = raw[start : start + self.nbytes]
        header = slab[: 8 * self.header_words].view(np.int64)
        for word, value in self.words.items():
            header[word] = value
        return slab

    def view(self, slab: NDArray[np.uint8], name: str, area: int = 0) -> NDArray[Any]:
        """Return one array of the slab, without a copy; ``area`` counts where each area has one."""
        field = self.fields[name]
        start = field.at + (area * self.area_nbytes if field.in_area else 0)
        return slab[start : start + field.size].view(field.dtype).reshape(field.shape)

    def every(self, slab: NDArray[np.uint8], name: str) -> NDArray[Any]:
        """Return one array of every area at once, without a copy: its shape behind an axis of areas, which is 1 outside of them."""
        field = self.fields[name]
        if not field.in_area:
            return self.view(slab, name)[np.newaxis]
        areas = slab[self.area_at : self.area_at + self.areas * self.area_nbytes].reshape(-1, self.area_nbytes)
        start = field.at - self.area_at
        return areas[:, start : start + field.size].view(field.dtype).reshape(self.areas, *field.shape)
