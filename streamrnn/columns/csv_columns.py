"""Records of a CSV to columns of numbers and texts: one compiled call for all of them."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.columns.compiled import bytes_of, stamped
from streamrnn.columns.csv_scan import NUMBER, OTHER, TEXT, scan_row
from streamrnn.columns.decimals import numeral
from streamrnn.columns.json_columns import Scanned, line, plain_texts
from streamrnn.columns.json_scan import NONE, STRING
from streamrnn.columns.texts import string
from streamrnn.columns.wide import powers, product

__all__ = ["CsvColumns", "delimits"]


def _make(stamp: str) -> Callable[..., Any]:
    def csv_columns(buf, spans, delimiter, utf8, columns, powers, least, most, bits, found, texts, ends, sure):
        """Read the records of ``spans``; return how many are not sure. ``sure`` is their flag, ``texts`` those of each column, by lines."""
        stamp  # noqa: B018  (its value is part of the code's name on disk)
        doubtful = 0
        for i in range(spans.shape[0]):
            start, end = spans[i, 0], spans[i, 1]
            count = -1
            if start >= 0 and end - start <= most:
                count = scan_row(buf, start, end, delimiter, utf8, columns, powers, bits[i], found[i])
            sure[i] = 1 if count >= least else 0
            doubtful += 1 - sure[i]
            for k in range(ends.shape[0]):
                if sure[i] == 0:
                    found[i, 3 * k] = NONE
                if found[i, 3 * k] == STRING:
                    ends[k] = line(buf, found[i, 3 * k + 1], found[i, 3 * k + 2], texts[k], ends[k])
                else:
                    ends[k] = line(buf, 0, 0, texts[k], ends[k])
        return doubtful

    return csv_columns


@functools.cache
def _entry() -> Any:
    return stamped(_make, scan_row.py_func, string.py_func, numeral.py_func, product.py_func, line.py_func)


def delimits(delimiter: str) -> bool:
    """Whether cells can be told apart by a character: one of ASCII that no number holds.

    Parameters
    ----------
    delimiter
        The character.

    Examples
    --------
    >>> from streamrnn.columns.csv_columns import delimits
    >>> delimits(";"), delimits("e"), delimits("§")
    (True, False, False)
    """
    return len(delimiter) == 1 and delimiter in "\t!#$%&'()*,/:;<=>?@[]^_`{|}~"


class CsvColumns:
    """Reads records of a CSV, as exactly as a reader of cells does.

    Parameters
    ----------
    width
        How many columns there are.
    numbers
        Which of them are numbers, with the decimal mark of each.
    texts
        Which of them are texts.
    delimiter
        What stands between two cells.
    utf8
        Whether texts are UTF-8; else one that is not ASCII is doubtful.
    least
        A record with fewer numbers is doubtful.
    most
        A record with more bytes is.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.columns.csv_columns import CsvColumns
    >>> found = CsvColumns(2, {1: "."}, [0], ",", True, 1, 1000)(bytearray(b"9:15,1.5much,"), np.array([[0, 8], [8, 13]]))
    >>> found.values[0].tolist(), found.texts[0][0], found.doubtful.tolist()
    ([1.5], '9:15', [1])
    """

    def __init__(
        self,
        width: int,
        numbers: Mapping[int, str],
        texts: Sequence[int],
        delimiter: str,
        utf8: bool,
        least: int,
        most: int,
    ) -> None:
        self._columns = np.zeros((width, 3), np.int64)
        self._columns[:, 0] = OTHER
        for place, (at, mark) in enumerate(numbers.items()):
            self._columns[at] = NUMBER, place, ord(mark)
        for place, at in enumerate(texts):
            self._columns[at] = TEXT, place, 0
        self._numbers, self._texts = len(numbers), len(texts)
        self._delimiter, self._utf8, self._least, self._most = ord(delimiter), int(utf8), least, most
        self._run, self._powers = _entry(), powers()

    def __call__(self, data: bytearray, spans: NDArray[np.int64]) -> Scanned:
        """Return the columns of some records.

        Parameters
        ----------
        data
            Holds the records.
        spans
            int64, shape (n, 2): where each begins, and where it ends; a beginning below 0 for none.
        """
        n, m = len(spans), self._texts
        bits = np.full((n, self._numbers), np.nan)
        found = np.zeros((n, 3 * m), np.int64)
        texts = np.empty((m, n + len(data)), np.uint8)
        ends = np.zeros(m, np.int64)
        sure = np.empty(n, np.uint8)
        doubtful = self._run(
            bytes_of(data), spans, self._delimiter, self._utf8, self._columns, self._powers, self._least, self._most,
            bits.view(np.uint64), found, texts, ends, sure,
        )  # fmt: skip
        return Scanned(
            bits,
            [plain_texts(found[:, 3 * k : 3 * k + 3], texts[k, : ends[k]]) for k in range(m)],
            np.flatnonzero(sure == 0) if doubtful else np.empty(0, np.int64),
        )
