"""A person's late word on an event, on its way into the input."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from streamrnn.errors import ConfigError

__all__ = ["Feedback", "check_feedback_options", "nested"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What a person says of an event that has passed: whether it is an anomaly.

    In the input it is a record with the key and the time of that event, and the label, and nothing else.

    Parameters
    ----------
    partition
        Of the event.
    key, time
        The event's, as the source gave them.
    label
        The column that feedback is read from.
    is_anomaly
        What the person says.

    Examples
    --------
    >>> from streamrnn.io import Feedback
    >>> Feedback("flow/0", "pump-7", "2024-05-01 03:10", "said", is_anomaly=False).cells("at", "pump")
    {'at': '2024-05-01 03:10', 'pump': 'pump-7', 'said': 0}
    """

    partition: str
    key: str | None
    time: str | float
    label: str
    is_anomaly: bool

    def cells(self, time: str | None, key: str | None) -> dict[str, Any]:
        """Return the record, by the names of its columns.

        Parameters
        ----------
        time, key
            The columns of time and key; None where the record itself carries them.
        """
        found: dict[str, Any] = {}
        if time is not None:
            found[time] = self.time
        if key is not None:
            found[key] = self.key
        return found | {self.label: int(self.is_anomaly)}


def nested(cells: Mapping[str, Any]) -> dict[str, Any]:
    """Return a record in which a value named ``a.b`` is the field ``b`` inside the field ``a``.

    Parameters
    ----------
    cells
        Values by name.

    Raises
    ------
    ConfigError
        When one name is that of a value and of what holds another.

    Examples
    --------
    >>> from streamrnn.io import nested
    >>> nested({"time": 8, "at.flow": 1.5, "at.said": 0})
    {'time': 8, 'at': {'flow': 1.5, 'said': 0}}
    """
    made: dict[str, Any] = {}
    for name, value in cells.items():
        *outer, last = name.split(".")
        inside = made
        for step in outer:
            found = inside.setdefault(step, {})
            if not isinstance(found, dict):
                raise ConfigError(f"[source] columns: {name!r} lies inside a field that is itself a value.")
            inside = found
        if last in inside:
            raise ConfigError(f"[source] columns: {name!r} is a value, and another one lies inside it.")
        inside[last] = value
    return made


def check_feedback_options(*, follow: bool, time: str | None, on_missing: str, others: Sequence[str] = ()) -> None:
    """Raise where a record with nothing but key, time and label would be no event, or nobody would read it.

    Parameters
    ----------
    follow
        Whether the source goes on as its input grows.
    time
        The column of the time; None or an empty text where there is none.
    on_missing
        What becomes of records that lack some values: ``"mean"`` or ``"dead_letter"``.
    others
        What else stands in the way, a sentence each.

    Raises
    ------
    ConfigError
        With all that stands in the way.

    Examples
    --------
    >>> from streamrnn.io import check_feedback_options
    >>> check_feedback_options(follow=True, time=None, on_missing="mean")
    Traceback (most recent call last):
    ...
    streamrnn.errors.ConfigError: [source] time: feedback names its event by the time; name the column that holds it.
    """
    problems = []
    if not follow:
        problems.append("[source] follow: feedback is added to an input that is followed; set it to true.")
    if not time:
        problems.append("[source] time: feedback names its event by the time; name the column that holds it.")
    if on_missing != "mean":
        problems.append("[source] on_missing: feedback lacks all values but one; set it to 'mean'.")
    if problems := [*problems, *others]:
        raise ConfigError(problems)
