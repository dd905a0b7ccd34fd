"""The first signal asks, the second one insists."""

from __future__ import annotations

import os
import signal
from types import FrameType
from typing import Any, Self

__all__ = ["StopSignals"]


class StopSignals:
    """Context manager: SIGINT and SIGTERM set ``stopped``; a second one ends the process with 128 + its number.

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

    def __init__(self) -> None:
        self.stopped = False
        self._before: dict[int, Any] = {}

    def _handle(self, number: int, _: FrameType | None) -> None:
        if self.stopped:
            os._exit(128 + number)
        self.stopped = True

    def __enter__(self) -> Self:
        for number in (signal.SIGINT, signal.SIGTERM):
            try:
                self._before[number] = signal.signal(number, self._handle)
            except ValueError:  # not the main thread
                break
        return self

    def __exit__(self, *exc: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before.clear()
