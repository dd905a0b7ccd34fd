"""What a detector's entry writes into the rows of a block, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.anomaly.views import INFORMATION, VIEWS

__all__ = ["OBSERVED", "PER_EVENT", "PER_FEATURE", "blank", "by_columns", "of_event", "read"]

BAND: Final = 2.0  # running errors on either side of what was expected
PER_EVENT: Final = (
    "score", "severity", "alarm", "warm", "change", "p_value", "threshold", "since", "episode", "feature", "view",
)  # fmt: skip
BEHIND: Final = 4 + len(VIEWS)  # of a row's information, what stands behind the views
OBSERVED: Final = "observed"  # what was compared of each feature; only where that may be other than what came
PER_FEATURE: Final = ("prediction", "low", "high", "contribution")


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
    flags = np.where(info[:, 2] > 0, info[:, 2], 0.0).astype(np.int64)  # NaN where nothing was decided
    expected, spread = rest[:, F + 1 : 2 * F + 1], info[:, INFORMATION + F : INFORMATION + 2 * F]
    return {
        "score": rest[:, F].copy(),
        "prediction": expected.copy(),
        "low": expected - BAND * spread,
        "high": expected + BAND * spread,
        "contribution": info[:, INFORMATION : INFORMATION + F].copy(),
        "alarm": flags & alarm.FLAG_ALARM != 0,
        "exceeds": flags & (alarm.FLAG_EXCEEDS | alarm.FLAG_WRONG) != 0,
        "warm": flags & alarm.FLAG_WARM != 0,
        "change": flags & alarm.FLAG_CHANGE != 0,
        "p_value": info[:, 0].copy(),
        "severity": 0.0 - np.log10(info[:, 0]),
        "threshold": info[:, 1].copy(),
        "since": info[:, 3].copy(),
        "episode": np.where(info[:, BEHIND + 2] > 0.0, info[:, BEHIND + 2], 0.0).astype(np.int64),
        "views": info[:, 4:BEHIND].copy(),
        "feature": np.where(info[:, BEHIND + 1] >= 0.0, info[:, BEHIND] + first, -1.0).astype(np.int64),
        "view": np.where(info[:, BEHIND + 1] >= 0.0, info[:, BEHIND + 1], -1.0).astype(np.int64),
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
