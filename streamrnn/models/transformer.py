"""The hidden state as features, for any river model behind it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.errors import ParameterError, StateError
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.supervised import LEARN, NEXT, WITH_HIDDEN
from streamrnn.models import _defaults as defaults
from streamrnn.models._features import to_float
from streamrnn.models._frames import column_of, values_of
from streamrnn.models._parameters import check, documented
from streamrnn.models._supervised import Supervised

__all__ = ["RNNTransformer"]

Y: Final = "y"  # the target's name; that of a feature's change is the number of its column


@documented
class RNNTransformer(Supervised, base.SupervisedTransformer, base.Transformer):
    """Recurrent net whose hidden state is handed on as features ``h0``, ``h1`` ..., so that any river model can read it.

    What stands behind it in the pipeline sees the state with the event in it. ``transform_one`` changes nothing, ``learn_one``
    takes the event in. A pipeline transforms with a supervised transformer before that learns, so the model behind learns
    from the numbers it predicts from.

    The net itself learns to expect the next event, each feature's change, or y when it is given. From the first number y
    on it learns y alone, as :class:`~streamrnn.RNNRegressor` does, and an event without one teaches nothing. Labels in
    text are for the model behind: the net goes on expecting the next event.

    When not to use it: where the net's own answer is all that is wanted; a :class:`~streamrnn.RNNRegressor` is half the work.

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

    Without y: a detector that has no memory of its own sees the order of events in the state.

    >>> from river import anomaly
    >>> detector = RNNTransformer(hidden_size=8, seed=1) | anomaly.HalfSpaceTrees(seed=1)
    >>> for t in range(100):
    ...     detector.learn_one({"level": t % 3})
    >>> detector["RNNTransformer"].n_updates
    12

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
    """

    _updates_late = True
    _weighted = False
    _strides = (defaults.STRIDE_OF_TRANSFORMER, defaults.STRIDE)
    _whole_window = True

    def __init__(
        self,
        cell: str = defaults.CELL,
        hidden_size: int = defaults.HIDDEN_SIZE,
        n_layers: int = defaults.N_LAYERS,
        window: int = defaults.WINDOW,
        stride: int | None = None,
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
        allowed = [name for name, row in LOSSES.items() if row.outputs_per_target == 1 and row.task == "regression"]
        check(type(self).__name__, "loss", loss, f"one of {', '.join(allowed)}", ok=self._loss in allowed)

    @property
    def _learns_y(self) -> bool:
        return Y in self._targets.index

    def _grow(self, features: Sequence[Any] = (), targets: Sequence[Any] = ()) -> None:
        if not (targets or self._learns_y):
            known = len(self._columns.names)
            targets = range(known, known + len(features))
        super()._grow(features, targets)

    def _write_targets(self, into: NDArray[np.float64], labels: Any, start: int, stop: int) -> None:
        if self._learns_y:
            into[:, self._targets.index[Y]] = labels[start:stop]

    def _mode(self) -> int:
        """Return how an event is learned from now on."""
        if self._learns_y:
            return LEARN
        if self.window == 1:
            raise ParameterError(
                "The 'window' parameter of RNNTransformer must be an int >= 2 where no y is given: an event waits in it for "
                "the next. Got 1 instead."
            )
        return LEARN | NEXT

    def learn_one(self, x: Mapping[Any, Any], y: Any = None) -> None:
        """Take the event in: the state moves on, and the net learns to expect the next event, or y.

        Parameters
        ----------
        x
            Features by name. Missing, None and NaN are fine; new names get columns of their own.
        y
            A number, which the net learns from then on. None or NaN: not known. Text: as None, as long as no number has come.

        Raises
        ------
        FeatureError
            When a value is no number; nothing has changed then.
        ParameterError
            When ``window=1`` and no number has come.
        """
        if self._targets.names == [Y] and self._net.learn(x, y):
            return
        [target] = self._numbers([y])
        first = not self._learns_y and target == target  # noqa: PLR0124  not NaN
        mode = LEARN if first else self._mode()
        self._take(x, [Y] if first else ())
        net = self._net
        if mode == LEARN:
            net.row[net.first_target : net.first_output] = np.nan
            net.row[net.first_target + self._targets.index[Y]] = target
        self._learn(x, mode)

    def _numbers(self, labels: Iterable[Any]) -> list[float]:
        """Return labels as numbers: NaN for text, as long as no number has come."""
        found, learns = [], self._learns_y
        for y in labels:
            found.append(math.nan if isinstance(y, str) and not learns else to_float(Y, y))
            learns = learns or found[-1] == found[-1]
        return found

    def transform_one(self, x: Mapping[Any, Any]) -> dict[Any, float]:
        """Return the hidden state of the top layer with x in it. Does not change the model.

        Parameters
        ----------
        x
            Features by name. Names that have not been learned yet are passed over.
        """
        row = np.full(self._width() + self.hidden_size, np.nan)
        if not self._columns.write(x, row):
            self._columns.write_slowly(x, row)
        if self.key is not None:
            row[-1] = self._find(x)
        net = self._net
        net.call(net.slab, row, 1, WITH_HIDDEN)
        first = net.first_output + net.sizes.outputs
        return {f"h{j}": value for j, value in enumerate(row[first : first + self.hidden_size].tolist())}

    def learn_many(self, X: Any, y: Any = None) -> None:
        """Learn row after row in one compiled call: the bits of a loop of :meth:`learn_one`.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F) whose columns are called 0, 1, 2 ...
        y
            A series, an array or a frame of one column, n numbers; None and NaN are not known. None: the net learns to expect the next row.
        """
        table = self._table(X)
        n = len(table.values)
        labels = np.full(n, np.nan) if y is None else values_of(y if self._learns_y else self._numbers(column_of(y)), n)
        known = np.flatnonzero(~np.isnan(labels))
        turn = 0 if self._learns_y else int(known[0]) if known.size else n
        if turn > 0:
            self._many(table.part(0, turn), None, self._mode())
        if turn < n:
            self._many(table.part(turn, n), labels[turn:], LEARN, None if self._learns_y else {0: [Y]})

    def transform_many(self, X: Any) -> Any:
        """Return the hidden state for each row, each row from the *present* state, in one compiled call.

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
        states = self._block(table, 0, len(table.values), None, WITH_HIDDEN)
        return table.many({f"h{j}": states[:, j].copy() for j in range(self.hidden_size)})

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what ``__getstate__`` gave."""
        super().__setstate__(state)
        changes = list(range(self._net.sizes.timed, len(self._columns.names)))
        if not self._learns_y and self._targets.names != changes:
            raise StateError("The model's state has other targets than its features.")
