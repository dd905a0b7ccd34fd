"""Which key has which area, in one array: a table of hashes beside the list of the keys that hold them.

A look into a dict of a million keys waits three times for memory, one key after the other: for its index, for the entry, for the number. Here all keys of a block are looked
for at once, and a key takes 16 to 32 bytes, not some 80.
"""

from __future__ import annotations

import sys
from collections.abc import Hashable, Iterable, Mapping, Sequence
from itertools import compress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["KeyTable"]

WHOLE: Final = 0xFFFFFFFFFFFFFFFF
SPREAD: Final = 0x9E3779B97F4A7C15  # 2^64 over the golden ratio: hashes of like keys go evenly over the table (D. Knuth, TAOCP 3, section 6.4)
LEAST_BITS: Final = 3
FEW: Final = 128  # keys: fewer are looked for one by one, in less time than arrays take
MOST_RECENT: Final = 16384
ROUNDS: Final = (
    8  # in which all are looked for at once; of a table that is at most half full one key in a thousand lies farther
)


class KeyTable:
    """Areas by key: open addressing with linear probing in one array of words, each the first bits of a spread hash, and the area.

    Keys are told apart as in a dict: by identity, or hash and equality. A word says where its probing begins, so no key is hashed
    anew when the table grows or one goes.

    Parameters
    ----------
    areas
        By key, each from 1 on.

    Examples
    --------
    >>> from streamrnn.models._key_table import KeyTable
    >>> table = KeyTable({"a": 1})
    >>> table.add("b", 2)
    >>> table.remove("a")
    >>> table.find("a"), table.find("b"), table.find_many(["b", "c"]).tolist(), len(table)
    (0, 2, [2, 0], 1)
    """

    __slots__ = ("_cells", "_low", "_mask", "_recent", "_shift", "_taken", "_words", "held")

    def __init__(self, areas: Mapping[Hashable, int]) -> None:
        self._taken = len(areas)
        self._recent: dict[
            Hashable, int
        ] = {}  # areas of keys that were looked for one by one: of few keys a dict knows in a seventh of the time
        self.held = np.empty(1 + max(areas.values(), default=0), object)  # the key of each area; None where it is free
        for key, area in areas.items():
            self.held[area] = key
        self._lay(_spread(areas, len(areas)), np.array(list(areas.values()), np.uint64))

    def __len__(self) -> int:
        return self._taken

    def __deepcopy__(self, memo: dict[int, Any]) -> KeyTable:
        """Return a table of its own for the same keys, whose hashes need not be those of copies."""
        areas = (self._words[self._words != 0] & np.uint64(self._low)).tolist()
        return KeyTable(dict(zip(self.held[areas].tolist(), areas, strict=True)))

    def __sizeof__(self) -> int:
        return object.__sizeof__(self) + self._words.nbytes + self.held.nbytes + sys.getsizeof(self._recent)

    def find(self, key: Hashable) -> int:
        """Return the area of a key, 0 where it has none.

        Parameters
        ----------
        key
            Of a stream.

        Raises
        ------
        TypeError
            When it cannot be looked up.
        """
        area = self._recent.get(key, 0)
        if area:
            return area
        mixed = hash(key) * SPREAD & WHOLE
        cells, low, at = self._cells, self._low, mixed >> self._shift
        while word := cells[at]:
            if word ^ mixed <= low:
                one = self.held[word & low]
                if one is key or one == key:
                    if len(self._recent) == MOST_RECENT:
                        self._recent.clear()
                    area = self._recent[key] = word & low
                    return area
            at = (at + 1) & self._mask
        return 0

    def find_many(self, keys: Sequence[Hashable]) -> NDArray[np.int64]:
        """Return the area of each key, 0 where it has none.

        Parameters
        ----------
        keys
            Of streams, (n,).

        Raises
        ------
        TypeError
            When one cannot be looked up.
        """
        n = len(keys)
        if n < FEW:
            return np.fromiter(map(self.find, keys), np.int64, n)
        mixed, low = _spread(keys, n), np.uint64(self._low)
        at = (mixed >> np.uint64(self._shift)).view(np.int64)
        words = self._words[at]
        areas = (words & low).view(np.int64)
        left = np.flatnonzero((words ^ mixed > low) & (words != 0))
        for _ in range(ROUNDS):
            if len(left) < FEW // 8:
                break
            at[left] = (at[left] + 1) & self._mask
            words = self._words[at[left]]
            areas[left] = (words & low).view(np.int64)
            left = left[(words ^ mixed[left] > low) & (words != 0)]
        areas[left] = [self.find(keys[i]) for i in left.tolist()]
        found: list[Hashable] = self.held[areas].tolist()
        wanted = list(keys)
        if not areas.all():
            there = areas.tolist()
            found, wanted = list(compress(found, there)), list(compress(wanted, there))
        if found != wanted:  # two hashes were alike
            return np.fromiter(map(self.find, keys), np.int64, n)
        return areas

    def add(self, key: Hashable, area: int) -> None:
        """Take up a key that has no area yet.

        Parameters
        ----------
        key
            Of a stream.
        area
            That it gets.
        """
        self._taken += 1
        if area >= len(self.held):
            wider = np.empty(2 * area, object)
            wider[: len(self.held)] = self.held
            self.held = wider
        self.held[area] = key
        if 2 * self._taken > self._mask:
            words = self._words[self._words != 0]
            self._lay(words & ~np.uint64(self._low), words & np.uint64(self._low))
        self._put((hash(key) * SPREAD & WHOLE & ~self._low) | area)

    def remove(self, key: Hashable) -> None:
        """Let a key go that has an area. Those behind it that would not be found any more move up.

        Parameters
        ----------
        key
            Of a stream.
        """
        area = self.find(key)
        self.held[area] = None
        self._recent.pop(key, None)
        word = (hash(key) * SPREAD & WHOLE & ~self._low) | area
        cells, mask, gap = self._cells, self._mask, word >> self._shift
        while cells[gap] != word:
            gap = (gap + 1) & mask
        at = (gap + 1) & mask
        while word := cells[at]:
            if (at - (word >> self._shift)) & mask >= (at - gap) & mask:
                cells[gap], gap = word, at
            at = (at + 1) & mask
        cells[gap] = 0
        self._taken -= 1

    def _put(self, word: int) -> None:
        cells, at = self._cells, word >> self._shift
        while cells[at]:
            at = (at + 1) & self._mask
        cells[at] = word

    def _lay(self, spread: NDArray[np.uint64], areas: NDArray[np.uint64]) -> None:
        """Begin an array that is at most half full with all that are taken: known ones in the order of their hashes, each where it begins or just behind others."""
        bits = max(LEAST_BITS, (2 * self._taken).bit_length())
        self._mask, self._shift = (1 << bits) - 1, 64 - bits
        self._low = (1 << max(bits, len(self.held).bit_length())) - 1
        self._words = np.zeros(1 << bits, np.uint64)
        self._cells = memoryview(self._words)  # type: ignore[arg-type]
        words = np.sort((spread & ~np.uint64(self._low)) | areas)
        order = np.arange(len(words))
        at = order + np.maximum.accumulate((words >> np.uint64(self._shift)).view(np.int64) - order)
        fits = at <= self._mask
        self._words[at[fits]] = words[fits]
        for word in words[~fits].tolist():  # round the end
            self._put(word)


def _spread(keys: Iterable[Hashable], n: int) -> NDArray[np.uint64]:
    """Return the hash of each key, spread over 64 bits."""
    return np.fromiter(map(hash, keys), np.int64, n).view(np.uint64) * np.uint64(SPREAD)
