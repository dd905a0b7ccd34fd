"""What a detector's entry writes into the rows of a block, by name."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.anomaly.views import INFORMATION, VIEWS

__all__ = ["OBSERVED", "PER_EVENT", "PER_FEATURE", "blank", "by_columns", "listed", "of_event", "read"]

BAND: Final = 2.0  # running errors on either side of what was expected
PER_EVENT: Final = (
    "score", "severity", "alarm", "warm", "change", "p_value", "threshold", "since", "episode", "feature", "view",
)  # fmt: skip
BEHIND: Final = 4 + len(VIEWS)  # of a row's information, what stands behind the views
OBSERVED: Final = "observed"  # what was compared of each feature; only where that may be other than what came
PER_FEATURE: Final = ("prediction", "low", "high", "contribution")


class _Rows(NamedTuple):
    """Rows as the entry left them, without the time: ``info`` is what stands behind the predictions, ``flags`` are 0 where nothing was decided."""

    rest: NDArray[np.float64]
    info: NDArray[np.float64]
    flags: NDArray[np.int64]
    F: int
    first: int

    @property
    def expected(self) -> NDArray[np.float64]:
        return self.rest[:, self.F + 1 : 2 * self.F + 1]

    @property
    def spread(self) -> NDArray[np.float64]:
        return self.info[:, INFORMATION + self.F : INFORMATION + 2 * self.F]

    def flagged(self, which: int) -> NDArray[np.bool_]:
        found: NDArray[np.bool_] = self.flags & which != 0
        return found

    def number(self, known: int, value: NDArray[np.float64], otherwise: float) -> NDArray[np.int64]:
        """Return a whole number where the column behind the views is none below 0, or NaN."""
        return np.where(self.info[:, BEHIND + known] >= 0.0, value, otherwise).astype(np.int64)


_READERS: Final[dict[str, Callable[[_Rows], NDArray[Any]]]] = {
    "score": lambda r: r.rest[:, r.F].copy(),
    "prediction": lambda r: r.expected.copy(),
    "low": lambda r: r.expected - BAND * r.spread,
    "high": lambda r: r.expected + BAND * r.spread,
    "contribution": lambda r: r.info[:, INFORMATION : INFORMATION + r.F].copy(),
    "alarm": lambda r: r.flagged(alarm.FLAG_ALARM),
    "exceeds": lambda r: r.flagged(alarm.FLAG_EXCEEDS | alarm.FLAG_WRONG),
    "warm": lambda r: r.flagged(alarm.FLAG_WARM),
    "change": lambda r: r.flagged(alarm.FLAG_CHANGE),
    "p_value": lambda r: r.info[:, 0].copy(),
    "severity": lambda r: 0.0 - np.log10(r.info[:, 0]),
    "threshold": lambda r: r.info[:, 1].copy(),
    "since": lambda r: r.info[:, 3].copy(),
    "episode": lambda r: r.number(2, r.info[:, BEHIND + 2], 0.0),
    "views": lambda r: r.info[:, 4:BEHIND].copy(),
    "feature": lambda r: r.number(1, r.info[:, BEHIND] + r.first, -1.0),
    "view": lambda r: r.number(1, r.info[:, BEHIND + 1], -1.0),
}


def read(rows: NDArray[np.float64], F: int, first: int) -> dict[str, NDArray[Any]]:
    """Return what the entry wrote into rows, by name; features in the order of the net's columns.

    Parameters
    ----------
    rows
        float64, (n, width), as the entry left them.
    F
        How many features the net has.
    first
        The first column that is a feature: 1 behind a time, else 0.
    """
    rest = rows[:, first:]
    info = rest[:, 2 * F + 1 :]
    flags = np.fmax(info[:, 2], 0.0).astype(np.int64)  # NaN where nothing was decided
    found = _Rows(rest, info, flags, F, first)
    return {name: read_one(found) for name, read_one in _READERS.items()}


def listed(rows: NDArray[np.float64], F: int, first: int) -> dict[str, list[Any]]:
    """Return what :func:`read` has of the events themselves, as lists of Python's own values: of one row in a quarter of the time.

    Parameters
    ----------
    rows
        float64, (n, width), as the entry left them.
    F
        How many features the net has.
    first
        The first column that is a feature: 1 behind a time, else 0.
    """
    info = first + 2 * F + 1
    columns = rows[:, first + F : info + BEHIND + 2].T.tolist()
    p_value, threshold, flags, *_ = columns[F + 1 :]
    feature, view = columns[F + 1 + BEHIND :]
    flags = [int(flag) if flag > 0.0 else 0 for flag in flags]  # NaN where nothing was decided
    return {
        "score": columns[0],
        "severity": (0.0 - np.log10(rows[:, info])).tolist(),
        "alarm": [flag & alarm.FLAG_ALARM != 0 for flag in flags],
        "warm": [flag & alarm.FLAG_WARM != 0 for flag in flags],
        "change": [flag & alarm.FLAG_CHANGE != 0 for flag in flags],
        "p_value": p_value,
        "threshold": threshold,
        "feature": [int(place) + first if seen >= 0.0 else -1 for place, seen in zip(feature, view, strict=True)],
    }


def blank(n: int, width: int) -> dict[str, NDArray[Any]]:
    """Return the details of events before there is anything to compare them with.

    Parameters
    ----------
    n
        How many events.
    width
        How many columns each has.
    """
    blank: dict[str, NDArray[Any]] = {name: np.full((n, width), np.nan) for name in PER_FEATURE}
    blank |= {name: np.zeros(n, bool) for name in ("alarm", "exceeds", "warm", "change")}
    return blank | {
        "score": np.zeros(n), "p_value": np.ones(n), "threshold": np.full(n, alarm.NO_THRESHOLD), "since": np.zeros(n),
        "severity": np.zeros(n), "episode": np.zeros(n, np.int64), "views": np.zeros((n, len(VIEWS))), "feature": np.full(n, -1), "view": np.full(n, -1),
    }  # fmt: skip


def by_columns(
    found: dict[str, NDArray[Any]], known: Sequence[tuple[int, int]], width: int, first: int
) -> dict[str, NDArray[Any]]:
    """Return what :func:`read` found with features in the order of a block's columns rather than the net's.

    Parameters
    ----------
    found
        By name, as of :func:`read`.
    known
        Pairs (column of the net, column of the block), for the columns that both have.
    width
        How many columns the block has. What is not among ``known`` is NaN.
    first
        The net's first column that is a feature: 1 behind a time, else 0.
    """
    column_of = np.full(first + found["prediction"].shape[1] + 1, -1)  # the last is that of none
    column_of[[place for place, _ in known]] = [column for _, column in known]
    result = {**found, "feature": column_of[found["feature"]]}
    for name in (*PER_FEATURE, *({OBSERVED} & set(found))):
        result[name] = np.full((len(found["score"]), width), np.nan)
        for place, column in known:
            if place >= first:
                result[name][:, column] = found[name][:, place - first]
    return result


def of_event(found: dict[str, NDArray[Any]], names: Sequence[Any], first: int) -> dict[str, Any]:
    """Return the details of one event as plain values.

    Parameters
    ----------
    found
        A block of one row, as of :func:`read`.
    names
        Of the net's columns.
    first
        The first of them that is a feature: 1 behind a time, else 0.
    """
    details: dict[str, Any] = {name: found[name].item() for name in PER_EVENT}
    view = details["view"]
    details["feature"], details["view"] = (names[details["feature"]], VIEWS[view]) if view >= 0 else (None, None)
    details["views"] = dict(zip(VIEWS, found["views"][0].tolist(), strict=True))
    details["features"] = {
        name: {part: found[part][0, i].item() for part in (*PER_FEATURE, *({OBSERVED} & set(found)))}
        for i, name in enumerate(names[first:])
    }
    return details
