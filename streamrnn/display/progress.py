"""One line on the terminal while a run goes on; nothing where standard error is no terminal."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Self

from streamrnn.safe_text import safe_name

if TYPE_CHECKING:
    from rich.live import Live

    from streamrnn.engine.monitor import Summary

__all__ = ["Progress"]

_EVERY_S = 0.2  # faster than this nobody reads, and drawing would cost events


class Progress:
    """Context manager: shows events, events per second, alarms and position, on standard error.

    Parameters
    ----------
    wanted
        Whether to show anything. None: where standard error is a terminal.

    Examples
    --------
    >>> from streamrnn.engine.monitor import Summary
    >>> from streamrnn.display.progress import Progress
    >>> with Progress(wanted=False) as progress:
    ...     progress.show(Summary(), position=0)
    """

    def __init__(self, wanted: bool | None = None) -> None:
        self.wanted = sys.stderr.isatty() if wanted is None else wanted
        self._live: Live | None = None
        self._last_time = 0.0
        self._last_events = 0
        self._rate = 0.0

    def __enter__(self) -> Self:
        if self.wanted:
            from rich.console import Console  # noqa: PLC0415  (50 ms that a pipe should not pay)
            from rich.live import Live  # noqa: PLC0415

            self._live = Live(console=Console(stderr=True), auto_refresh=False, transient=True)
            self._live.start()
            self._last_time = time.monotonic()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, summary: Summary, position: int | str) -> None:
        """Draw the line anew, if the last time was long enough ago.

        Parameters
        ----------
        summary
            Counters of the run.
        position
            Of the last event.
        """
        if self._live is None:
            return
        now = time.monotonic()
        passed = now - self._last_time
        if passed < _EVERY_S:
            return
        self._rate = (summary.events - self._last_events) / passed
        self._last_time, self._last_events = now, summary.events
        from rich.text import Text  # noqa: PLC0415

        line = (
            f"{summary.events:>12,} events  {self._rate:>10,.0f}/s  {summary.alarms:>6,} alarms  "
            f"{summary.dead_letters:>6,} dead letters  at {safe_name(position)}"
        )
        self._live.update(Text(line), refresh=True)  # a text, not a string: that could hold rich's markup
