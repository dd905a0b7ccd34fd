"""An anomaly detector that expects the next event."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.detector import LEARN, SCORE, detector
from streamrnn.kernels.layout import MAX_LAYERS, REFUSED, UPDATES, Sizes
from streamrnn.models.features import Columns
from streamrnn.models.net import Net, check

__all__ = ["RNNAnomalyDetector"]


class RNNAnomalyDetector(base.AnomalyDetector):
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
    cell
        ``"lstm"``, ``"trace_lstm"``, ``"gru"``, ``"elman"``, ``"elman_logistic"`` or ``"dense"`` (no memory).
    hidden_size
        Units a layer. 16 learn a daily and a weekly pattern; time per event grows with the square.
    n_layers
        Layers, each fed by the one below.
    window
        Events over which error flows back exactly. Older causes are reached by the traces.
    stride
        Events between two updates of the weights, at most ``window``. Small strides learn faster per event and
        cost more per event.
    learning
        ``"traces"`` (where the cell has a cell state; others use the plain rule) or ``"tbptt"``.
    lr
        Learning rate of Adam. 0.005 is the value that was never far from the best on smooth, noisy and switching streams.
    seed
        Of the initial weights: same seed, same events, same scores, bit for bit.

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

    def __init__(
        self,
        cell: str = "lstm",
        hidden_size: int = 16,
        n_layers: int = 1,
        window: int = 16,
        stride: int = 4,
        learning: str = "traces",
        lr: float = 0.005,
        seed: int = 0,
    ) -> None:
        self.cell = cell
        self.hidden_size = hidden_size
        self.n_layers = n_layers
        self.window = window
        self.stride = stride
        self.learning = learning
        self.lr = lr
        self.seed = seed
        name = type(self).__name__
        check(name, "cell", cell, f"one of {', '.join(CELLS)}", ok=cell in CELLS)
        check(name, "hidden_size", hidden_size, "an int from 1 to 1024", ok=_whole(hidden_size, 1, 1024))
        check(name, "n_layers", n_layers, f"an int from 1 to {MAX_LAYERS}", ok=_whole(n_layers, 1, MAX_LAYERS))
        check(name, "window", window, "an int from 1 to 65536", ok=_whole(window, 1, 65536))
        check(name, "stride", stride, f"an int from 1 to window ({window})", ok=_whole(stride, 1, window))
        check(name, "learning", learning, "'traces' or 'tbptt'", ok=learning in ("traces", "tbptt"))
        check(name, "lr", lr, "a number > 0", ok=_real(lr) and 0 < lr < math.inf)
        check(name, "seed", seed, "an int >= 0", ok=_whole(seed, 0, 2**63))
        sizes = Sizes(
            cell, 0, hidden_size, 0, layers=n_layers, window=window, stride=stride, traces=learning == "traces"
        )
        self._net = Net(sizes, seed, settings={"lr": lr})
        self._columns = Columns()
        self._entry = detector(cell, hidden_size)
        self._row = np.empty(1)

    @classmethod
    def _unit_test_params(cls) -> Iterator[dict[str, Any]]:
        yield {"hidden_size": 8}

    def _grow(self, names: list[str]) -> None:
        self._net.grow([part for name in names for part in (name, f"change of {name}")], outputs=len(names))
        self._columns.add(names)
        self._row = np.empty(2 * len(self._columns.names) + 1)

    def _load(self, x: Mapping[str, Any]) -> None:
        """Put x into the row. A name without a column is passed over: it gets one when it is learned."""
        if not self._columns.write(x, self._row):
            self._columns.write_slowly(x, self._row)

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
        if not self._columns.write(x, self._row):
            fresh = self._columns.new(x)
            if fresh:
                checked = Columns(fresh)
                checked.write_slowly(x, np.empty(len(fresh)))  # raises before anything has changed
            self._columns.write_slowly(x, self._row)
            if fresh:
                self._grow(fresh)
                self._columns.write_slowly(x, self._row)
        if self._columns.names:
            self._entry(self._net.slab, self._row, 1, LEARN)

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
        self._load(x)
        self._entry(self._net.slab, self._row, 1, SCORE)
        return float(self._row[len(self._columns.names)])

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
        self._row[:] = np.nan
        self._entry(self._net.slab, self._row, 1, SCORE)
        return dict(zip(names, self._row[len(names) + 1 :].tolist(), strict=True))

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
        self._entry(self._net.slab, rows.reshape(-1), len(rows), SCORE | LEARN)
        score[start:] = rows[:, F]
        prediction[start:] = rows[:, [F + 1 + place for place in places]]
        return {"score": score, "prediction": prediction}

    @property
    def n_updates(self) -> int:
        """How often the weights have been adjusted."""
        return int(self._net.header[UPDATES])

    @property
    def n_refused_updates(self) -> int:
        """How many updates were refused because something in them was not finite."""
        return int(self._net.header[REFUSED])

    def __getstate__(self) -> dict[str, Any]:
        """Return parameters, names and the state's bytes: equal models give equal pickles."""
        return {
            "params": self._get_params(),
            "names": list(self._columns.names),
            "state": self._net.state(),
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave."""
        self.__init__(**state["params"])  # type: ignore[misc]
        names = state["names"]
        if names:
            inputs = [part for name in names for part in (name, f"change of {name}")]
            self._net.restore(inputs, len(names), state["state"])
            self._columns = Columns(list(names))
            self._row = np.empty(2 * len(names) + 1)


def _whole(value: Any, low: int, high: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(low <= value <= high)


def _real(value: Any) -> bool:
    return isinstance(value, int | float | np.number) and not isinstance(value, bool)
