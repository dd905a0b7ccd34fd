"""An online anomaly detector for streams of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base

from streamrnn.errors import ParameterError
from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.anomaly.detector import detector
from streamrnn.kernels.anomaly.feedback import corrected
from streamrnn.kernels.anomaly.views import (
    GAIN_OF,
    IN_MAINTENANCE,
    INFORMATION,
    LEARN,
    SCORE,
    VIEWS,
    WAS_ANOMALY,
    WAS_USUAL,
)
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.init import echo
from streamrnn.models import _defaults as defaults
from streamrnn.models._details import OBSERVED, blank, by_columns, listed, of_event, read
from streamrnn.models._event_code import Way, way
from streamrnn.models._features import Columns, is_unknown
from streamrnn.models._frames import Table, values_of
from streamrnn.models._keys import key_of, keys_of
from streamrnn.models._maintenance import Maintenance
from streamrnn.models._net import Net
from streamrnn.models._net_state import check_detector
from streamrnn.models._parameters import check, check_all, documented
from streamrnn.models._policy import OF_FEATURES, per_second, write_policies
from streamrnn.models._recurrent import Recurrent

__all__ = ["RNNAnomalyDetector"]

corrected = getattr(corrected, "py_func", corrected)  # a line of Python: not worth a compilation


@documented
class RNNAnomalyDetector(Recurrent, base.AnomalyDetector):
    """Recurrent net that gives each event an anomaly score from 0 to 1, and raises alarms at no more than a rate that you choose.

    The *score* is the distance from the event to the nearest remembered one, as a share of the range of the values, and so
    comparable across streams. Four views of each feature are compared: its value; the value together with the error of the
    forecast made eight events ago; the value together with the mean of the last 32; and the error of the forecast made two events
    ago, weighted by how well the net predicts the stream. After a high score the detector habituates: the next scores are lower.

    *Surprise* is the error of the prediction of each feature, in units of its running size, or how far the last eight events left the season. The prediction is a mixture of the last value,
    the net, and the shape of the season; ``expectation="light"`` is a smaller form of it, without the views of longer forecasts.

    An *alarm* is a score at or above a threshold that adapts, or a surprise as rare as that: at most for a share ``alarm_rate`` of normal events, on
    any stream and through drift. A fault that comes back alarms again. Beside that rate alarms a value that no longer moves where it always did, and one
    outside ``valid_range``. ``severity`` says how rare an event is, and is what alarms are sorted by;
    :meth:`explain_one` returns it with all details, such as the contribution of each feature and each view.

    The net keeps its hidden state from event to event. Every few events its weights are updated by truncated backpropagation
    through time, and eligibility traces carry the gradient to causes older than the window. It predicts each feature's *change*, so
    that before it has learned anything it predicts the last value. It uses past events only. Nothing has to be scaled.

    When not to use it: events without order (use ``river.anomaly.HalfSpaceTrees``), features that are all categories, or
    streams of a few hundred events. To a slow drift it adapts, without an alarm.

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
    {key}
    {max_keys}
    {time}
    {max_features}
    {direction}
    {min_deviation}
    {valid_range}
    {maintenance}
    {by_feature}
    {counters}
    {expectation}
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
    >>> usual = model.explain_one({"level": math.sin(2000 / 8)})
    >>> odd = model.explain_one({"level": 3.0})
    >>> usual["score"] < 0.01, usual["alarm"], odd["score"] > 0.4, odd["alarm"]
    (True, False, True, True)

    References
    ----------
    S. Hochreiter, J. Schmidhuber, Long Short-Term Memory, Neural Computation 9(8), 1997. I. Gibbs, E. Candes, Adaptive
    conformal inference under distribution shift, NeurIPS 2021.
    """

    _entry = staticmethod(detector)
    _updates_late = True
    alarm_rate: float | str
    cooldown: int
    warm_up: int
    protect: int
    patience: int
    expectation: str | None
    memory: int | None
    direction: str
    min_deviation: float | str
    valid_range: Sequence[float] | None
    maintenance: Any
    by_feature: Mapping[Any, Any] | None
    counters: Sequence[Any] | None

    def __init__(
        self,
        alarm_rate: float | str = defaults.ALARM_RATE,
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
        key: Any = None,
        max_keys: int = defaults.MAX_KEYS,
        time: Any = None,
        max_features: int = defaults.MAX_FEATURES,
        direction: str = "both",
        min_deviation: float | str = 0.0,
        valid_range: Sequence[float] | None = None,
        maintenance: Any = None,
        by_feature: Mapping[Any, Any] | None = None,
        counters: Sequence[Any] | None = None,
        expectation: str | None = None,
        seed: int = defaults.SEED,
    ) -> None:
        self._pauses = Maintenance(maintenance)
        self._start(locals())
        self._net.array("echo")[:] = echo(at.ECHO_UNITS, self._net.seed)
        rule = self._net.array("rule")
        self.set_alarm(alarm_rate, cooldown, warm_up)
        rule[[alarm.PROTECT, alarm.PATIENCE]] = protect, patience

    def set_alarm(self, alarm_rate: float | str, cooldown: int, warm_up: int | None = None) -> None:
        """Change the alarm rule from the next event on; what has been learned stays.

        Parameters
        ----------
        alarm_rate, cooldown, warm_up
            As when the model was made; None: the warm-up stays.
        """
        warm_up = self.warm_up if warm_up is None else warm_up
        given = {"alarm_rate": alarm_rate, "cooldown": cooldown, "warm_up": warm_up, "time": self.time}
        check_all(type(self).__name__, given)
        self.alarm_rate, self.cooldown, self.warm_up = alarm_rate, cooldown, warm_up
        rule = self._net.array("rule")
        rule[[alarm.COOLDOWN, alarm.WARM_UP]] = cooldown, warm_up
        if isinstance(alarm_rate, str):
            rule[[alarm.RATE, alarm.RATE_PER_S]] = alarm.LEAST_RATE, per_second(alarm_rate)
        else:
            rule[[alarm.RATE, alarm.RATE_PER_S]] = alarm_rate, 0.0
        self._net.array("prepared")[at.JUDGED] = 0  # what was judged by the old rule

    def set_policy(
        self,
        direction: str = "both",
        min_deviation: float | str = 0.0,
        valid_range: Sequence[float] | None = None,
        maintenance: Any = None,
        by_feature: Mapping[Any, Any] | None = None,
    ) -> None:
        """Change which deviations alarm from the next event on; what has been learned stays.

        Parameters
        ----------
        direction, min_deviation, valid_range, maintenance, by_feature
            As when the model was made.

        Raises
        ------
        ParameterError
            When one is none, or ``maintenance`` names what has been learned as a feature. Nothing has changed then.

        Examples
        --------
        >>> from streamrnn import RNNAnomalyDetector
        >>> model = RNNAnomalyDetector(hidden_size=8)
        >>> for level in [4.0, 5.0] * 200:
        ...     model.learn_one({"level": level})
        >>> model.set_policy(direction="below")
        >>> model.explain_one({"level": 9.0})["alarm"], model.explain_one({"level": 0.0})["alarm"]
        (False, True)
        """
        owner = type(self).__name__
        said: dict[str, Any] = {"direction": direction, "min_deviation": min_deviation, "valid_range": valid_range}
        said |= {"maintenance": maintenance, "by_feature": by_feature}
        check_all(owner, {**said, "key": self.key, "time": self.time})
        pauses, columns = Maintenance(maintenance), self._columns
        rule = f"no feature that was learned ({', '.join(map(str, columns.names))})"
        check(owner, "maintenance", maintenance, rule, ok=pauses.column is None or pauses.column not in columns.index)
        for name, value in said.items():
            setattr(self, name, value)
        self._pauses = pauses
        self._columns = Columns(columns.names, self.key, self._time, aside=pauses.column)
        self._net.forget_ways()
        self._note_policy()

    def _note_policy(self) -> None:
        """Write into the net what is said of each feature."""
        common = {name: getattr(self, name) for name in OF_FEATURES}
        names = self._columns.names[self._net.sizes.timed :]
        write_policies(self._net.array("policy"), names, common, self.by_feature, self.counters or ())
        self._net.array("prepared")[at.JUDGED] = 0  # what was judged by the old one

    def _grow(self, features: Sequence[Any] = (), targets: Sequence[Any] = ()) -> None:
        super()._grow(features, targets)
        self._note_policy()

    def _aside(self) -> Any:
        return self._pauses.column

    def use_persistence(self, on: bool = True) -> None:
        """Put persistence in the net's place: a control, to measure what the net adds to the score.

        The forecasts two and eight events ahead that the score is made of are then the last value, and the prediction is made without the net;
        memory, views and alarm rule are the same. The switch is part of the saved state, and no parameter: nobody should want
        it for a detector in use. Set it before the first event.

        Parameters
        ----------
        on
            False: the net forecasts again.

        Examples
        --------
        >>> from streamrnn import RNNAnomalyDetector
        >>> scores = []
        >>> for seed in (1, 2):
        ...     control = RNNAnomalyDetector(hidden_size=8, seed=seed)
        ...     control.use_persistence()
        ...     for t in range(100):
        ...         control.learn_one({"level": t % 7})
        ...     scores.append(control.score_one({"level": 3.5}))
        >>> scores[0] == scores[1]  # no weight plays a part in it
        True
        """
        self._net.array("rule")[alarm.PERSISTENCE] = on
        self._net.array("prepared")[at.JUDGED] = 0  # what was judged with the other forecasts

    def correct(self, feature: Any, view: str | None, feedback: bool) -> None:
        """Apply delayed feedback: say of an event that was learned before whether it was an anomaly.

        It has the effect of ``feedback`` in :meth:`learn_one` on the weights of the views; what the net has learned from the event stays.

        Parameters
        ----------
        feature, view
            As :meth:`explain_one` returned them for the event, before it was learned. None, None: no feature scored, and nothing changes.
        feedback
            True: it was an anomaly. False: it was normal.

        Raises
        ------
        ParameterError
            When there is no such feature or view.

        Examples
        --------
        >>> from streamrnn import RNNAnomalyDetector
        >>> model = RNNAnomalyDetector(hidden_size=8)
        >>> for level in [4.0, 5.0] * 200:
        ...     model.learn_one({"level": level})
        >>> why = model.explain_one({"level": 9.0})
        >>> model.correct(why["feature"], why["view"], feedback=False)
        >>> model.explain_one({"level": 9.0})["severity"] < why["severity"]
        True
        """
        if feature is None and view is None:
            return
        place = self._columns.index.get(feature, -1) - self._net.sizes.timed
        if place < 0 or view not in VIEWS:
            raise ParameterError(
                f"The 'feature' and 'view' parameters of correct must be as explain_one returned them. Got {feature!r}, {view!r} instead."
            )
        gains, gain = self._net.array("gains")[place], GAIN_OF[VIEWS.index(view)]
        if gain < 0:
            return
        gains[gain] = corrected(float(gains[gain]), bool(feedback))
        self._net.array("prepared")[at.JUDGED] = 0

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Rebuild the model from what :meth:`__getstate__` gave.

        Raises
        ------
        StateError
            When the parts do not fit each other, or a counter is none.
        """
        super().__setstate__(state)
        self._check_detector(self._net)
        self._note_policy()

    def _check_detector(self, net: Net) -> None:
        """Raise where a net holds what none of this detector's can."""
        rate = self.alarm_rate
        rule: dict[int, float] = {alarm.COOLDOWN: self.cooldown, alarm.WARM_UP: self.warm_up}
        rule |= {alarm.RATE_PER_S: per_second(rate) if isinstance(rate, str) else 0.0}
        rule |= {} if isinstance(rate, str) else {alarm.RATE: rate}
        check_detector(net.slab, net.layout, {**rule, alarm.PROTECT: self.protect, alarm.PATIENCE: self.patience})

    def _check_state(self, net: Net) -> None:
        super()._check_state(net)
        self._check_detector(net)

    def _remembers(self) -> int:
        if self.memory is not None:
            return self.memory
        alone, by_key = (
            (defaults.MEMORY_OF_LIGHT, defaults.MEMORY_OF_LIGHT_KEY)
            if self._light
            else (defaults.MEMORY, defaults.MEMORY_OF_KEY)
        )
        return alone if self.key is None else by_key

    def _own_window(self, *, carried: bool) -> int:  # noqa: ARG002
        return defaults.WINDOW_OF_KEY if self._light or self.key is not None else defaults.WINDOW

    @property
    def _light(self) -> bool:
        return self.expectation == "light" or (self.expectation is None and self.key is not None)

    def _inputs_of(self, names: Sequence[Any]) -> list[Any]:
        return [part for name in names for part in ([name] if name == self._time else [name, f"change of {name}"])]

    def _n_outputs(self) -> int:
        return len(self._columns.names) - (self._time is not None)

    def _width(self) -> int:
        sizes = self._net.sizes
        return sizes.timed + 4 * sizes.outputs + 1 + INFORMATION + sizes.keyed

    def learn_one(self, x: Mapping[Any, Any], feedback: bool | None = None) -> None:
        """Learn the event: it is the target of the prediction made before it, it is remembered, and the hidden state advances.

        Parameters
        ----------
        x
            Features by name. Missing, None and NaN are fine; new names get columns of their own.
        feedback
            True: it is an anomaly. The view that decided its score counts a quarter more from now on, in the feature that decided and for every
            key, within a factor of 4; and the net does not learn from it. False: it is normal, and the view counts a fifth less. None or
            NaN: not known.

        Raises
        ------
        FeatureError
            When a value is no number; nothing is learned then.
        """
        if feedback is None and self._net.learn(x):
            return
        if not self._columns.write(x, self._net.row):
            self._take(x)
        net = self._net
        if self.key is not None:
            net.row[-1] = self._touch_one(key_of(x, self.key))
        if net.sizes.outputs:
            known = not (feedback is None or is_unknown(feedback))
            mode = LEARN | (WAS_ANOMALY if feedback else WAS_USUAL) if known else LEARN
            net.call(net.slab, net.row, 1, mode | self._pause(x))
            self._hasten()

    def _hasten(self) -> None:
        """Give single events their short way, where nothing is to be asked of each: whose it is, whether there is maintenance."""
        net, columns = self._net, self._columns
        plain = self.key is None and columns.time is None and self._pauses.idle
        if plain and net.address is not None and not net.hasty:
            score = net.sizes.timed + net.sizes.outputs
            ways = Way(net.address, SCORE, columns.count, -1, score), Way(net.address, LEARN, columns.count, -1, -1)
            net.predict, net.learn = (way(one, net, columns) for one in ways)

    def _pause(self, x: Mapping[Any, Any]) -> int:
        """Return the part of the mode that says whether an event is one of a maintenance."""
        return 0 if self._pauses.idle or not self._pauses.holds(x, self._time) else IN_MAINTENANCE

    def score_one(self, x: Mapping[Any, Any]) -> float:
        """Return the anomaly score of x, from 0 to 1. Does not change the model.

        Parameters
        ----------
        x
            Features by name.

        Returns
        -------
        float
            0 for an event like a remembered one; 1 for one as far from all of them as the range of the values so far.
        """
        net = self._net
        score: float | None = net.predict(x)
        if score is not None:
            return score
        if not net.sizes.outputs:
            return 0.0
        self._look(x)
        if self.key is not None:
            net.row[-1] = self._find(x)
        net.call(net.slab, net.row, 1, SCORE | self._pause(x))
        return net.row.item(net.sizes.timed + net.sizes.outputs)

    def explain_one(self, x: Mapping[Any, Any]) -> dict[str, Any]:
        """Return the score of x with its details. Does not change the model.

        Parameters
        ----------
        x
            Features by name.

        Returns
        -------
        dict
            ``score``; ``severity``, -log10 of ``p_value``; ``alarm``, ``warm`` (whether the warm-up is over), ``change`` (whether a lasting change is reported);
            ``p_value``, of the surprise or of the score, whichever is the rarer; ``threshold`` of the score; ``since``: events since the alarm whose
            episode goes on, 0 without one, and ``episode``, its number; ``feature`` and ``view``: which feature and view the p-value is of, None where no feature
            scores; ``views``: the score of each view there, and the surprise as a severity; ``features``: for each its score as ``contribution``, the
            ``prediction``, and ``low`` and ``high``, two running errors on either side of it; with ``counters`` also
            ``observed``: what was compared, of a counter its rate.

        Examples
        --------
        >>> from streamrnn import RNNAnomalyDetector
        >>> model = RNNAnomalyDetector(hidden_size=8)
        >>> for level in [4.0, 5.0] * 200:
        ...     model.learn_one({"level": level})
        >>> why = model.explain_one({"level": 9.0})
        >>> why["alarm"], why["feature"], why["view"], why["views"]["value"], why["features"]["level"]["contribution"] > 0.5
        (True, 'level', 'surprise', 0.8, True)
        """
        return of_event(self._judgement(x), self._columns.names, self._net.sizes.timed)

    def _judgement(self, x: Mapping[Any, Any]) -> dict[str, NDArray[Any]]:
        """Return the details of x, as a block of one row; changes nothing."""
        net = self._net
        self._look(x)
        if not net.sizes.outputs:
            return self._blank(1, 1)
        if self.key is not None:
            net.row[-1] = self._find(x)
        net.call(net.slab, net.row, 1, SCORE | self._pause(x))
        return self._read(net.row.reshape(1, -1))

    def _blank(self, n: int, width: int) -> dict[str, NDArray[Any]]:
        return blank(n, width) | ({OBSERVED: np.full((n, width), np.nan)} if self.counters else {})

    def _read(self, rows: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        F, first = self._net.sizes.outputs, self._net.sizes.timed
        return read(rows, F, first) | ({OBSERVED: rows[:, first : first + F].copy()} if self.counters else {})

    def expected_one(self, key: Any = None) -> dict[str, float]:
        """Return what is expected of the next event by feature; {} before the first event.

        Parameters
        ----------
        key
            Whose next event, for a detector with ``key``.

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

    def progressive_many(
        self, X: Any, names: Sequence[Any] | None = None, feedback: Any = None, keys: Sequence[Any] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Score, then learn, row by row, in one compiled call: the bits of a loop of score_one and learn_one.

        Parameters
        ----------
        X
            Events: a data frame, or an array of shape (n, F); NaN where a value is missing.
        names
            The columns of an array; without it they are called 0, 1, 2 ... A column becomes a feature when its
            first row comes, even if that is NaN.
        feedback
            For each event as in :meth:`learn_one`, (n,): not 0 for an anomaly, 0 for a normal event, NaN where not known.
        keys
            Whose event each row of an array is, for a model with ``key``, (n,).

        Returns
        -------
        dict
            Arrays, in the order of the rows and of the columns without the key: ``"score"`` (n,); ``"prediction"`` of each row, made
            before it was learned, ``"low"`` and ``"high"``, two running errors on either side of it, ``"contribution"``, the score of each
            feature, (n, F), NaN in the column of the time; ``"alarm"``, ``"warm"``, ``"change"`` (n,) of bool; ``"exceeds"``, alarms as
            they would be without cooldown and episodes; ``"severity"``, ``"p_value"``, ``"threshold"``, ``"since"``, ``"episode"`` (n,); ``"views"`` (n, 7), in the order
            of :data:`streamrnn.kernels.anomaly.views.VIEWS`; ``"view"`` (n,), the index among them of the view that decided, and ``"feature"`` (n,), the column of the
            feature; -1 where no feature scores. As of :meth:`explain_one`. With ``counters`` also ``"observed"`` (n, F): what was compared, of a counter its rate.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNAnomalyDetector
        >>> result = RNNAnomalyDetector().progressive_many(np.ones((5, 1)), ("level",))
        >>> result["prediction"].ravel().tolist()
        [nan, 1.0, 1.0, 1.0, 1.0]
        """
        table = self._table(X, names, keys)
        n, width = len(table.values), len(table.names)
        fresh = self._columns.new(dict.fromkeys(table.names)) if n else []
        self._check_room(fresh)
        paused = self._pauses.hold(table, self._time)
        if not fresh and feedback is None and not paused.any():
            return self._block(table, 0, n, SCORE | LEARN)
        given = np.full(n, np.nan) if feedback is None else values_of(feedback, n)
        marks = np.where(np.isnan(given), 0, np.where(given != 0.0, WAS_ANOMALY, WAS_USUAL))
        modes = (marks | np.where(paused, IN_MAINTENANCE, 0)).tolist()
        found, start = [self._blank(0, width)], 0
        fresh = self._with_time(table, fresh)
        if fresh:
            found.append(
                self._block(table, 0, 1, SCORE)
            )  # a name's first event is scored without it, as score_one does
            self._grow(fresh)
            self._block(table, 0, 1, LEARN | modes[0])
            start = 1
        alone = WAS_ANOMALY | WAS_USUAL  # feedback is about one event; a maintenance is a stretch of them
        told = (row + i for row in range(start, n) if modes[row] & alone for i in (0, 1))
        turns = (row for row in range(start + 1, n) if modes[row] != modes[row - 1])
        cuts = sorted({start, n, *told, *turns})
        found += [self._block(table, a, b, SCORE | LEARN | modes[a]) for a, b in pairwise(cuts)]
        return {name: np.concatenate([part[name] for part in found]) for name in found[0]}

    def run_rows(
        self, values: NDArray[np.float64], names: Sequence[Any], keys: Sequence[Any] | None = None
    ) -> NDArray[np.float64] | None:
        """Score and learn rows as :meth:`progressive_many` does, and leave their details to :meth:`read_rows`.

        For whoever runs many detectors a few rows each: reading their rows together takes no longer than those of one.

        Parameters
        ----------
        values
            float64, shape (n, F); NaN where a value is missing.
        names
            Of its columns.
        keys
            Whose event each row is, for a model with ``key``, (n,).

        Returns
        -------
        array or None
            The rows of the entry, (n, width). None where the columns are not exactly those known: nothing has happened then,
            and :meth:`progressive_many` is the way.
        """
        net = self._net
        if self._columns.names != list(names) or (self.key is None) is not (keys is None) or self._time is not None:
            return None
        rows = np.empty((len(values), net.row.size))
        rows.fill(np.nan)
        rows[:, : len(names)] = values
        if keys is not None:
            rows[:, -1] = self._touch(keys)
        net.call(net.slab, rows.reshape(-1), len(rows), SCORE | LEARN)
        return rows

    def list_rows(self, rows: NDArray[np.float64]) -> dict[str, list[Any]]:
        """Return score, severity, alarm, warm, change, p-value, threshold and feature of :meth:`read_rows` alone, as lists: the quick way for a few rows.

        Parameters
        ----------
        rows
            float64, (n, width), as :meth:`run_rows` returned them.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNAnomalyDetector
        >>> model = RNNAnomalyDetector()
        >>> model.learn_one({"level": 1.0})
        >>> rows = model.run_rows(np.array([[2.0]]), ("level",))
        >>> model.list_rows(rows)["alarm"], model.list_rows(rows)["p_value"] == model.read_rows(rows)["p_value"].tolist()
        ([False], True)
        """
        return listed(rows, self._net.sizes.outputs, self._net.sizes.timed)

    def read_rows(self, rows: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        """Return what :meth:`progressive_many` would have of rows from :meth:`run_rows`.

        They may be those of other detectors with the same parameters and columns, too.

        Parameters
        ----------
        rows
            float64, (n, width), as :meth:`run_rows` returned them; those of several calls may be joined.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn import RNNAnomalyDetector
        >>> one, other = RNNAnomalyDetector(), RNNAnomalyDetector()
        >>> for model in (one, other):
        ...     model.learn_one({"level": 1.0})
        >>> rows = [model.run_rows(np.array([[level]]), ("level",)) for model, level in ((one, 1.0), (other, 9.0))]
        >>> one.read_rows(np.concatenate(rows))["prediction"].ravel().tolist()
        [1.0, 1.0]
        """
        return self._read(rows)

    def _block(self, table: Table, start: int, stop: int, mode: int) -> dict[str, NDArray[Any]]:
        """Run some rows in one compiled call; return what is said of each, as far as the columns are known."""
        net, n = self._net, stop - start
        first = net.sizes.timed
        if n == 0 or net.sizes.outputs == 0:
            return self._blank(n, len(table.names))
        rows = np.empty((n, self._width()))
        rows.fill(np.nan)
        known = [(self._columns.index[name], i) for i, name in enumerate(table.names) if name in self._columns.index]
        for place, i in known:
            rows[:, place] = table.values[start:stop, i]
        if table.keys is not None:
            keys = table.keys[start:stop]
            rows[:, -1] = self._touch(keys) if mode & LEARN else self._keys.find_many(keys_of(keys, self.key))
        net.call(net.slab, rows.reshape(-1), n, mode)
        result = self._read(rows)
        if self._columns.names == table.names and first == 0:
            return result
        return by_columns(result, known, len(table.names), first)
