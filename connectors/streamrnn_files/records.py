"""Records of a file as places in its bytes: whoever takes them one by one sees a sequence of bytes."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import overload

import numpy as np
from numpy.typing import NDArray

__all__ = ["Records", "joined", "of_parts"]


class Records(Sequence[bytes]):
    r"""Records without their line ends.

    Parameters
    ----------
    data
        Holds them.
    spans
        int64, shape (n, 2): where each begins and where it ends.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn_files.records import Records
    >>> records = Records(b"ab\n\ncd\n", np.array([[0, 2], [4, 6]]))
    >>> list(records), records[1], list(records[1:])
    ([b'ab', b'cd'], b'cd', [b'cd'])
    """

    def __init__(self, data: bytes, spans: NDArray[np.int64]) -> None:
        self.data, self.spans = data, spans

    def __len__(self) -> int:
        return len(self.spans)

    @overload
    def __getitem__(self, i: int) -> bytes: ...
    @overload
    def __getitem__(self, i: slice) -> Records: ...
    def __getitem__(self, i: int | slice) -> bytes | Records:
        if isinstance(i, slice):
            return Records(self.data, self.spans[i])
        start, end = self.spans[i].tolist()
        return self.data[start:end]

    def __iter__(self) -> Iterator[bytes]:
        data = self.data
        return (data[start:end] for start, end in self.spans.tolist())

    def of(self, chosen: NDArray[np.int64]) -> Records:
        """Return some of the records.

        Parameters
        ----------
        chosen
            Their numbers: int64, shape (k,).
        """
        return Records(self.data, self.spans[chosen])

    def region(self) -> tuple[bytearray, NDArray[np.int64]]:
        """Return the bytes between the first record and the last one, as they can be written, and the places in them."""
        if not len(self.spans):
            return bytearray(), self.spans
        start, end = int(self.spans[:, 0].min()), int(self.spans[:, 1].max())
        return bytearray(memoryview(self.data)[start:end]), self.spans - start


def of_parts(parts: Sequence[bytes]) -> Records:
    """Return records that are there one by one.

    Parameters
    ----------
    parts
        Each of them.
    """
    ends = np.cumsum(np.fromiter(map(len, parts), np.int64, len(parts)))
    return Records(b"".join(parts), np.stack([np.concatenate([[0], ends])[:-1].astype(np.int64), ends], axis=1))


def joined(pieces: Sequence[Records]) -> Records:
    """Return records of several pieces as one.

    Parameters
    ----------
    pieces
        In order; at least one.
    """
    if len(pieces) == 1:
        return pieces[0]
    regions = [one.region() for one in pieces]
    before = itertools.accumulate((len(data) for data, _ in regions), initial=0)
    spans = [places + start for (_, places), start in zip(regions, before, strict=False)]
    return Records(b"".join(data for data, _ in regions), np.concatenate(spans))
