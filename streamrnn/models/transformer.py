"""The hidden state as features, for any river model behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from river import base

from streamrnn.kernels.supervised import HIDDEN, LEARN
from streamrnn.models import defaults
from streamrnn.models.features import to_float
from streamrnn.models.frames import values_of
from streamrnn.models.parameters import documented
from streamrnn.models.supervised import Supervised

__all__ = ["RNNTransformer"]


@documented
class RNNTransformer(Supervised, base.SupervisedTransformer, base.Transformer):
    """Recurrent net whose hidden state is handed on as features ``h0``, ``h1`` ..., so that any river model can read it.

    The net itself learns to predict y, as :class:`~streamrnn.RNNRegressor` does; what stands behind it in the pipeline sees
    the state with the event in it. ``transform_one`` changes nothing, ``learn_one`` takes the event in. A pipeline transforms
    with a supervised transformer before that learns, so the model behind learns from the numbers it predicts from.

    When not to use it: where the net's own answer is all that is wanted; a :class:`~streamrnn.RNNRegressor` is half the work.
    Where y is text or one of many classes; it must be a number here (True and False are 1 and 0).

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
    >>> import random
    >>> from river import linear_model, metrics
    >>> from streamrnn import RNNTransformer
    >>> rng = random.Random(1)
    >>> model, error, before = RNNTransformer(hidden_size=8, seed=1) | linear_model.LinearRegression(), metrics.MAE(), 0.0
    >>> for t in range(4000):
    ...     x, y, before = {"level": rng.random()}, before, None
    ...     if t >= 3000:
    ...         error.update(y, model.predict_one(x))
    ...     model.learn_one(x, y)
    ...     before = x["level"]
    >>> error.get() < 0.1  # 0.25 without memory
    True

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
    """

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
        self._grow(targets=["y"])

    def learn_one(self, x: Mapping[Any, Any], y: Any = None) -> None:
        """Take the event in: the state moves on, and the net learns to predict y.

        Parameters
        ----------
        x
            Features by name. Missing, None and NaN are fine; new names get columns of their own.
        y
            A number. None or NaN: not known; the state moves on and nothing is learned from it.

        Raises
        ------
        FeatureError
            When a value is no number; nothing has changed then.
        """
        net, y = self._net, to_float("y", y)
        self._take(x)
        net.row[net.first_target] = y
        self._learn(x)

    def transform_one(self, x: Mapping[Any, Any]) -> dict[Any, float]:
        """Return the hidden state of the top layer with x in it. Changes nothing.

        Parameters
        ----------
        x
            Features by name. Names that have not been learned yet are passed over.
        """
        width = self._width()
        row = np.full(width + self.hidden_size, np.nan)
        if not self._columns.write(x, row):
            self._columns.write_slowly(x, row)
        if self.key is not None:
            row[-1] = self._find(x)
        net = self._net
        net.call(net.slab, row, 1, HIDDEN)
        first = net.first_output + net.sizes.outputs
        return {f"h{j}": value for j, value in enumerate(row[first : first + self.hidden_size].tolist())}

    def learn_many(self, X: Any, y: Any) -> None:
        """Learn row after row in one compiled call: the bits of a loop of :meth:`learn_one`.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F) whose columns are called 0, 1, 2 ...
        y
            A series or array of n numbers; None and NaN are not known.
        """
        table = self._table(X)
        self._many(table, values_of(y, len(table.values)), LEARN)

    def transform_many(self, X: Any) -> Any:
        """Return the hidden state for each row, each row from the *present* state.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).

        Returns
        -------
        frame or dict of arrays
            A column a unit, in the kind of X; a dict of arrays for an array.
        """
        table = self._table(X)
        rows = [list(self.transform_one(x).values()) for x in table.dicts(self.key)]
        states = np.array(rows).reshape(len(rows), self.hidden_size)
        return table.many({f"h{j}": states[:, j].copy() for j in range(self.hidden_size)})
