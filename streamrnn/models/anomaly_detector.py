"""An anomaly detector that expects the next event."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.kernels.detector import LEARN, SCORE, detector
from streamrnn.models import defaults
from streamrnn.models.frames import Table, table_of
from streamrnn.models.keys import key_of
from streamrnn.models.parameters import documented
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
    {key}
    {max_keys}
    {time}
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
    _updates_late = True

    def __init__(
        self,
        cell: str = defaults.CELL,
        hidden_size: int = defaults.HIDDEN_SIZE,
        n_layers: int = defaults.N_LAYERS,
        window: int = defaults.WINDOW,
        stride: int = defaults.STRIDE,
        learning: str | None = None,
        optimizer: Any = defaults.OPTIMIZER,
        lr: float | None = None,
        loss: Any = defaults.LOSS,
        normalize: bool = True,
        key: Any = None,
        max_keys: int = defaults.MAX_KEYS,
        time: Any = None,
        max_features: int = defaults.MAX_FEATURES,
        seed: int = defaults.SEED,
    ) -> None:
        self._start(locals())

    def _inputs_of(self, names: Sequence[Any]) -> list[Any]:
        return [part for name in names for part in ([name] if name == self.time else [name, f"change of {name}"])]

    def _n_outputs(self) -> int:
        return len(self._columns.names) - (self.time is not None)

    def _width(self) -> int:
        sizes = self._net.sizes
        return sizes.timed + 2 * sizes.outputs + 1 + sizes.keyed

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
        if self.key is not None:
            net.row[-1] = self._touch([key_of(x, self.key)])[0]
        if net.sizes.outputs:
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
        net = self._net
        if not net.sizes.outputs:
            return 0.0
        self._look(x)
        if self.key is not None:
            net.row[-1] = self._find(x)
        net.call(net.slab, net.row, 1, SCORE)
        return net.row.item(net.sizes.timed + net.sizes.outputs)

    def expected_one(self, key: Any = None) -> dict[str, float]:
        """Return what the net expects of the next event; {} before the first.

        Parameters
        ----------
        key
            Of the stream that is asked about, for a detector with ``key``.

        Examples
        --------
        >>> from streamrnn import RNNAnomalyDetector
        >>> model = RNNAnomalyDetector()
        >>> model.learn_one({"level": 4.0})
        >>> model.expected_one()
        {'level': 4.0}
        """
        net = self._net
        F, first = net.sizes.outputs, net.sizes.timed
        if not F:
            return {}
        net.row[:] = np.nan
        if self.key is not None:
            net.row[-1] = self._keys.find(key)
        net.call(net.slab, net.row, 1, SCORE)
        return dict(zip(self._columns.names[first:], net.row[first + F + 1 : first + 2 * F + 1].tolist(), strict=True))

    def progressive_many(self, X: Any, names: Sequence[Any] | None = None) -> dict[str, NDArray[np.float64]]:
        """Score, then learn, row by row, in one compiled call: the bits of a loop of score_one and learn_one.

        Parameters
        ----------
        X
            Events: a data frame, or an array of shape (n, F); NaN where a value is missing.
        names
            The columns of an array; without it they are called 0, 1, 2 ... A column becomes a feature when its
            first row comes, even if that is NaN.

        Returns
        -------
        dict
            ``"score"`` (n,) and ``"prediction"`` (n, F): what was expected of each row before it was seen, NaN in the column
            of the time. Arrays, in the order of the rows and of the columns without the key.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNAnomalyDetector
        >>> result = RNNAnomalyDetector().progressive_many(np.ones((5, 1)), ("level",))
        >>> result["prediction"].ravel().tolist()
        [nan, 1.0, 1.0, 1.0, 1.0]
        """
        table = table_of(X, self.key, self.time, names)
        n = len(table.values)
        score, prediction = np.zeros(n), np.full(table.values.shape, np.nan)
        fresh = self._columns.new(dict.fromkeys(table.names)) if n else []
        self._check_room(fresh)
        pieces = [(0, n)]
        if fresh:  # a name's first event is scored without it, as score_one does
            score[:1], prediction[:1] = self._block(table, 0, 1, SCORE)
            self._grow(fresh)
            self._block(table, 0, 1, LEARN)
            pieces = [(1, n)]
        for start, stop in pieces:
            score[start:stop], prediction[start:stop] = self._block(table, start, stop, SCORE | LEARN)
        return {"score": score, "prediction": prediction}

    def _block(self, table: Table, start: int, stop: int, mode: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Run some rows in one compiled call; return scores and expectations, as far as the columns are known."""
        net, n = self._net, stop - start
        F, first = net.sizes.outputs, net.sizes.timed
        prediction = np.full((n, len(table.names)), np.nan)
        if n == 0 or F == 0:
            return np.zeros(n), prediction
        rows = np.full((n, self._width()), np.nan)
        known = [(self._columns.index[name], i) for i, name in enumerate(table.names) if name in self._columns.index]
        for place, i in known:
            rows[:, place] = table.values[start:stop, i]
        if table.keys is not None:
            keys = [key_of({self.key: key}, self.key) for key in table.keys[start:stop]]
            rows[:, -1] = self._touch(keys) if mode & LEARN else [self._keys.find(key) for key in keys]
        net.call(net.slab, rows.reshape(-1), n, mode)
        for place, i in known:
            if place >= first:
                prediction[:, i] = rows[:, F + 1 + place]
        return rows[:, first + F].copy(), prediction
