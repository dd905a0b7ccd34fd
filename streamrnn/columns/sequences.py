"""Texts of many events in one piece: whoever takes them one by one sees a sequence of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Numbered", "Texts"]


class Texts(Sequence[str | None]):
    r"""Texts as lines of a file, some of them missing.

    Parameters
    ----------
    data
        uint8, shape (m,): holds them in UTF-8, a line end behind each. None of them holds one.
    ends
        int64, shape (n,), one more than texts: where the first begins, and where each ends, behind its line end.
    missing
        int64, shape (k,): the numbers of those that are missing, in order; their lines are empty.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.sequences import Texts
    >>> texts = Texts(np.frombuffer(b"ab\n\nc\n", np.uint8), np.array([0, 3, 4, 6]), np.array([1]))
    >>> list(texts), texts[2], list(texts[1:])
    (['ab', None, 'c'], 'c', [None, 'c'])
    """

    def __init__(self, data: NDArray[np.uint8], ends: NDArray[np.int64], missing: NDArray[np.int64]) -> None:
        self.data, self.ends, self.missing = data, ends, missing
        self._list: list[str | None] | None = None

    def __len__(self) -> int:
        return len(self.ends) - 1

    @overload
    def __getitem__(self, i: int) -> str | None: ...
    @overload
    def __getitem__(self, i: slice) -> Texts: ...
    def __getitem__(self, i: int | slice) -> str | Texts | None:
        if isinstance(i, slice):
            start, stop, _ = i.indices(len(self))
            stop = max(start, stop)
            inside = self.missing[(self.missing >= start) & (self.missing < stop)]
            return Texts(self.data, self.ends[start : stop + 1], inside - start)
        return self._texts()[i]

    def __iter__(self) -> Iterator[str | None]:
        return iter(self._texts())

    def _texts(self) -> list[str | None]:
        if self._list is None:
            whole = self.data[self.ends[0] : self.ends[-1]].tobytes().decode()
            found: list[str | None] = [*whole.split("\n")[:-1]]
            for i in self.missing.tolist():
                found[i] = None
            self._list = found
        return self._list


class Numbered(Sequence[str]):
    """Texts that begin alike and end with a number.

    Parameters
    ----------
    start
        How they begin.
    numbers
        int64, shape (n,).

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.sequences import Numbered
    >>> texts = Numbered("f:", np.array([0, 17]))
    >>> list(texts), texts[-1], list(texts[:1])
    (['f:0', 'f:17'], 'f:17', ['f:0'])
    """

    def __init__(self, start: str, numbers: NDArray[np.int64]) -> None:
        self.start, self.numbers = start, numbers

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, i: int) -> str: ...
    @overload
    def __getitem__(self, i: slice) -> Numbered: ...
    def __getitem__(self, i: int | slice) -> str | Numbered:
        if isinstance(i, slice):
            return Numbered(self.start, self.numbers[i])
        return f"{self.start}{self.numbers[i]}"

    def __iter__(self) -> Iterator[str]:
        start = self.start
        return (f"{start}{number}" for number in self.numbers.tolist())
