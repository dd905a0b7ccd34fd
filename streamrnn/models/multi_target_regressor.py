"""A regressor with memory and several targets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.errors import ParameterError
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.supervised import LEARN
from streamrnn.models import _defaults as defaults
from streamrnn.models._features import Columns, is_unknown
from streamrnn.models._frames import Table, table_of
from streamrnn.models._parameters import check, documented
from streamrnn.models._supervised import ANSWER, Supervised, stacked

__all__ = ["RNNMultiTargetRegressor"]


@documented
class RNNMultiTargetRegressor(Supervised, base.MultiTargetRegressor):
    """Recurrent net that predicts several numbers at once, from an event and from what came before it.

    One net, one output a target: what one target needs to remember serves the others. Targets appear as they come; one that
    is missing, None or NaN in an event is not learned in that event.

    When not to use it: targets that have nothing to do with each other; a :class:`~streamrnn.RNNRegressor` each then
    learns each in its own pace.

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
    >>> import random
    >>> from streamrnn import RNNMultiTargetRegressor
    >>> rng, model, before = random.Random(1), RNNMultiTargetRegressor(hidden_size=8, lr=0.02, seed=1), 0.0
    >>> for t in range(3000):
    ...     now = rng.random()
    ...     model.learn_one({"level": now}, {"double": 2 * now, "before": before})
    ...     before = now
    >>> {name: abs(y - wanted) < 0.1 for (name, y), wanted in zip(model.predict_one({"level": 0.5}).items(), (before, 1))}
    {'before': True, 'double': True}

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
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
        allowed = [name for name, row in LOSSES.items() if row.outputs_per_target == 1 and row.task == "regression"]
        check(type(self).__name__, "loss", loss, f"one of {', '.join(allowed)}", ok=self._loss in allowed)

    @property
    def targets(self) -> list[Any]:
        """The targets seen, in the order of their outputs."""
        return list(self._targets.names)

    def _write_targets(self, into: NDArray[np.float64], labels: Any, start: int, stop: int) -> None:
        for i, name in enumerate(labels.names):
            into[:, self._targets.index[name]] = labels.values[start:stop, i]

    def learn_one(self, x: Mapping[Any, Any], y: Mapping[Any, Any] | None, w: float = 1.0, **kwargs: Any) -> None:  # noqa: ARG002
        """Take the event in: the state moves on, and y is learned.

        Parameters
        ----------
        x
            Features by name. None, NaN and what is missing count as the running mean, a count that is missing as 0 (``missing``); new names get columns.
        y
            Targets by name. Missing, None and NaN: not known; new ones get outputs of their own. None or NaN instead of the dict: none is known.
        w
            What the event weighs, as river's ensembles give it: its gradient and its losses are multiplied by it. 0: time passes and y is told, nothing is
            learned.
        kwargs
            Not used; river's interface has them.

        Raises
        ------
        FeatureError
            When a value is no number; nothing has changed then.
        ParameterError
            When w is no number from 0 on.
        """
        y = {} if y is None or is_unknown(y) else y
        values = np.empty(len(self._targets.names))
        fresh = self._targets.new(y)
        if fresh:
            Columns(fresh).write_slowly(y, np.empty(len(fresh)))  # raises before anything has changed
        if not self._targets.write(y, values):
            self._targets.write_slowly(y, values)
        self._take(x, fresh)
        if fresh:
            values = np.empty(len(self._targets.names))
            self._targets.write_slowly(y, values)
        net = self._net
        net.row[net.first_target : net.first_output] = values
        self._weigh(w)
        self._learn(x)

    def predict_one(self, x: Mapping[Any, Any], **kwargs: Any) -> dict[Any, float]:  # noqa: ARG002
        """Return a prediction for each target seen so far, from the present state. Does not change the model.

        Parameters
        ----------
        x
            Features by name. Names that have not been learned yet are passed over.
        kwargs
            Not used; river's interface has them.
        """
        return self._predict_by_name(x)

    def predict_interval_one(self, x: Mapping[Any, Any], level: float = 0.8) -> dict[Any, tuple[float, float]]:
        """Return a prediction interval for each target seen so far, as :meth:`RNNRegressor.predict_interval_one` does. Does not change the model.

        Parameters
        ----------
        x, level
            As there.

        Returns
        -------
        dict
            Low and high by target.

        Raises
        ------
        ParameterError
            When the level is no number between 0 and 1.

        Examples
        --------
        >>> from streamrnn import RNNMultiTargetRegressor
        >>> model = RNNMultiTargetRegressor()
        >>> for t in range(500):
        ...     model.learn_one({}, {"load": 5.0 + t % 2, "rest": 3.0})
        >>> {name: (round(low), round(high)) for name, (low, high) in model.predict_interval_one({}).items()}
        {'load': (5, 5), 'rest': (3, 3)}
        """
        return dict(zip(self._targets.names, self._intervals(x, level), strict=True))

    def learn_many(self, X: Any, Y: Any) -> None:
        """Learn row after row, compiled: the bits of a loop of :meth:`learn_one`.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F) whose columns are called 0, 1, 2 ...
        Y
            A data frame or array of targets, n rows.
        """
        self._run(X, Y, LEARN)

    def predict_many(self, X: Any) -> Any:
        """Return predictions for each row, each row from the *present* state.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).

        Returns
        -------
        frame or dict of arrays
            A column a target, in the kind of X; a dict of arrays for an array.
        """
        table, outputs = self._answers(X)
        return table.many(dict(zip(self._targets.names, outputs.T.copy(), strict=True)))

    def progressive_many(self, X: Any, Y: Any) -> Any:
        """Predict each row, then learn it, compiled: the fast way to replay history.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).
        Y
            A data frame or array of targets, n rows.

        Returns
        -------
        frame or dict of arrays
            A column a target; NaN where a target had not been seen.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNMultiTargetRegressor
        >>> RNNMultiTargetRegressor().progressive_many(np.ones((3, 1)), np.full((3, 1), 2.0))
        {0: array([nan,  2.,  2.])}
        """
        table, pieces = self._run(X, Y, ANSWER | LEARN)
        outputs = stacked(pieces, len(self._targets.names))
        return table.many(dict(zip(self._targets.names, outputs.T.copy(), strict=True)))

    def _run(self, X: Any, Y: Any, mode: int) -> tuple[Table, list[NDArray[np.float64]]]:
        """Run a block; return it as a table, and the outputs in pieces."""
        table, labels = self._table(X), table_of(Y)
        if len(labels.values) != len(table.values):
            raise ParameterError(
                f"The 'Y' parameter must have as many rows as X, {len(table.values)}. Got {len(labels.values)}."
            )
        fresh = self._targets.new(dict.fromkeys(labels.names)) if len(table.values) else []
        return table, self._many(table, labels, mode, {0: fresh} if fresh else None)
