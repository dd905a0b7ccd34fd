"""An online anomaly detector for a target's residual."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.errors import StateError
from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.anomaly.views import LEARN as JUDGE
from streamrnn.kernels.anomaly.views import SCORE
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.supervised import LEARN
from streamrnn.models import _defaults as defaults
from streamrnn.models._details import PER_EVENT
from streamrnn.models._features import is_unknown, to_float
from streamrnn.models._frames import Table, values_of
from streamrnn.models._keys import key_of, keys_of
from streamrnn.models._net import Net
from streamrnn.models._parameters import documented
from streamrnn.models._supervised import ANSWER, Supervised
from streamrnn.models.anomaly_detector import RNNAnomalyDetector

__all__ = ["RNNSupervisedAnomalyDetector"]

SURPRISE: Final = "surprise"  # the judge's only feature: y less what was expected
SERIES: Final = "series"  # its key, where there is one
JUDGES: Final = (
    "alarm_rate", "cooldown", "warm_up", "protect", "patience", "memory", "cell", "hidden_size", "n_layers", "window", "stride", "learning",
    "optimizer", "lr", "loss", "normalize", "max_keys", "seed",
)  # fmt: skip

BANDS: Final = "low", "high"
SHARED: Final = ("params", "keys", "ticks")  # parts of a state that are the same for both


@documented
class RNNSupervisedAnomalyDetector(Supervised, base.SupervisedAnomalyDetector):
    """Recurrent net that gives a target an anomaly score, given its features and the past, and raises alarms at a rate that you choose.

    A net like that of :class:`~streamrnn.RNNRegressor` predicts y from x and the past. The residual, y minus the prediction, is scored
    by :class:`~streamrnn.RNNAnomalyDetector`, with its alarms and details. A level never seen before is therefore normal where the
    features explain it, and a common one is an anomaly where they do not.

    For ``protect`` events from an alarm on the net does not learn. A target that is not known (None, NaN) has score 0 and advances the
    hidden state; nothing is learned from it.

    When not to use it: all features are to be watched (``RNNAnomalyDetector``); the label says whether the event *is* an anomaly
    (``RNNClassifier``, or ``RNNAnomalyDetector.learn_one(x, feedback=...)``).

    Parameters
    ----------
    {alarm_rate}
    {cooldown}
    {warm_up}
    {protect}
    {patience}
    {memory}
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
    {autoregressive}
    {key}
    {max_keys}
    {time}
    {max_features}
    {seed}

    Examples
    --------
    The pressure follows the valve. Both 1 and 5 are seen all the time:

    >>> import random
    >>> from streamrnn import RNNSupervisedAnomalyDetector
    >>> rng, model = random.Random(1), RNNSupervisedAnomalyDetector(hidden_size=8, seed=1)
    >>> for t in range(3000):
    ...     x = {"valve": rng.choice([0.0, 1.0])}
    ...     model.learn_one(x, 1.0 + 4.0 * x["valve"] + rng.gauss(0.0, 0.1))
    >>> usual, odd = model.explain_one({"valve": 1.0}, 5.0), model.explain_one({"valve": 1.0}, 1.0)
    >>> usual["score"] < 0.05, usual["alarm"], odd["score"] > 0.2, odd["alarm"]
    (True, False, True, True)
    >>> odd["low"] < 5.0 < odd["high"]
    True

    References
    ----------
    As of RNNAnomalyDetector and RNNRegressor.
    """

    _whole_window = True

    alarm_rate: float
    cooldown: int
    warm_up: int
    protect: int
    patience: int
    memory: int | None

    def __init__(
        self,
        alarm_rate: float = defaults.ALARM_RATE,
        cooldown: int = defaults.COOLDOWN,
        warm_up: int = defaults.WARM_UP,
        protect: int = defaults.PROTECT,
        patience: int = defaults.PATIENCE,
        memory: int | None = None,
        cell: str = defaults.CELL,
        hidden_size: int = defaults.HIDDEN_SIZE,
        n_layers: int = defaults.N_LAYERS,
        window: int | None = None,
        stride: int = defaults.STRIDE,
        learning: str | None = None,
        optimizer: Any = defaults.OPTIMIZER,
        lr: float | None = None,
        loss: Any = defaults.LOSS,
        normalize: bool = True,
        autoregressive: bool = False,
        key: Any = None,
        max_keys: int = defaults.MAX_KEYS,
        time: Any = None,
        max_features: int = defaults.MAX_FEATURES,
        seed: int = defaults.SEED,
    ) -> None:
        self._start(locals())
        self._grow(targets=["y"])
        self._judge = RNNAnomalyDetector(
            **{name: getattr(self, name) for name in JUDGES}, key=None if self.key is None else SERIES
        )

    def _own_window(self, *, carried: bool) -> int:  # noqa: ARG002
        return defaults.WINDOW if self.key is None else defaults.WINDOW_OF_KEY

    def _n_outputs(self) -> int:
        return len(self._targets.names) * LOSSES[self._loss].outputs_per_target

    def set_alarm(self, alarm_rate: float, cooldown: int, warm_up: int | None = None) -> None:
        """Change the alarm rule from the next event on; what has been learned stays.

        Parameters
        ----------
        alarm_rate, cooldown, warm_up
            As when the model was made; None: the warm-up stays.
        """
        self._judge.set_alarm(alarm_rate, cooldown, warm_up)
        self.alarm_rate, self.cooldown, self.warm_up = alarm_rate, cooldown, self._judge.warm_up

    def _expected(self, x: Mapping[Any, Any]) -> float:
        """Return what the net expects of y; NaN before it has learned any."""
        found = self._predict(x).item(self._net.first_output)
        return found if self.learning_counters[1] else np.nan

    def _surprise(self, x: Mapping[Any, Any], y: float) -> dict[Any, Any]:
        """Return the judge's event."""
        found: dict[Any, Any] = {SURPRISE: y - self._expected(x) if abs(y) < np.inf else np.nan}
        return found if self.key is None else {**found, SERIES: key_of(x, self.key)}

    def learn_one(self, x: Mapping[Any, Any], y: Any, feedback: bool | None = None) -> None:
        """Learn the event: the hidden state advances, y is learned, and its residual is remembered.

        Parameters
        ----------
        x
            Features by name. A missing one, None and NaN count as its running mean; new names get columns.
        y
            The target. None or NaN: not known; the state moves on and nothing is learned from it.
        feedback
            Whether it is an anomaly, as in :meth:`streamrnn.RNNAnomalyDetector.learn_one`.

        Raises
        ------
        FeatureError
            When a value is no number; nothing has changed then.
        """
        y = to_float("y", y)
        feedback = None if is_unknown(feedback) else feedback
        event = self._surprise(x, y)
        self._take(x)
        self._judge.learn_one(event, feedback)
        self._net.row[self._net.first_target] = np.nan if feedback or self._guarded(event) else y
        self._learn(x)

    def correct(self, view: str | None, feedback: bool) -> None:
        """Apply delayed feedback to an event that was learned before, as :meth:`streamrnn.RNNAnomalyDetector.correct`.

        Parameters
        ----------
        view
            As :meth:`explain_one` returned it for the event, before it was learned.
        feedback
            True: it was an anomaly. False: it was normal.

        Raises
        ------
        ParameterError
            When there is no such view.
        """
        self._judge.correct(None if view is None else SURPRISE, view, feedback)

    def _guarded(self, event: Mapping[Any, Any]) -> bool:
        """Tell whether an alarm is so fresh that nothing is to be learned."""
        net, area = self._judge._net, self._judge._find(event)  # noqa: SLF001  a part of this model
        return bool(net.layout.view(net.slab, "alarm", area)[alarm.GUARD] > 0.0)

    def score_one(self, x: Mapping[Any, Any], y: Any) -> float:
        """Return the anomaly score of y given x and the past, from 0 to 1. Does not change the model.

        Parameters
        ----------
        x
            Features by name.
        y
            The target; None or NaN: 0.
        """
        return self._judge.score_one(self._surprise(x, to_float("y", y)))

    def predict_one(self, x: Mapping[Any, Any]) -> float:
        """Return the prediction of y. Does not change the model.

        Parameters
        ----------
        x
            Features by name.
        """
        return self._predict(x).item(self._net.first_output)

    def explain_one(self, x: Mapping[Any, Any], y: Any) -> dict[str, Any]:
        """Return the score of y with its details. Does not change the model.

        Parameters
        ----------
        x
            Features by name.
        y
            The target.

        Returns
        -------
        dict
            As :meth:`streamrnn.RNNAnomalyDetector.explain_one`, with ``prediction``, ``low`` and ``high`` of y instead of ``feature`` and
            ``features``; NaN before anything was learned.
        """
        details = self._judge.explain_one(self._surprise(x, to_float("y", y)))
        del details["feature"]
        band = details.pop("features").get(SURPRISE, {})
        expected = self._expected(x)
        return {
            **details,
            "prediction": expected,
            **{name: expected + band.get(name, np.nan) for name in ("low", "high")},
        }

    def progressive_many(
        self, X: Any, y: Any, names: Sequence[Any] | None = None, keys: Sequence[Any] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Score, then learn, row by row: a loop of explain_one and learn_one.

        Parameters
        ----------
        X
            Features: a data frame, or an array of shape (n, I).
        y
            Targets, in the order of the rows; NaN where not known.
        names
            Of an array's columns; without it they are called 0, 1, 2 ...
        keys
            Whose event each row of an array is, for a model with ``key``, (n,).

        Returns
        -------
        dict
            Arrays of shape (n,): ``"score"``, ``"prediction"``, ``"low"``, ``"high"``, ``"alarm"``, ``"warm"``, ``"change"``, ``"p_value"``,
            ``"threshold"``, ``"since"``, ``"severity"``, ``"episode"``, ``"view"``; ``"views"`` (n, 7). As of :meth:`streamrnn.RNNAnomalyDetector.progressive_many`.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNSupervisedAnomalyDetector
        >>> found = RNNSupervisedAnomalyDetector(hidden_size=8).progressive_many(np.ones((4, 1)), [2.0] * 4)
        >>> found["prediction"].tolist()
        [nan, 2.0, 2.0, 2.0]
        """
        table = self._table(X, names, keys)
        labels, n = values_of(y, len(table.values)), len(table.values)
        fresh = self._columns.new(dict.fromkeys(table.names)) if n else []
        self._check_room(fresh)
        fresh = self._with_time(table, fresh)
        expected = np.full(n, np.nan)
        found = []
        if n and (fresh or not self._judge._net.sizes.outputs):  # noqa: SLF001  a part of this model
            x, target = next(iter(table.dicts(self.key))), labels.item(0)
            found.append(self._judge._judgement(self._surprise(x, target)))  # noqa: SLF001
            expected[0] = self._expected(x)
            self.learn_one(x, target)
        found.append(self._rows(table, labels, expected, len(found)))
        parts = [*PER_EVENT, "views", *BANDS]
        parts.remove("feature")
        details = {name: np.concatenate([part[name] for part in found]) for name in parts}
        for name in BANDS:
            details[name] = expected + details[name].ravel()
        return {**details, "prediction": expected}

    def _rows(
        self, table: Table, labels: NDArray[np.float64], expected: NDArray[np.float64], start: int
    ) -> dict[str, NDArray[Any]]:
        """Score and learn all rows from ``start`` on, whose columns are known; write what was expected of each."""
        net, judge = self._net, self._judge
        n, first = len(labels) - start, net.first_target
        rows, events = np.full((n, self._width()), np.nan), np.full((n, judge._width()), np.nan)  # noqa: SLF001
        for i, name in enumerate(table.names):
            rows[:, self._columns.index[name]] = table.values[start:, i]
        areas = [0] * n
        if table.keys is not None:
            keys = keys_of(table.keys[start:], self.key)
            rows[:, -1], events[:, -1] = self._touch(keys), judge._touch(keys)  # noqa: SLF001
            areas = np.abs(events[:, -1]).astype(int).tolist()
        guards = {area: judge._net.layout.view(judge._net.slab, "alarm", area) for area in set(areas)}  # noqa: SLF001
        learned = bool(self.learning_counters[1])
        columns = zip(rows, events, areas, labels[start:].tolist(), strict=True)
        for i, (row, event, area, y) in enumerate(columns, start):
            net.call(net.slab, row, 1, ANSWER)
            learned = learned or bool(self.learning_counters[1])
            if learned:
                expected[i] = row[net.first_output]
                event[0] = y - expected[i] if abs(y) < np.inf else np.nan
            judge._net.call(judge._net.slab, event, 1, SCORE | JUDGE)  # noqa: SLF001
            row[first] = np.nan if guards[area][alarm.GUARD] > 0.0 else y
            net.call(net.slab, row, 1, LEARN)
        return judge._read(events)  # noqa: SLF001

    # ---- both parts -----------------------------------------------------------------------------

    def _quicken(self) -> None:
        super()._quicken()
        self._judge.lr = self.lr

    def reset(self) -> None:
        """Begin a new sequence, see :meth:`RNNRegressor.reset`: for the net and for the detector of its residuals."""
        super().reset()
        self._judge.reset()

    def freeze(self) -> None:
        """Stop learning: hidden states and memories advance, weights and statistics do not change."""
        super().freeze()
        self._judge.freeze()

    def unfreeze(self) -> None:
        """Learn again."""
        super().unfreeze()
        self._judge.unfreeze()

    def take_state(self, state: Mapping[str, Any]) -> bool:  # noqa: ARG002
        """Return False: this model takes up a state by being made anew.

        Parameters
        ----------
        state
            From another model of this class.
        """
        return False

    def _key_nets(self) -> list[Net]:
        return [self._net, self._judge._net]  # noqa: SLF001  a part of this model

    def _check_key_parts(self, parts: list[bytes]) -> None:
        if len(parts) != len(self._key_nets()):
            raise StateError("The key's state has other parts than this model.")
        self._check_key_part(self._net, parts[0])
        self._judge._check_key_parts(parts[1:])  # noqa: SLF001

    def _see(self, key: Any) -> int:
        self._judge._see(key)  # noqa: SLF001
        return super()._see(key)

    def _drop(self, key: Any) -> int:
        self._judge._drop(key)  # noqa: SLF001
        return super()._drop(key)

    @property
    def bytes_per_key(self) -> int:
        """Memory that one more key takes, in bytes: in the net, and in the detector of its residuals."""
        return super().bytes_per_key + self._judge.bytes_per_key

    def limit_keys(self, max_keys: int) -> None:
        """Remember at most so many keys from now on; those seen last stay.

        Parameters
        ----------
        max_keys
            As when the model was made.
        """
        super().limit_keys(max_keys)
        self._judge.limit_keys(max_keys)

    def memory_usage(self) -> int:
        """Return the bytes that this model holds."""
        return super().memory_usage() + self._judge.memory_usage()

    def written_state(self) -> dict[str, Any]:
        """Return parameters, names and states, in pieces that are good until the model learns again."""
        judge = {name: part for name, part in self._judge.written_state().items() if name not in SHARED}
        own = super().written_state()
        keys: dict[str, Any] = {name: own.pop(name) for name in SHARED[1:] if name in own}
        return {**own, "judge": judge, **keys}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave.

        Raises
        ------
        StateError
            When the parts do not fit each other.
        """
        super().__setstate__({name: part for name, part in state.items() if name != "judge"})
        judge: dict[str, Any] = {**state.get("judge", {}), "params": self._judge.written_state()["params"]}
        judge.update((name, state[name]) for name in SHARED[1:] if name in state)
        self._judge.__setstate__(judge)
