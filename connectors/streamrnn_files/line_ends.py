"""Line ends of old computers, a carriage return alone, to those of today."""

from __future__ import annotations

__all__ = ["CarriageReturns", "ends_with_returns"]


def ends_with_returns(data: bytes, *, final: bool) -> bool | None:
    r"""Whether lines end with a carriage return alone: the first two of them do. None: too little is there to say.

    Parameters
    ----------
    data
        The first bytes of a text.
    final
        Whether there are no more.

    Examples
    --------
    >>> from streamrnn_files.line_ends import ends_with_returns
    >>> ends_with_returns(b"a,b\r1,2\r3,4", final=True), ends_with_returns(b"a\r\n1", final=False), ends_with_returns(b"a\r1", final=False)
    (True, False, None)
    """
    at = -1
    for _ in range(2):
        at = data.find(b"\r", at + 1)
        line = data.find(b"\n")
        if line >= 0 and (at < 0 or line < at or line == at + 1):
            return False
        if at < 0 or (at + 1 == len(data) and not final):
            return None if not final and len(data) < 1 << 16 else False
    return True


class CarriageReturns:
    r"""Makes line ends of carriage returns.

    Examples
    --------
    >>> from streamrnn_files.line_ends import CarriageReturns
    >>> CarriageReturns().feed(b"a\r1\r", final=True)
    b'a\n1\n'
    """

    def feed(self, data: bytes, *, final: bool) -> bytes:
        """Return the text of what comes next.

        Parameters
        ----------
        data
            What comes next.
        final
            Whether there is no more.
        """
        del final
        return data.replace(b"\r", b"\n")
