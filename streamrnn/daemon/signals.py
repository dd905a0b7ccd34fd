"""The first signal asks, the second one insists."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType
from typing import Any, Self

__all__ = ["StopSignals", "begin", "end"]

_STOP = signal.SIGINT, signal.SIGTERM


def begin() -> None:
    """Have SIGINT and SIGTERM end the process with 0 from now on: the first thing that a run does, before it imports anything.

    Nothing has begun then, so there is nothing to finish. :class:`StopSignals` takes over when there is.
    """
    for number in _STOP:
        signal.signal(number, lambda *_: os._exit(0))


def end() -> None:
    """Take no notice of SIGINT and SIGTERM any more: all is written, and the exit code is known."""
    for number in _STOP:
        signal.signal(number, signal.SIG_IGN)


class StopSignals:
    """Context manager: SIGINT and SIGTERM set ``stopped``; a second one ends the process with 128 + its number.

    Parameters
    ----------
    reload
        Whether SIGHUP asks for a reload, instead of ending the process.
    own_process
        Whether the process does nothing else, and may end where a signal comes: see :meth:`unless_stopped`.

    Notes
    -----
    The loop looks at ``stopped`` between blocks, so what was read is finished and written. Outside the main
    thread, where Python takes no signals, this does nothing.

    Examples
    --------
    >>> import signal
    >>> from streamrnn.daemon.signals import StopSignals
    >>> with StopSignals() as stop:
    ...     signal.raise_signal(signal.SIGTERM)
    ...     print(stop.stopped)
    True
    """

    def __init__(self, *, reload: bool = False, own_process: bool = False) -> None:
        self.stopped = False
        self._own_process = own_process
        self._wanted = (
            signal.SIGINT,
            signal.SIGTERM,
            *((signal.SIGHUP,) if reload and hasattr(signal, "SIGHUP") else ()),
        )
        self._reload = False
        self._last_words: Callable[[], None] | None = None
        self._depth = 0  # may be entered again inside
        self._before: dict[int, Any] = {}

    def take_reload(self) -> bool:
        """Return whether a reload was asked for since the last call.

        Examples
        --------
        >>> import signal
        >>> from streamrnn.daemon.signals import StopSignals
        >>> with StopSignals(reload=True) as stop:
        ...     signal.raise_signal(signal.SIGHUP)
        ...     print(stop.take_reload(), stop.take_reload(), stop.stopped)
        True False False
        """
        asked, self._reload = self._reload, False
        return asked

    def _handle(self, number: int, _: FrameType | None) -> None:
        if number not in (signal.SIGINT, signal.SIGTERM):
            self._reload = True
            return
        if self.stopped:
            os._exit(128 + number)
        self.stopped = True
        if self._last_words is not None and self._own_process:
            with contextlib.suppress(Exception):  # the log may be just what the signal came into
                self._last_words()
            os._exit(0)

    def unless_stopped(self, work: Callable[[], None], last_words: Callable[[], None]) -> None:
        """Do what takes long and may be left undone: not where a signal has come; one that comes ends a process of our own at once, with 0.

        It is not left by an exception: what is done there is compiling, and a compiler that is left in the middle frees its memory
        twice, or links a half of what it made. A process that does other things as well waits until the work is done.

        Parameters
        ----------
        work
            Is called, and perhaps never returns.
        last_words
            Called before the process ends within ``work``.

        Examples
        --------
        >>> import signal
        >>> from streamrnn.daemon.signals import StopSignals
        >>> with StopSignals() as stop:
        ...     stop.unless_stopped(lambda: (signal.raise_signal(signal.SIGTERM), print("to its end")), lambda: None)
        ...     stop.unless_stopped(lambda: print("never"), lambda: None)
        ...     print(stop.stopped)
        to its end
        True
        """
        if self.stopped:
            return
        self._last_words = last_words
        try:
            work()
        finally:
            self._last_words = None

    def __enter__(self) -> Self:
        self._depth += 1
        for number in self._wanted if self._depth == 1 else ():
            try:
                self._before[number] = signal.signal(number, self._handle)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(self, *exc: object) -> None:
        self._depth -= 1
        if self._depth:
            return
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
