"""Keys that no longer report: seen by the times of the partition's records alone, never by the clock."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Annotated

import msgspec

__all__ = ["AUTO", "Clock", "Report", "Silence"]

AUTO = "auto"
"""``max_gap`` that is learned from each key's own gaps."""

LEAST_GAPS = 20
"""Gaps of a key from which its usual gap is known."""

TIMES_USUAL = 3.0
"""Times the longest usual gap: reports that come twice as late now and then are no silence."""

FADE = 0.01
"""Of the longest gap an event: one long pause makes a key patient for some hundred events, not for ever."""

STRAYS = 10
"""Events in a row whose times lie beyond ``max_ahead`` of the watermark before it follows them: one record of a clock gone wrong moves nothing."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Report(msgspec.Struct):
    """When a key reported last, and how far apart its reports usually are.

    Parameters
    ----------
    last
        Time of its last event, in seconds; None before the first.
    usual
        The longest of its recent gaps, in seconds.
    gaps
        How many gaps it had.
    silent
        Whether it is taken for silent.
    """

    last: float | None = None
    usual: float = 0.0
    gaps: Count = 0
    silent: bool = False

    def limit(self, max_gap: float | None) -> float:
        """Return the seconds after which it is silent; infinity where its gaps are not known yet.

        Parameters
        ----------
        max_gap
            The same for all keys, in seconds; None: learned.
        """
        if max_gap is not None:
            return max_gap
        return TIMES_USUAL * self.usual if self.gaps >= LEAST_GAPS and self.usual > 0.0 else math.inf


class Clock(msgspec.Struct):
    """How far a partition's time has come.

    Parameters
    ----------
    watermark
        The latest time of its events, in seconds; None before the first.
    strays
        Events in a row, until now, beyond ``max_ahead`` of it.
    ahead
        Events whose times were passed over, in all.
    """

    watermark: float | None = None
    strays: Count = 0
    ahead: Count = 0

    def moves(self, when: float, max_ahead: float) -> bool:
        """Move the watermark to an event's time, and return whether that counts: it does unless it is none, or a stray.

        Parameters
        ----------
        when
            The event's time, in seconds; NaN: it has none.
        max_ahead
            Seconds: what lies further from the watermark than that is a stray, unless ten in a row say the same.
        """
        if math.isnan(when):
            return False
        if self.leaps(when, max_ahead):
            self.strays += 1
            if self.strays < STRAYS:
                self.ahead += 1
                return False
            self.watermark = when  # all say so: a long pause of the whole input, or a first record that was wrong
        self.strays = 0
        self.watermark = when if self.watermark is None else max(self.watermark, when)
        return True

    def leaps(self, when: float, max_ahead: float) -> bool:
        """Whether a time lies further than ``max_ahead`` from the watermark.

        Parameters
        ----------
        when
            A time, in seconds.
        max_ahead
            Seconds.
        """
        return self.watermark is not None and abs(when - self.watermark) > max_ahead


class Silence:
    """Watches the reports of a partition's keys.

    Parameters
    ----------
    max_gap
        Seconds without an event of a key after which it is silent; None: three times its longest usual gap.
    max_ahead
        Seconds: an event further from the watermark than that moves nothing and is counted, unless ten in a row say the same.

    Examples
    --------
    >>> from streamrnn.engine.silence import Report, Silence
    >>> silence, pump, fan = Silence(60.0, 86400.0), Report(), Report()
    >>> for report, when in ((pump, 0.0), (fan, 0.0), (fan, 50.0), (fan, 70.0)):
    ...     _ = silence.moves(when) and silence.reported(report, when)
    >>> silence.due(), silence.fallen_silent([(0, pump), (1, fan)]), silence.reported(pump, 80.0)
    (True, [0], True)
    """

    def __init__(self, max_gap: float | None, max_ahead: float) -> None:
        self.max_gap = max_gap
        self.max_ahead = max_ahead
        self.clock = Clock()
        self._next = -math.inf  # no key falls silent before: as of the last look

    def moves(self, when: float) -> bool:
        """Move the watermark to an event's time, and return whether that counts: it does unless it is none, or a stray.

        Parameters
        ----------
        when
            The event's time, in seconds; NaN: it has none.
        """
        leaps = self.clock.leaps(when, self.max_ahead)
        if not self.clock.moves(when, self.max_ahead):
            return False
        if leaps:
            self._next = -math.inf
        return True

    def reported(self, report: Report, when: float) -> bool:
        """Take an event of a key; return whether its silence ends with it.

        Parameters
        ----------
        report
            That of the key.
        when
            The event's time, in seconds, one that counts.
        """
        ended, report.silent = report.silent, False
        if report.last is not None and when > report.last:
            if not ended:
                report.usual = max(when - report.last, report.usual * (1.0 - FADE))
            report.gaps += 1
        report.last = when if report.last is None else max(when, report.last)
        self._next = min(self._next, report.last + report.limit(self.max_gap))
        return ended

    def due(self) -> bool:
        """Whether a key may have fallen silent since the last look."""
        return self.clock.watermark is not None and self.clock.watermark > self._next

    def fallen_silent(self, reports: Iterable[tuple[int, Report]]) -> list[int]:
        """Return which keys have fallen silent, the longest first, and mark them.

        Parameters
        ----------
        reports
            Those of all keys, each with a number of its own.
        """
        watermark, found, following = self.clock.watermark, [], math.inf
        for number, report in reports:
            if report.last is None or report.silent or watermark is None:
                continue
            end = report.last + report.limit(self.max_gap)
            if watermark > end:
                report.silent = True
                found.append((end, number))
            else:
                following = min(following, end)
        self._next = following
        return [number for _, number in sorted(found)]
