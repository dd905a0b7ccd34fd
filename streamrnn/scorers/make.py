"""Makes the scorer of a key: which one is decided here, once."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm, Forecast
from streamrnn.scorers.capabilities import OwnRule, take_alarm
from streamrnn.scorers.detector import DetectorScorer
from streamrnn.scorers.feedback import FeedbackScorer, feedback_alone
from streamrnn.scorers.forecast import ForecastingScorer
from streamrnn.scorers.kinds import ModelKind
from streamrnn.scorers.labelled import LabelledModel
from streamrnn.scorers.labelled_detector import LabelledDetectorScorer
from streamrnn.scorers.ranked import RankedScorer, RiverDetector
from streamrnn.scorers.scorer import Scorer
from streamrnn.scorers.store import ModelStore
from streamrnn.scorers.timed import TimedScorer

__all__ = ["feedback_rows", "new_scorer"]


def new_scorer(
    kind: ModelKind,
    alarm: Alarm | None = None,
    forecast: Forecast | None = None,
    *,
    keyed: bool = False,
    room: int | None = None,
) -> Scorer:
    """Return a new scorer of one key, or of many that share its net.

    Parameters
    ----------
    kind
        The model.
    alarm
        When it alarms; None: the defaults.
    forecast
        What is forecast beside; None, and a horizon of 0: nothing.
    keyed
        Whether it is one of many keys: its forecaster then has no long regression.
    room
        Keys held at most, where they share the net; None where it is that of one.

    Examples
    --------
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.scorers.kinds import ModelKind, model_kind
    >>> from streamrnn.scorers.make import new_scorer
    >>> kinds = [model_kind("RNNAnomalyDetector", {}), ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees)]
    >>> [type(new_scorer(kind)).__name__ for kind in kinds]
    ['DetectorScorer', 'RankedScorer']
    """
    model = kind.make() if room is None or kind.make_shared is None else kind.make_shared(room)
    scorer = _of_model(kind, model, alarm or Alarm(), room)
    if kind.time is not None:
        scorer = TimedScorer(scorer, kind.time)
    if forecast is not None and forecast.horizon:
        scorer = ForecastingScorer(
            scorer,
            forecast,
            kind.time,
            lambda values, names: feedback_rows(kind, values, names),
            keyed=keyed,
            room=room,
        )
    return scorer


def _of_model(kind: ModelKind, model: Any, alarm: Alarm, room: int | None) -> Scorer:
    """Return the scorer that a model is: by its label, and whether it has an alarm rule of its own."""
    store = ModelStore(kind.name, kind.dumps, kind.loads)
    if isinstance(model, OwnRule):
        take_alarm(model, alarm, start=True)
        if kind.label is None:
            return DetectorScorer(model, store)
        if kind.feedback_memory is None:
            return LabelledDetectorScorer(model, kind.label, store)
        return FeedbackScorer(model, kind.label, kind.feedback_memory, store, room)
    plain = RiverDetector(model, store) if kind.label is None else LabelledModel(model, kind.label, store)
    return RankedScorer(plain, alarm)


def feedback_rows(kind: ModelKind, values: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.bool_]:
    """Return which records are feedback that came after its event: they begin no key, and keep none.

    Parameters
    ----------
    kind
        The model.
    values
        float64, shape (n, I); NaN where a value is missing.
    names
        Of the columns.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.kinds import model_kind
    >>> from streamrnn.scorers.make import feedback_rows
    >>> kind = model_kind("RNNAnomalyDetector", {"label": "said", "feedback_memory": 9})
    >>> feedback_rows(kind, np.array([[1.0, 0.0], [np.nan, 0.0]]), ("level", "said")).tolist()
    [False, True]
    """
    if not kind.feedback_memory or kind.label is None:
        return np.zeros(len(values), bool)
    return feedback_alone(values, names, kind.label, kind.time)
