"""A classifier with memory."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.errors import FeatureError, ParameterError
from streamrnn.kernels.net.supervised import LEARN
from streamrnn.kernels.net.target_inputs import MOST_TOLD
from streamrnn.models import _defaults as defaults
from streamrnn.models._features import element, is_unknown
from streamrnn.models._frames import column_of
from streamrnn.models._parameters import documented
from streamrnn.models._supervised import ANSWER, Supervised, stacked

__all__ = ["RNNClassifier"]


@documented
class RNNClassifier(Supervised, base.MiniBatchClassifier):
    """Recurrent net that predicts the class of an event, from the event and from what came before it.

    Classes appear as they come, two or many; labels are bools, ints or text. Probabilities are the softmax of one output
    a class, the loss is cross entropy. ``predict_proba_one`` answers from the present state and changes nothing;
    ``learn_one`` takes the event in.

    When not to use it: rows without an order (``river.forest.ARFClassifier``); labels of which nearly every one is new.

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
    {normalize}
    {missing}
    {autoregressive}
    {experts of labels}
    {key}
    {max_keys}
    {advance}
    {max_pending}
    {time}
    {class_weight}
    {max_classes}
    {max_features}
    {seed}

    Examples
    --------
    The next letter of a text. A letter that is absent is given as 0; left out, it would count as its mean:

    >>> from river import metrics
    >>> from streamrnn import RNNClassifier
    >>> model, accuracy, text = RNNClassifier(hidden_size=16, lr=0.02, seed=1), metrics.Accuracy(), "hello here " * 300
    >>> for letter, following in zip(text, text[1:]):
    ...     x = {other: float(letter == other) for other in "helor "}
    ...     accuracy.update(following, model.predict_one(x))
    ...     model.learn_one(x, following)
    >>> accuracy.get() > 0.9
    True

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997.
    """

    _tasks = ("multiclass",)
    _rate = defaults.LR_OF_CLASSES
    loss = "cross_entropy"
    class_weight: Any
    max_classes: int

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
        normalize: bool = True,
        missing: str = "auto",
        autoregressive: bool = True,
        experts: tuple[str, ...] | None = None,
        key: Any = None,
        max_keys: int = defaults.MAX_KEYS,
        advance: str = "learn",
        max_pending: int = defaults.MAX_PENDING,
        time: Any = None,
        class_weight: Any = None,
        max_classes: int = 1000,
        max_features: int = defaults.MAX_FEATURES,
        seed: int = defaults.SEED,
    ) -> None:
        self._start(locals())

    @property
    def _balanced(self) -> bool:
        return isinstance(self.class_weight, str)

    @property
    def _multiclass(self) -> bool:
        return True

    @property
    def classes(self) -> list[Any]:
        """The classes seen, in the order of their first labels."""
        return list(self._targets.names)

    def _lasts(self) -> int:
        return 1

    def _told(self, known: int) -> int:
        return min(known, MOST_TOLD)

    def _label(self, y: Any) -> Any:
        """Return a label as a plain value; None where it is not known."""
        if type(y) in (str, int, bool):
            return y
        if is_unknown(y):
            return None
        y = element(y)
        if isinstance(y, np.generic):
            y = y.item()
        if not isinstance(y, bool | int | str | float):
            raise FeatureError(f"A label must be a bool, a number or a text, or None. Got {type(y).__name__} instead.")
        return y

    @staticmethod
    def _new_classes(label: Any, seen: Collection[Any]) -> list[Any]:
        """Return the classes that a label brings. A bool brings both, so that river's binary metrics find them."""
        if label is None or label in seen:
            return []
        return [False, True] if isinstance(label, bool) and not seen else [label]

    def _check_classes(self, fresh: list[Any]) -> None:
        known = len(self._targets.names)
        if known + len(fresh) > self.max_classes:
            raise FeatureError(
                f"{type(self).__name__} has {known} classes, and {fresh[-1]!r} would be one more than "
                f"max_classes={self.max_classes} allows. Merge classes, or raise max_classes."
            )

    def _weight(self, label: Any, w: float) -> float:
        """Return what an event of this label weighs."""
        return w * self.class_weight.get(label, 1.0) if isinstance(self.class_weight, dict) else w

    def _label_weights(self, labels: Any, start: int, stop: int) -> Any:
        return (
            [self._weight(label, 1.0) for label in labels[start:stop]]
            if isinstance(self.class_weight, dict)
            else np.nan
        )

    def _write_targets(self, into: NDArray[np.float64], labels: Any, start: int, stop: int) -> None:
        if into.shape[1]:
            into[:, 0] = [self._targets.index.get(label, np.nan) for label in labels[start:stop]]

    def learn_one(self, x: Mapping[Any, Any], y: Any, w: float = 1.0) -> None:
        """Learn the event: the hidden state advances, and y is learned.

        Parameters
        ----------
        x
            Features by name. None, NaN and what is missing count as the running mean, a count that is missing as 0 (``missing``); new names get columns.
        y
            The class. None or NaN: not known; the state moves on and nothing is learned from it.
        w
            What the event weighs, as river's ensembles give it: its gradient and its losses are multiplied by it. 0: time passes and y is told, nothing is
            learned.

        Raises
        ------
        FeatureError
            When a value is no number, y is no label, or there are too many classes; nothing has changed then.
        ParameterError
            When w is no number from 0 on.
        """
        label = self._label(y)
        w = self._weight(label, w)
        fresh = self._new_classes(label, self._targets.index)
        if fresh:
            self._check_classes(fresh)
        elif w == 1.0 and self._net.learn(x, self._targets.index.get(label, np.nan)):
            return
        self._take(x, fresh)
        net = self._net
        if self._targets.names:
            net.row[net.first_target] = self._targets.index.get(label, np.nan)
        self._weigh(w)
        self._learn(x)

    def predict_proba_one(self, x: Mapping[Any, Any], **kwargs: Any) -> dict[Any, float]:  # noqa: ARG002
        """Return the probability of each class seen so far, from the present state. Does not change the model.

        Parameters
        ----------
        x
            Features by name. Names that have not been learned yet are passed over.
        kwargs
            Not used; river's interface has them.
        """
        return self._predict_by_name(x)

    def learn_many(self, X: Any, y: Any) -> None:
        """Learn row after row, compiled: the bits of a loop of :meth:`learn_one`.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F) whose columns are called 0, 1, 2 ...
        y
            A series, an array or a frame of one column, n labels; None and NaN are not known.
        """
        self._run(X, y, LEARN)

    def predict_proba_many(self, X: Any) -> Any:
        """Return the probability of each class for each row, each row from the *present* state.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).

        Returns
        -------
        frame or dict of arrays
            A column a class, in the kind of X; a dict of arrays for an array.
        """
        table, outputs = self._answers(X)
        return table.many(dict(zip(self._targets.names, outputs.T, strict=True)))

    def predict_many(self, X: Any) -> Any:
        """Return the likeliest class of each row, each row from the *present* state.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).

        Returns
        -------
        series or array
            n classes, in the kind of X; None before the first label.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNClassifier
        >>> model, X = RNNClassifier(), np.random.default_rng(1).integers(0, 2, (200, 1)).astype(float)
        >>> model.learn_many(X, np.where(X[:, 0] > 0, "high", "low").tolist())
        >>> model.predict_many(np.array([[1.0], [0.0]])).tolist()
        ['high', 'low']
        """
        table, outputs = self._answers(X)
        return table.series(self._likeliest(outputs))

    def progressive_many(self, X: Any, y: Any, *, proba: bool = False) -> Any:
        """Predict each row, then learn it, compiled: the fast way to replay history.

        Parameters
        ----------
        X
            A data frame, or an array of shape (n, F).
        y
            A series, an array or a frame of one column, n labels; None and NaN are not known.
        proba
            Return probabilities instead of classes, as log loss and ROC AUC want them.

        Returns
        -------
        series or array
            n classes, each predicted before its row was learned: those of a loop of ``predict_one`` and
            :meth:`learn_one`. With ``proba=True`` a frame in the kind of X, or a dict of arrays for an array: a column (n,) for each class
            known at the end, in the order of :attr:`classes`, with the numbers of a loop of :meth:`predict_proba_one`. NaN where a class had
            not been seen yet, which is a key that the loop's dict does not have.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNClassifier
        >>> found = RNNClassifier().progressive_many(np.zeros((3, 1)), ["low", "low", "high"], proba=True)
        >>> {label: column.tolist() for label, column in found.items()}
        {'low': [nan, 1.0, 1.0], 'high': [nan, nan, nan]}
        """
        table, pieces = self._run(X, y, ANSWER | LEARN)
        if proba:
            return table.many(dict(zip(self.classes, stacked(pieces, len(self.classes)).T.copy(), strict=True)))
        return table.series([label for piece in pieces for label in self._likeliest(piece)])

    def _likeliest(self, outputs: NDArray[np.float64]) -> list[Any]:
        if outputs.shape[1] == 0:
            return [None] * len(outputs)
        return [self._targets.names[k] for k in outputs.argmax(axis=1)]

    def _run(self, X: Any, y: Any, mode: int) -> Any:
        """Run a block; return it as a table, and the outputs in pieces."""
        table = self._table(X)
        labels = [self._label(one) for one in column_of(y)]
        if len(labels) != len(table.values):
            raise ParameterError(
                f"The 'y' parameter must have one label for each of the {len(table.values)} rows. Got {len(labels)}."
            )
        grows: dict[int, list[Any]] = {}
        seen = dict.fromkeys(self._targets.names)
        for row, label in enumerate(labels):
            if fresh := self._new_classes(label, seen):
                grows[row] = fresh
                seen.update(dict.fromkeys(fresh))
        self._check_classes(list(seen)[len(self._targets.names) :])
        return table, self._many(table, labels, mode, grows)
