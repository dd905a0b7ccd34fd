"""What is wrong with ``[alarm]`` for the model that is to heed it: one line for each mistake."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from streamrnn.config import LONGEST_WINDOW, POLICY, Alarm
from streamrnn.scorers.table import MODELS, TIME

__all__ = ["check_alarm", "maintenance_column"]


def maintenance_column(alarm: Alarm) -> str | None:
    """Return the column that says when a maintenance is; None where none does.

    Parameters
    ----------
    alarm
        The settings.

    Examples
    --------
    >>> from streamrnn.config import Alarm
    >>> from streamrnn.scorers.check_alarm import maintenance_column
    >>> maintenance_column(Alarm(maintenance="in_service")), maintenance_column(Alarm(maintenance="Sun 02:00-04:00"))
    ('in_service', None)
    """
    from streamrnn.models._maintenance import is_windows  # noqa: PLC0415  (numba, which a wrong name should not wait for)

    given = alarm.maintenance
    return given if isinstance(given, str) and not is_windows(given) else None


def check_alarm(name: str, parameters: Mapping[str, Any], alarm: Alarm) -> list[str]:
    """Return one line for each option of ``[alarm]`` that a model cannot heed.

    Parameters
    ----------
    name
        The kind, as :func:`streamrnn.scorers.table.short_name` gives it.
    parameters
        All else in ``[model]``.
    alarm
        The settings.

    Examples
    --------
    >>> from streamrnn.config import Alarm
    >>> from streamrnn.scorers.check_alarm import check_alarm
    >>> check_alarm("RNNAnomalyDetector", {}, Alarm(rate="2/day"))
    ["[alarm] rate: '2/day' goes by the time of events, which the model must see. Set [model] time to the name of their column."]
    """
    from streamrnn.models._maintenance import is_windows  # noqa: PLC0415
    from streamrnn.models._parameter_table import PARAMETERS  # noqa: PLC0415

    row = MODELS.get(name)
    if row is None or not row.takes_policy:
        unknown = [one for one in POLICY if getattr(alarm, one) != getattr(Alarm(), one)]
        said = f"{name} does not know it; RNNAnomalyDetector does. Leave it out."
        return _check_rate(name, alarm) + [f"[alarm] {one}: {said}" for one in unknown]
    timed = parameters.get(TIME) is not None
    problems = _check_by_time(alarm, timed=timed) if isinstance(alarm.rate, str) else _check_rate(name, alarm)
    if is_windows(alarm.maintenance) and not timed:
        problems.append(_needs_time("maintenance", alarm.maintenance))
    given = {TIME: "time", **parameters}  # that there must be one has been said
    for one in POLICY:
        value, rule = getattr(alarm, one), PARAMETERS[one]
        if not rule.ok(value, given):
            problems.append(f"[alarm] {one}: must be {rule.rule}. Got {value!r} instead.")
    return problems + [
        f"[model] {one}: is an option of [alarm]; write it there." for one in POLICY if one in parameters
    ]


def _needs_time(option: str, value: Any) -> str:
    shown = value if isinstance(value, str) else list(value)
    said = f"[alarm] {option}: {shown!r} goes by the time of events, which the model must see."
    return f"{said} Set [model] time to the name of their column."


def _check_by_time(alarm: Alarm, *, timed: bool) -> list[str]:
    from streamrnn.models._policy import per_second  # noqa: PLC0415

    if not per_second(alarm.rate) > 0.0:
        rule = "a number > 0 and <= 0.5, or a text such as '2/day', '1/week' or '3/hour'"
        return [f"[alarm] rate: must be {rule}. Got {alarm.rate!r} instead."]
    return [] if timed else [_needs_time("rate", alarm.rate)]


def _check_rate(name: str, alarm: Alarm) -> list[str]:
    """Say where a rate is lower than what the model's alarm rule can hold."""
    row = MODELS.get(name)
    if isinstance(alarm.rate, str):
        return [f"[alarm] rate: must be a number > 0 and <= 0.5 for {name}. Got {alarm.rate!r} instead."]
    if row is not None and row.least_rate is not None:
        if alarm.rate >= row.least_rate:
            return []
        return [f"[alarm] rate: must be a number >= {row.least_rate:g} for {name}. Got {alarm.rate:g} instead."]
    if alarm.rate * (alarm.window + 1) >= 1:
        return []
    said = f"[alarm] rate: {alarm.rate:g} is less than one score in window = {alarm.window}."
    if round(1 / alarm.rate) > LONGEST_WINDOW:
        return [f"{said} Raise it to {1 / LONGEST_WINDOW:g} or more, and 'window' with it."]
    return [f"{said} Raise 'rate', or set 'window' to {round(1 / alarm.rate)} or more."]
