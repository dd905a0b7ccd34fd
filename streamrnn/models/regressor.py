"""A regressor with memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.supervised import LEARN
from streamrnn.models import _defaults as defaults
from streamrnn.models._features import to_float
from streamrnn.models._frames import values_of
from streamrnn.models._parameters import documented
from streamrnn.models._supervised import ANSWER, Supervised

__all__ = ["RNNRegressor"]


@documented
class RNNRegressor(Supervised, base.MiniBatchRegressor):
    """Recurrent net that predicts a number from an event and from what came before it.

    ``predict_one`` answers from the present state and changes nothing; ``learn_one`` takes the event in: the hidden state
    moves on, and every ``stride`` events the weights learn by truncated backpropagation through time. Features and
    target are standardised as they run; a scaler in front is not needed.

    When not to use it: rows without an order, where nothing but the row itself matters
    (``river.forest.ARFRegressor``); a few hundred rows in all.

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
    {missing}
    {autoregressive}
    {experts of labels}
    {key}
    {max_keys}
    {advance}
    {max_pending}
    {time}
    {max_features}
    {seed}

    Examples
    --------
    The target is the feature of three events ago, which no model without memory can know:

    >>> import random
    >>> from river import metrics
    >>> from streamrnn import RNNRegressor
    >>> rng = random.Random(1)
    >>> model, error, past = RNNRegressor(hidden_size=8, seed=1), metrics.MAE(), [0.0] * 3
    >>> for t in range(8000):
    ...     x, y = {"level": rng.choice([-1.0, 1.0])}, past[-3]
    ...     if t >= 7000:
    ...         error.update(y, model.predict_one(x))
    ...     model.learn_one(x, y)
    ...     past.append(x["level"])
    >>> error.get() < 0.1
    True

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
    R. J. Williams, J. Peng, An efficient gradient-based algorithm for on-line training of recurrent network
    trajectories, Neural Computation 2(4), 1990.
    """

    _rate = defaults.LR_OF_NUMBERS

    def __init__(
        self,
        cell: str = defaults.CELL,
        hidden_size: int = defaults.HIDDEN_SIZE,
        n_layers: int = defaults.N_LAYERS,
        window: int | None = None,
        stride: int | None = None,
        learning: str | None = None,
        optimizer: Any = defaults.OPTIMIZER_OF_LABELS,
        lr: float | None = None,
        loss: Any = defaults.LOSS,
        normalize: bool = True,
        missing: str = "auto",
        autoregressive: bool = True,
        experts: tuple[str, ...] | None = None,
        key: Any = None,
        max_keys: int = defaults.MAX_KEYS,
        advance: str = "learn",
        max_pending: int = defaults.MAX_PENDING,
        time: Any = None,
        max_features: int = defaults.MAX_FEATURES,
        seed: int = defaults.SEED,
    ) -> None:
        self._start(locals())
        self._grow(targets=["y"])

    @property
    def _seasonal(self) -> bool:
        return self.key is None

    def _n_outputs(self) -> int:
        return len(self._targets.names) * LOSSES[self._loss].outputs_per_target

    def learn_one(self, x: Mapping[Any, Any], y: Any, w: float = 1.0) -> None:
        """Take the event in: the state moves on, and y is learned.

        Parameters
        ----------
        x
            Features by name. None, NaN and what is missing count as the running mean, a count that is missing as 0 (``missing``); new names get columns.
        y
            The target. None or NaN: not known; the state moves on and nothing is learned from it.
        w
            What the event weighs, as river's ensembles give it: its gradient and its losses are multiplied by it. 0: time passes and y is told, nothing is
            learned.

        Raises
        ------
        FeatureError
            When a value is no number; nothing has changed then.
        ParameterError
            When w is no number from 0 on.
        """
        if w == 1.0 and self._net.learn(x, y):
            return
        target = to_float("y", y)
        self._take(x)
        net = self._net
        net.row[net.first_target] = target
        self._weigh(w)
        self._learn(x)

    def predict_one(self, x: Mapping[Any, Any]) -> float:
        """Return the prediction for x from the present state. Does not change the model.

        Parameters
        ----------
        x
            Features by name. Names that have not been learned yet are passed over.
        """
        answer: float | None = self._net.predict(x)
        return self._predict_slowly(x).item(self._net.first_output) if answer is None else answer

    def predict_interval_one(self, x: Mapping[Any, Any], level: float = 0.8) -> tuple[float, float]:
        """Return the prediction interval for x from the present state, around :meth:`predict_one`. Does not change the model.

        Quantiles of the errors made so far are tracked in units of the usual one (A. Angelopoulos et al., Conformal PID control for time series
        prediction, NeurIPS 2023), so that coverage holds in the long run whatever the errors do. With ``key`` the unit is the key's own, and the
        quantiles are those of all keys. Before a second target is known both ends are the prediction.

        Parameters
        ----------
        x
            As in :meth:`predict_one`; with ``advance="predict"`` asking is the event, as it is there: ask one of the two.
        level
            What share of the targets lies within, between 0 and 1; half of the others lies on either side. Tracked are 0.005 to 0.995.

        Returns
        -------
        tuple
            Low and high, in the target's unit.

        Raises
        ------
        ParameterError
            When the level is something else.

        Examples
        --------
        >>> import random
        >>> from streamrnn import RNNRegressor
        >>> rng, model, inside = random.Random(1), RNNRegressor(seed=1), 0
        >>> for t in range(3000):
        ...     x = {"level": rng.random()}
        ...     y = 2.0 * x["level"] + rng.gauss(0.0, 0.1)
        ...     low, high = model.predict_interval_one(x, 0.9)
        ...     inside += t >= 1000 and low <= y <= high
        ...     model.learn_one(x, y)
        >>> round(inside / 2000, 1), round(high - low, 1)  # of normal noise of 0.1 nine tenths lie within 0.33
        (0.9, 0.3)
        """
        return self._intervals(x, level)[0]

    def learn_many(self, X: Any, y: Any) -> None:
        """Learn row after row in one compiled call: the bits of a loop of :meth:`learn_one`.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F) whose columns are called 0, 1, 2 ...
        y
            A series, an array or a frame of one column, n numbers; None and NaN are not known.
        """
        table = self._table(X)
        self._many(table, values_of(y, len(table.values)), LEARN)

    def predict_many(self, X: Any) -> Any:
        """Return a prediction for each row, each from the *present* state: rows do not follow one another here.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).

        Returns
        -------
        series or array
            n predictions, in the kind of X.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNRegressor
        >>> model = RNNRegressor()
        >>> model.learn_many(np.ones((20, 1)), np.full(20, 3.0))
        >>> model.predict_many(np.ones((2, 1))).round(3).tolist()
        [3.0, 3.0]
        """
        table, outputs = self._answers(X)
        return table.series(outputs[:, 0].copy())

    def progressive_many(
        self, X: Any, y: Any, names: Sequence[Any] | None = None, keys: Sequence[Any] | None = None
    ) -> Any:
        """Predict each row, then learn it, in one compiled call: the fast way to replay history.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).
        y
            A series, an array or a frame of one column, n numbers; None and NaN are not known.
        names
            Of an array's columns; without it they are called 0, 1, 2 ...
        keys
            Whose event each row of an array is, for a model with ``key``, (n,).

        Returns
        -------
        series or array
            n predictions, each made before its row was learned: the bits of a loop of :meth:`predict_one` and
            :meth:`learn_one`.
        """
        if names is not None and self._are_known(X, names, keys):
            return self._run_known(X, values_of(y, len(X)), keys)
        table = self._table(X, names, keys)
        pieces: list[NDArray[np.float64]] = self._many(table, values_of(y, len(table.values)), ANSWER | LEARN)
        return table.series(np.concatenate([piece[:, 0] for piece in pieces]))

    def _are_known(self, X: Any, names: Sequence[Any], keys: Sequence[Any] | None) -> bool:
        """Whether a block is numbers of exactly the columns, and an event a row: the short way has nothing to ask then."""
        columns = self._columns
        plain = columns.plain and len(columns.blank) == len(columns.names) and not self._late_labels
        if not plain or type(X) is not np.ndarray or X.dtype != np.float64 or X.ndim != 2:
            return False
        fits = X.shape[1] == len(columns.names) and columns.names == list(names)
        return fits and (keys is None if self.key is None else keys is not None and len(keys) == len(X))

    def _run_known(
        self, X: NDArray[np.float64], y: NDArray[np.float64], keys: Sequence[Any] | None
    ) -> NDArray[np.float64]:
        """Predict each row of such a block, then learn it: of one row, half of the time of :meth:`_many`."""
        net = self._net
        rows = np.empty((len(X), net.row.size))
        rows.fill(np.nan)
        rows[:, : X.shape[1]] = X
        rows[:, net.first_target] = y
        if keys is not None:
            rows[:, -1] = self._touch(keys)
        net.call(net.slab, rows.reshape(-1), len(rows), ANSWER | LEARN)
        found: NDArray[np.float64] = rows[:, net.first_output].copy()
        return found
