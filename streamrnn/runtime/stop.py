"""The first signal asks, the second one insists."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any, Self

__all__ = ["StopSignals"]


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
    >>> from streamrnn.runtime.stop import StopSignals
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
        self._before: dict[int, Any] = {}

    def take_reload(self) -> bool:
        """Return whether a reload was asked for since the last call.

        Examples
        --------
        >>> import signal
        >>> from streamrnn.runtime.stop import StopSignals
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

    def __enter__(self) -> Self:
        for number in self._wanted:
            try:
                self._before[number] = signal.signal(number, self._handle)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
