"""An anomaly detector that expects the next event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.kernels.detector import LEARN, SCORE, detector
from streamrnn.models.parameters import check, documented
from streamrnn.models.recurrent import Recurrent

__all__ = ["RNNAnomalyDetector"]


@documented
class RNNAnomalyDetector(Recurrent, base.AnomalyDetector):
    """Recurrent net that expects the next event and scores how far the event is from what it expected.

    The net's state runs on from event to event and is never reset; after every few events the weights learn by
    truncated backpropagation through time, and eligibility traces carry error to causes older than the window.
    It predicts each feature's *change* from its last value, so that before it has learned anything it
    expects persistence. Inputs and changes are standardised inside; a scaler in front is not needed.

    ``score_one`` compares an event with the expectation made before it: r^2 / (1 + r^2), where r is the largest
    distance of a feature to its expectation, in running standard deviations of that feature.

    When not to use it: events without order (use ``river.anomaly.HalfSpaceTrees``), or features that are all categories.

    Parameters
    ----------
    {cell}
    {hidden_size}
    {n_layers}
    {window}
    {stride}
    {learning}
    {optimizer}
    {lr}
    {loss}
    {normalize}
    {max_features}
    {seed}

    Examples
    --------
    >>> import math
    >>> from streamrnn import RNNAnomalyDetector
    >>> model = RNNAnomalyDetector(hidden_size=8, seed=1)
    >>> for t in range(2000):
    ...     x = {"level": math.sin(t / 8)}
    ...     score = model.score_one(x)
    ...     model.learn_one(x)
    >>> usual = model.score_one({"level": math.sin(2000 / 8)})
    >>> odd = model.score_one({"level": 3.0})
    >>> usual < 0.01, odd > 0.8
    (True, True)

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
    """

    _entry = staticmethod(detector)

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 16,
        n_layers: int = 1,
        window: int = 16,
        stride: int = 4,
        learning: str = "traces",
        optimizer: str = "adam",
        lr: float | None = None,
        loss: str = "huber",
        normalize: bool = True,
        max_features: int = 1024,
        seed: int = 0,
    ) -> None:
        self._start(locals(), loss=loss)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"hidden_size": 8}

    def _inputs_of(self, names: Sequence[Any]) -> list[Any]:
        return [part for name in names for part in (name, f"change of {name}")]

    def _n_outputs(self) -> int:
        return len(self._columns.names)

    def _width(self) -> int:
        return 2 * self._net.sizes.outputs + 1

    def learn_one(self, x: Mapping[Any, Any]) -> None:
        """Take the event in: the last event's expectation is corrected by it, and the state moves on.

        Parameters
        ----------
        x
            Features by name. Missing, None and NaN are fine; new names get columns of their own.

        Raises
        ------
        FeatureError
            When a value is no number; nothing is learned then.
        """
        net = self._net
        if not self._columns.write(x, net.row):
            self._take(x)
        if self._columns.names:
            net.call(net.slab, net.row, 1, LEARN)

    def score_one(self, x: Mapping[Any, Any]) -> float:
        """Return how little x fits what was expected, in [0, 1]. Changes nothing.

        Parameters
        ----------
        x
            Features by name.

        Returns
        -------
        float
            0 before the third event of a feature; 0.5 for a surprise of one running standard deviation.
        """
        if not self._columns.names:
            return 0.0
        net = self._net
        self._look(x)
        net.call(net.slab, net.row, 1, SCORE)
        return net.row.item(net.sizes.outputs)

    def expected_one(self) -> dict[str, float]:
        """Return what the net expects of the next event; {} before the first.

        Examples
        --------
        >>> from streamrnn import RNNAnomalyDetector
        >>> model = RNNAnomalyDetector()
        >>> model.learn_one({"level": 4.0})
        >>> model.expected_one()
        {'level': 4.0}
        """
        names = self._columns.names
        if not names:
            return {}
        net = self._net
        net.row[:] = np.nan
        net.call(net.slab, net.row, 1, SCORE)
        return dict(zip(names, net.row[len(names) + 1 :].tolist(), strict=True))

    def progressive_many(self, X: Any, names: Sequence[str]) -> dict[str, NDArray[np.float64]]:
        """Score, then learn, row by row, in one compiled call: the bits of a loop of score_one and learn_one.

        Parameters
        ----------
        X
            Events, shape (n, F), anything that becomes float64; NaN where a value is missing.
        names
            Feature names, the columns of X. A column becomes a feature when its first row comes, even if that is NaN.

        Returns
        -------
        dict
            ``"score"`` (n,) and ``"prediction"`` (n, F): what was expected of each row before it was seen.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNAnomalyDetector
        >>> result = RNNAnomalyDetector().progressive_many(np.ones((5, 1)), ("level",))
        >>> result["prediction"].ravel().tolist()
        [nan, 1.0, 1.0, 1.0, 1.0]
        """
        X = np.asarray(X, dtype=np.float64)
        check(
            "progressive_many", "X", X.shape, f"of shape (n, {len(names)})", ok=X.ndim == 2 and X.shape[1] == len(names)
        )
        if len(X) == 0:
            return {"score": np.empty(0), "prediction": np.empty((0, len(names)))}
        fresh = self._columns.new(dict.fromkeys(names))
        score, prediction = np.zeros(len(X)), np.full(X.shape, np.nan)
        start = 0
        if fresh:
            # a name's first event is scored without it, as score_one does
            score[0] = self.score_one(dict(zip(names, X[0].tolist(), strict=True)))
            before = self.expected_one()
            prediction[0] = [before.get(name, np.nan) for name in names]
            self.learn_one(dict(zip(names, X[0].tolist(), strict=True)))
            start = 1
        F = len(self._columns.names)
        places = [self._columns.index[name] for name in names]
        rows = np.full((len(X) - start, 2 * F + 1), np.nan)
        rows[:, places] = X[start:]
        self._net.call(self._net.slab, rows.reshape(-1), len(rows), SCORE | LEARN)
        score[start:] = rows[:, F]
        prediction[start:] = rows[:, [F + 1 + place for place in places]]
        return {"score": score, "prediction": prediction}
