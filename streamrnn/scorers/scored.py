"""What scorers say of events, and how the parts of many keys become the results of one block."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamrnn.io import AlarmEvent

__all__ = ["RawRows", "Scored", "join"]

BY_FEATURE = ("low", "high", "contribution", "observed")
"""Details with a column for each feature."""

_OWN = {
    "score": "scores",
    "prediction": "predictions",
    "alarm": "alarms",
    "p_value": "p_values",
    "forecast": "forecasts",
}
"""Columns that are fields of their own; all others are details."""

_NOTHING = {"f": np.nan, "b": False, "i": -1, "O": None}
"""What stands for no result, by the kind of a column's type."""


@dataclass(frozen=True, slots=True)
class Scored:
    """Results, one for each event, in the order of the events.

    Parameters
    ----------
    scores
        float64, shape (n,), from 0 to 1.
    predictions
        float64, shape (n, I): what the model expected before it saw the event; NaN where nothing.
    alarms, p_values
        Of the alarm rule: n bools and n floats.
    label
        Name of the only feature that is predicted; None: all are.
    forecasts
        float64, shape (n, horizon, I, 5), see :func:`streamrnn.scorers.forecast.forecast_block`; None where nothing is forecast.
    losses
        float64, shape (m,): the net's mean loss over the events of this block, for each key in it that has learned, in the loss's own unit on
        standardised targets. Empty for models that do not count it.
    details
        What a model with an alarm rule of its own says beside, by name, one row for each event: see
        :meth:`streamrnn.RNNAnomalyDetector.progressive_many`. Empty for others.
    episodes
        The alarm events of this block, see :mod:`streamrnn.engine.episodes`. Empty where they go nowhere.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.scored import Scored
    >>> Scored(np.array([0.5]), np.array([[1.0, 2.0]]), [False], [1.0], label="b").column(("a", "b"))
    1
    """

    scores: NDArray[np.float64]
    predictions: NDArray[np.float64]
    alarms: list[bool]
    p_values: list[float]
    label: str | None = None
    forecasts: NDArray[np.float64] | None = None
    losses: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    details: dict[str, NDArray[Any]] = field(default_factory=dict)
    episodes: Sequence[AlarmEvent] = ()

    def column(self, names: tuple[str, ...]) -> int:
        """Return the column to show of a block: the label's, or the first.

        Parameters
        ----------
        names
            Of the columns.
        """
        return 0 if self.label is None else names.index(self.label)

    def observed(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return what the model compared with its predictions, (n, I): of a counter its rate.

        Parameters
        ----------
        values
            float64, shape (n, I): what came.
        """
        found: NDArray[np.float64] = self.details.get("observed", values)
        return found

    def columns(self) -> dict[str, NDArray[Any]]:
        """Return all results as arrays by name, one row for each event."""
        found = {"score": self.scores, "prediction": self.predictions}
        alarms = {"alarm": np.array(self.alarms, dtype=bool), "p_value": np.array(self.p_values, dtype=np.float64)}
        forecasts = {} if self.forecasts is None else {"forecast": self.forecasts}
        return {**found, **alarms, **forecasts, **self.details}

    @staticmethod
    def of(columns: Mapping[str, NDArray[Any]]) -> Scored:
        """Return results of what :meth:`columns` gives.

        Parameters
        ----------
        columns
            One row for each event.
        """
        return Scored(
            scores=columns["score"],
            predictions=columns["prediction"],
            alarms=columns["alarm"].tolist(),
            p_values=columns["p_value"].tolist(),
            forecasts=columns.get("forecast"),
            details={name: part for name, part in columns.items() if name not in _OWN},
        )

    def first_features(self, width: int) -> Scored:
        """Return the results without those of the features behind the first ``width``.

        Parameters
        ----------
        width
            How many stay.
        """
        columns = self.columns()
        for name in ("prediction", *BY_FEATURE):
            if name in columns and columns[name].ndim > 1:
                columns[name] = columns[name][:, :width]
        return Scored.of(columns)

    def blank(self, n: int, **known: Any) -> Scored:
        """Return ``n`` rows of the same columns that say nothing, but for the details in ``known``.

        Parameters
        ----------
        n
            How many.
        **known
            Details that say something, by name.
        """
        columns = {
            name: np.full((n, *part.shape[1:]), known.get(name, _NOTHING[part.dtype.kind]), part.dtype)
            for name, part in self.columns().items()
        }
        return Scored.of(columns)


class RawRows(NamedTuple):
    """Results as a compiled call left them: reading the rows of many keys together takes no longer than those of one.

    Parameters
    ----------
    rows
        float64, shape (n, width).
    read
        Makes results of such rows, also of those of other keys under the same configuration.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.scored import RawRows
    >>> len(RawRows(np.zeros((3, 8)), lambda rows: None).rows)
    3
    """

    rows: NDArray[np.float64]
    read: Callable[[NDArray[np.float64]], Scored]

    def scored(self) -> Scored:
        """Return the results."""
        return self.read(self.rows)


def join(parts: Sequence[tuple[Sequence[int], Scored | RawRows]]) -> Scored:
    """Return the results of a block from those of its keys.

    Parameters
    ----------
    parts
        For each, the rows of the block that it is about, and what was said of them. Together they are all rows, each once.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.scored import Scored, join
    >>> one, other = (Scored(np.array(s), np.zeros((len(s), 1)), [False] * len(s), s) for s in ([0.1, 0.3], [0.2]))
    >>> join([([0, 2], one), ([1], other)]).scores.tolist()
    [0.1, 0.2, 0.3]
    """
    raw = [(rows, one) for rows, one in parts if isinstance(one, RawRows)]
    done = [(rows, one) for rows, one in parts if isinstance(one, Scored)]
    if raw:
        together = raw[0][1].read(np.concatenate([one.rows for _, one in raw]))
        done.append(([row for rows, _ in raw for row in rows], together))
    if len(parts) == 1:
        return done[0][1]
    order = np.argsort(np.concatenate([rows for rows, _ in done]))
    columns = [one.columns() for _, one in done]
    return Scored.of({name: np.concatenate([part[name] for part in columns])[order] for name in columns[0]})
