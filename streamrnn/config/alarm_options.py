"""The options of ``[alarm]``."""

from __future__ import annotations

import math
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

__all__ = ["Alarm"]

RATE = r"^[0-9]+(\.[0-9]+)? */ *(second|minute|hour|day|week)$"
SHARE = r"^[0-9]+(\.[0-9]+)? *%$"
LONGEST_WINDOW = 100_000
"""Scores among which one is ranked: the alarm rule counts in numbers of 16 bits. Rates down to 1e-5 need no more."""

POLICY = ("direction", "min_deviation", "valid_range", "maintenance", "by_feature")
"""Options of ``[alarm]`` that say which deviations matter."""


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """``[alarm]``: when a score is an alarm. ``RNNAnomalyDetector`` has a rule of its own, others rank their scores.

    Parameters
    ----------
    rate
        Largest share of normal events that may raise an alarm, above 0 and at most 0.5; or how many in what time, ``"2/day"``.
    window
        How many of the last scores of a key a new score is ranked among, at least.
    warm_up
        Events of a key before its first alarm.
    cooldown
        Events after an alarm that raise no other one. 0: every event may.
    direction, min_deviation, valid_range, maintenance, by_feature
        As of :class:`streamrnn.RNNAnomalyDetector`.

    Examples
    --------
    >>> from streamrnn.config import Alarm
    >>> Alarm().rate
    0.001
    """

    rate: Annotated[
        Annotated[float, Meta(gt=0, le=0.5)] | Annotated[str, Meta(pattern=RATE, examples=["2/day"])],
        Meta(
            description="Largest share of normal events that may raise an alarm; or how many of a key in what time: '2/day', '1/week', '3/hour' "
            "(RNNAnomalyDetector with [model] time; the time between two events is learned)."
        ),
    ] = 0.001
    window: Annotated[
        int,
        Meta(
            ge=10,
            le=LONGEST_WINDOW,
            description="How many of the last scores of a key a new score is ranked among, at least, and at most a third more; not for RNNAnomalyDetector.",
        ),
    ] = 2000
    warm_up: Annotated[
        int, Meta(ge=0, description="Events of a key before its first alarm: the net must see something first.")
    ] = 300
    cooldown: Annotated[
        int, Meta(ge=0, description="Events after an alarm that raise no other one. 0: every event may.")
    ] = 0
    direction: Annotated[
        Literal["both", "above", "below"],
        Meta(
            description="On which side of what was expected a value may alarm; only RNNAnomalyDetector, as all that follows."
        ),
    ] = "both"
    min_deviation: Annotated[
        Annotated[float, Meta(ge=0)] | Annotated[str, Meta(pattern=SHARE, examples=["10%"])],
        Meta(
            description="How far from what was expected a value must be to alarm: in units of the column, or '10%' of what was expected."
        ),
    ] = 0.0
    valid_range: Annotated[
        tuple[float, float] | None,
        Meta(
            description="[low, high]: a value outside alarms at once and is not learned. An end may be inf. Unset: every number is valid."
        ),
    ] = None
    maintenance: Annotated[
        str | tuple[str, ...] | None,
        Meta(
            description="A watched column that is not 0 in a maintenance, or weekly times ['Sun 02:00-04:00', 'Mon-Fri 22:30-00:30 "
            "Europe/Berlin'] (with [model] time; UTC unless they name a zone). Such events are scored, raise no alarm and are not learned."
        ),
    ] = None
    by_feature: Annotated[
        dict[str, dict[str, Any]] | None,
        Meta(
            description="What differs for a column: [alarm.by_feature.flow] direction = 'below'. Of direction, min_deviation and valid_range."
        ),
    ] = None

    @property
    def share(self) -> float:
        """``rate`` as a share of events; NaN where it goes by time."""
        return math.nan if isinstance(self.rate, str) else self.rate
