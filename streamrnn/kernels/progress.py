"""How far a first start has compiled: one line on the terminal, which is gone when it is done. Nothing where standard error is no terminal."""

from __future__ import annotations

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Final

FUNCTIONS: Final = {"supervised": 214, "detector": 259, "forecaster": 257}
"""How many functions an entry is made of, about; fewer are compiled where another entry of the process has some of them."""

_OF_FUNCTIONS: Final = (
    0.5  # share of the time that goes by until all are known; the rest is LLVM's, which says nothing on the way
)
_EVERY_S: Final = 0.1
_CLEAR: Final = "\r\x1b[2K"


class Line:
    """The line of one entry.

    Parameters
    ----------
    name
        The entry's.
    out
        The terminal.
    clock
        Seconds.

    Examples
    --------
    >>> import io
    >>> from streamrnn.kernels.progress import Line
    >>> out = io.StringIO()
    >>> line = Line("supervised.<locals>.run", out)
    >>> line.count(); line.optimise(); line.end()
    >>> [text.strip() for text in out.getvalue().replace(chr(27) + "[2K", "").split(chr(13)) if text.strip()]
    ['streamrnn compiles, once: 1 of about 214 functions, 0 %', 'streamrnn compiles, once: 1 functions in machine code, from 50 %']
    """

    def __init__(self, name: str, out: Any, clock: Callable[[], float] = time.monotonic) -> None:
        self._out, self._clock = out, clock
        self._expected = FUNCTIONS.get(name.partition(".")[0], 0)
        self._done = 0
        self._last = -_EVERY_S

    def count(self) -> None:
        """Note that one more function is compiled."""
        self._done += 1
        if self._clock() - self._last < _EVERY_S:
            return
        self._last = self._clock()
        if self._expected >= self._done:
            share = 100.0 * _OF_FUNCTIONS * self._done / self._expected
            self._show(f"{self._done} of about {self._expected} functions, {share:.0f} %")
        else:
            self._show(f"{self._done} functions")

    def optimise(self) -> None:
        """Note that all functions are there, and LLVM has begun."""
        self._show(f"{self._done} functions in machine code, from {100.0 * _OF_FUNCTIONS:.0f} %")

    def end(self) -> None:
        """Take the line away, where there is one."""
        if self._last >= 0.0:
            self._out.write(_CLEAR)
            self._out.flush()

    def _show(self, text: str) -> None:
        self._last = max(self._last, 0.0)
        # The cursor goes back to the beginning: whatever else is written to the terminal meanwhile takes the line's place.
        self._out.write(f"{_CLEAR}streamrnn compiles, once: {text}\r")
        self._out.flush()


_lines: Final[list[Line]] = []


def count() -> None:
    """Note that a kernel is compiled. Numba's lock is held."""
    if _lines:
        _lines[-1].count()


def optimise() -> None:
    """Note that LLVM makes machine code of an entry."""
    if _lines:
        _lines[-1].optimise()


@contextlib.contextmanager
def shown(name: str) -> Iterator[None]:
    """Show on the terminal how far an entry is, if it has to be compiled; the stream is that of the process, not one put in its place.

    Parameters
    ----------
    name
        The entry's.
    """
    out = sys.__stderr__
    if out is None or out.closed or not out.isatty():
        yield
        return
    line = Line(name, out)
    _lines.append(line)
    try:
        yield
    finally:
        _lines.remove(line)
        line.end()
