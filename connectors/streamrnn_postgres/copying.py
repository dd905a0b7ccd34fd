"""Rows as COPY takes them: many in its format of text, one with a large value in that of bytes."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence

from streamrnn.io import Block, Pieces

__all__ = ["binary_row", "copied", "storable"]

_SIGNATURE, _END = b"PGCOPY\n\xff\r\n\0" + bytes(8), b"\xff\xff"
_ESCAPED = {"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"}


def storable(text: str) -> str:
    r"""Return a text as PostgreSQL can hold it: without the character NUL, and without halves of characters.

    Parameters
    ----------
    text
        Any.

    Examples
    --------
    >>> from streamrnn_postgres.copying import storable
    >>> storable("a\0b")
    'a\\x00b'
    """
    return text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")


def binary_row(texts: Sequence[str], last: Pieces) -> Iterator[bytes | memoryview]:
    r"""Yield one row of texts and bytes, in the format of bytes, piece by piece.

    Parameters
    ----------
    texts
        The first columns.
    last
        The last column.

    Examples
    --------
    >>> from streamrnn.io import in_pieces
    >>> from streamrnn_postgres.copying import binary_row
    >>> b"".join(binary_row(["ab"], in_pieces(b"weights")))[19:]
    b'\x00\x02\x00\x00\x00\x02ab\x00\x00\x00\x07weights\xff\xff'
    """
    cells = [text.encode() for text in texts]
    head = b"".join(struct.pack(">i", len(cell)) + cell for cell in cells)
    yield _SIGNATURE + struct.pack(">h", len(cells) + 1) + head + struct.pack(">i", len(last))
    yield from last
    yield _END


def _cell(text: str) -> bytes:
    return "".join(_ESCAPED.get(one, one) for one in storable(text)).encode()


def copied(outputs: Sequence[bytes], blocks: Sequence[Block], partition: str) -> bytes:
    r"""Return lines of JSON, with the partition of each, as rows.

    Parameters
    ----------
    outputs
        Lines of JSON, one for each event of ``blocks``, in order. They hold no line ends.
    blocks
        The events. Empty: all lines are of ``partition``.
    partition
        Where there are no blocks.

    Examples
    --------
    >>> from streamrnn_postgres.copying import copied
    >>> copied([b'{"a":"\\n"}', b"2"], [], "0")
    b'0\t{"a":"\\\\n"}\n0\t2\n'
    """
    lines, parts, at = list(outputs), [], 0
    for name, n in [(block.partition, len(block)) for block in blocks] or [(partition, len(lines))]:
        if n:
            start = _cell(name) + b"\t"
            joined = b"\n".join(lines[at : at + n]).replace(b"\\", b"\\\\")
            parts += [start, joined.replace(b"\n", b"\n" + start), b"\n"]
            at += n
    return b"".join(parts)
