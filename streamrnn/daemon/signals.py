"""The first signal asks, the second one insists."""

from __future__ import annotations

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


class _Now(BaseException):
    """A signal came where there is nothing to finish."""


class StopSignals:
    """Context manager: SIGINT and SIGTERM set ``stopped``; a second one ends the process with 128 + its number.

    Parameters
    ----------
    reload
        Whether SIGHUP asks for a reload, instead of ending the process.

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

    def __init__(self, *, reload: bool = False) -> None:
        self.stopped = False
        self._wanted = (
            signal.SIGINT,
            signal.SIGTERM,
            *((signal.SIGHUP,) if reload and hasattr(signal, "SIGHUP") else ()),
        )
        self._reload = False
        self._at_once = False
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
        if self._at_once:
            raise _Now

    def unless_stopped(self, work: Callable[[], None]) -> None:
        """Do what takes long and may be left undone: not where a signal has come, and no longer than until one comes.

        Parameters
        ----------
        work
            Is called, or left in the middle.

        Examples
        --------
        >>> import signal
        >>> from streamrnn.daemon.signals import StopSignals
        >>> with StopSignals() as stop:
        ...     stop.unless_stopped(lambda: (signal.raise_signal(signal.SIGTERM), print("never")))
        ...     stop.unless_stopped(lambda: print("nor this"))
        ...     print(stop.stopped)
        True
        """
        try:
            self._at_once = True
            if not self.stopped:
                work()
            self._at_once = False
        except _Now:
            pass
        finally:
            self._at_once = False

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
