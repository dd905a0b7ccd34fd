"""What a result may hold: each field, its type and what it means. The JSON Schema of results comes from here."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from streamrnn.io import Position
from streamrnn.kernels.anomaly.views import VIEWS

__all__ = ["Cell", "Cells", "Crossing", "Result", "Time", "View"]

Infinite = Literal["Infinity", "-Infinity"]
Cell = float | Infinite | None
"""A number; infinity, which JSON has not, as text; null where it is missing."""

Cells = Cell | dict[str, Cell]
"""A number where the stream has one feature, or the model a label; else such a number for each feature, by name."""

Steps = list[float | None] | dict[str, list[float | None]] | None
"""The next events, where the stream has one feature; else those of each feature, by name. Null without a forecaster."""

Time = str | int | float | None
View = Annotated[str, Meta(extra_json_schema={"enum": [*VIEWS]})]
_Views = Annotated[
    dict[str, float | None], Meta(extra_json_schema={"propertyNames": {"enum": [*VIEWS]}, "minProperties": len(VIEWS)})
]


class Crossing(msgspec.Struct, frozen=True):
    """A limit that a forecast, or its band, reaches.

    Parameters
    ----------
    column, side, limit
        Which one.
    step, in_s, when
        After how many events, in how many seconds and when the forecast does; None where it does not, or that is not known.
    band_step, band_in_s, band_when
        The same for the outer bound of its band.
    """

    column: str
    side: Literal["high", "low"]
    limit: float
    step: int | None
    in_s: float | None
    when: Time
    band_step: int | None
    band_in_s: float | None
    band_when: Time


class Result(msgspec.Struct, frozen=True):
    """Every field that ``[output] fields`` may name.

    Types and descriptions are those of the schema.

    Parameters
    ----------
    time, key, value
        Of the event.
    prediction, residual
        What was expected.
    score, alarm, p_value, threshold
        How unusual it is.
    warm, change, since
        Where the model stands.
    low, high, contribution
        Of each feature.
    severity, episode, feature, view, views, feedback
        Of an alarm.
    position, partition, input
        Where the event comes from.
    forecast, forecast_low, forecast_high, limit, limit_alarm
        What comes next.
    """

    time: Annotated[Time, Meta(description="Of the event, as the input wrote it; null where it has none.")]
    key: Annotated[
        str | None, Meta(description="Which series the event belongs to; null where the stream is a single one.")
    ]
    value: Annotated[
        Cells, Meta(description="What came: a number where the stream has one feature, else one for each, by name.")
    ]
    prediction: Annotated[
        Cells,
        Meta(
            description="What was expected, before the event was learned; of the label alone, where the model has one."
        ),
    ]
    residual: Annotated[Cells, Meta(description="The value less the prediction.")]
    score: Annotated[float | None, Meta(description="How unusual the event is: the larger, the more.")]
    alarm: Annotated[bool, Meta(description="Whether it alarms.")]
    p_value: Annotated[
        float | None, Meta(description="How often what is usual is as far out as this event, or further.")
    ]
    threshold: Annotated[
        Cell, Meta(description="The score from which on an event alarms; null where the model has none.")
    ]
    warm: Annotated[
        bool | None, Meta(description="Whether the model has seen enough to alarm; null where it does not say.")
    ]
    change: Annotated[
        bool | None,
        Meta(description="Whether a lasting change is reported with this event; null where the model does not say."),
    ]
    since: Annotated[
        float | None,
        Meta(
            description="For how many events the change has lasted, 0 without one; null where the model does not say."
        ),
    ]
    low: Annotated[Cells, Meta(description="The lower end of what was expected.")]
    high: Annotated[Cells, Meta(description="The upper end of what was expected.")]
    contribution: Annotated[Cells, Meta(description="The score of each feature.")]
    severity: Annotated[
        float | None,
        Meta(
            description="By which alarms are sorted: -log10 of p_value, 3 is one in a thousand; null where the model does not say."
        ),
    ]
    episode: Annotated[
        int | None,
        Meta(
            description="The number of the episode that the event belongs to, 0 for none; null where the model does not say."
        ),
    ]
    feature: Annotated[str | None, Meta(description="The feature that the p-value is about; null for none.")]
    view: Annotated[View | None, Meta(description="And the view of it.")]
    views: Annotated[_Views | None, Meta(description="How far out that feature is in each view.")]
    feedback: Annotated[
        bool | None,
        Meta(description="Whether the feedback that came with the event was applied; null where none came."),
    ]
    position: Annotated[Position, Meta(description="Where the event lies in its partition, as the source counts.")]
    partition: Annotated[str, Meta(description="The partition of the input.")]
    input: Annotated[str, Meta(description="The record as it was read.")]
    forecast: Annotated[Steps, Meta(description="The next [forecast] horizon events; null without a forecaster.")]
    forecast_low: Annotated[Steps, Meta(description="The lower bounds of their band.")]
    forecast_high: Annotated[Steps, Meta(description="The upper bounds of their band.")]
    limit: Annotated[
        list[Crossing] | None,
        Meta(description="The limits that the forecast reaches; null without limits, or where it reaches none."),
    ]
    limit_alarm: Annotated[str | None, Meta(description="A sentence where that is new.")]
