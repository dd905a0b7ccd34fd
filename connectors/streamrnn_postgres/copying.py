"""Rows as COPY takes them, in its format of text."""

from __future__ import annotations

from collections.abc import Sequence

from streamrnn.io import Block

__all__ = ["copied", "storable"]

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
