"""Whether a model fits the columns that come: said by ``check`` beforehand, and by a run of its first events."""

from __future__ import annotations

import math

from streamrnn.config import Alarm, Forecast, nearest
from streamrnn.errors import ConfigError
from streamrnn.io import Block
from streamrnn.scorers.check_alarm import maintenance_column
from streamrnn.scorers.kinds import ModelKind
from streamrnn.scorers.times import seconds_of

__all__ = ["check_columns", "check_fit"]


def check_columns(
    kind: ModelKind, names: tuple[str, ...], forecast: Forecast | None = None, alarm: Alarm | None = None
) -> list[str]:
    """Return one line for each column that a model, a limit of a forecast, or [alarm] needs and the input lacks.

    Parameters
    ----------
    kind
        A :class:`streamrnn.scorers.kinds.ModelKind`.
    names
        The columns that are watched.
    forecast
        What is forecast beside.
    alarm
        What alarms.

    Examples
    --------
    >>> from streamrnn.engine.fit import check_columns
    >>> from streamrnn.scorers.kinds import ModelKind
    >>> check_columns(ModelKind("mine", {}, object, label="lod"), ("load", "flow"))
    ["[model] label: the input has no column 'lod' among those that are watched: load, flow. Did you mean 'load'?"]
    """
    problems = [*_check_model(kind, names, alarm or Alarm()), *_check_limits(forecast or Forecast(), names)]
    return problems + _check_policy(kind, alarm or Alarm(), names)


def _check_policy(kind: ModelKind, alarm: Alarm, names: tuple[str, ...]) -> list[str]:
    column = maintenance_column(alarm)
    features = [name for name in names if name not in (kind.label, kind.time, column)]
    problems = [
        f"[alarm] by_feature: the input has no column {name!r} among those that are watched: {', '.join(features)}."
        for name in alarm.by_feature or {}
        if name not in features
    ]
    if column is None:
        return problems
    said = "[alarm] maintenance:"
    if column in (kind.label, kind.time, *(kind.parameters.get("counters") or ())):
        return [*problems, f"{said} must be a column of its own. {column!r} is label, time or a counter of [model]."]
    if column not in names:
        lacks = f"{said} the input has no column {column!r} among those that are watched: {', '.join(names)}."
        return [*problems, f"{lacks} Name it in [source] columns too."]
    if not features:
        return [*problems, f"{said} {column!r} is the only column that is watched; there is nothing to score."]
    return problems


def _check_limits(forecast: Forecast, names: tuple[str, ...]) -> list[str]:
    limited = [name for name, one in (forecast.limits or {}).items() if isinstance(one, dict) and name not in names]
    watched = ", ".join(names)
    return [
        f"[forecast] limits: the input has no column {name!r} among those that are watched: {watched}."
        for name in limited
    ]


def _check_model(kind: ModelKind, names: tuple[str, ...], alarm: Alarm) -> list[str]:
    label = kind.label
    watched = ", ".join(names)
    if label is not None and label not in names:
        said = f"[model] label: the input has no column {label!r} among those that are watched: {watched}."
        return [f"{said} {nearest(label, names)}" if nearest(label, names).startswith("Did") else said]
    if label is not None and len(names) == 1:
        return [f"[model] label: {label!r} is the only column that is watched; there is nothing to predict it from."]
    counters = kind.parameters.get("counters") or ()
    if lacking := [name for name in counters if name not in names or name == label]:
        return [
            f"[model] counters: the input has no column {lacking[0]!r} among the features that are watched: {watched}."
        ]
    most = kind.parameters.get("max_features")
    apart = (label is not None) + (maintenance_column(alarm) in names)
    features = len(names) - apart + (kind.time is not None and kind.time not in names)
    if isinstance(most, int) and features > most:
        return [f"[model] max_features: the input has {features} features ({watched}), and {most} are allowed."]
    return []


def check_fit(kind: ModelKind, block: Block, forecast: Forecast | None = None, alarm: Alarm | None = None) -> None:
    """Raise where a model, or a forecast beside it, cannot work with the columns of a block, which is the first one.

    Parameters
    ----------
    kind
        A :class:`streamrnn.scorers.kinds.ModelKind`.
    block
        The first events; there may be none.
    forecast
        What is forecast beside.
    alarm
        What alarms.

    Raises
    ------
    ConfigError
        With one line for each thing that does not fit.
    """
    problems = check_columns(kind, block.names, forecast, alarm)
    problems += _check_time(kind.time, block) if kind.time is not None and kind.time not in block.names else []
    if forecast is not None and forecast.by_time and kind.time is None:
        problems += _check_calendar(block)
    if kind.feedback_memory and block.times is None:
        problems.append(
            "[model] feedback_memory: late feedback names its event by the time, and the input has none. Set [source] time."
        )
    if problems:
        raise ConfigError(problems)


def _check_calendar(block: Block) -> list[str]:
    if block.times is None:
        return [
            "[forecast] calendar, holidays: they need the time of events, and the input has none. Set [source] time."
        ]
    first = block.times[0] if len(block) else None
    if first is not None and math.isnan(seconds_of(first)):
        said = f"[forecast] calendar, holidays: the time {str(first)[:40]!r} is neither a number nor ISO 8601"
        return [f"{said} (2024-01-31T23:59:59Z), so no day is known."]
    return []


def _check_time(name: str, block: Block) -> list[str]:
    if block.times is None:
        return [f"[model] time: the input has no time, and no column {name!r} that is watched. Set [source] time."]
    if block.time_name is not None and block.time_name != name:
        return [
            (
                f"[model] time: {name!r} is neither a column that is watched ({', '.join(block.names)}) nor the time of "
                f"[source], which is {block.time_name!r}."
            )
        ]
    first = block.times[0] if len(block) else None
    if first is not None and math.isnan(seconds_of(first)):
        return [
            (
                f"[model] time: the time {str(first)[:40]!r} of {name!r} is neither a number nor ISO 8601 (2024-01-31T23:59:59Z), so "
                "the net would see none."
            )
        ]
    return []
