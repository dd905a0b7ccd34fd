"""A regressor or classifier behind the interface of a detector: its label is one of the columns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river.base import Classifier

from streamrnn.container import pack, unpack
from streamrnn.errors import ConfigError, StateError
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers.feedback import EVENT, Recent, blank_row, words_alone
from streamrnn.scorers.parts import failed, last_step
from streamrnn.scorers.rank_rule import MOST_EVENTS

__all__ = ["Corrected", "Labelled", "LabelledDetector", "is_classifier", "labelled"]


def is_classifier(model: Any) -> bool:
    """Whether a model of river's interface answers with a class.

    Examples
    --------
    >>> from river.linear_model import LinearRegression, LogisticRegression
    >>> from streamrnn.scorers.labelled import is_classifier
    >>> is_classifier(LogisticRegression()), is_classifier(LinearRegression())
    (True, False)
    """
    return isinstance(last_step(model), Classifier)


class Labelled:
    """Predicts one column from the others before it learns it, and says how far off it was.

    The score of a number is r^2 / (1 + r^2), where r is the error in running standard deviations of the label, those of the events
    before: 0.5 is off by one. The score of a class, a number too, is one less the probability that it was given. Where the label is
    missing the net's state moves on, nothing is learned, and the score is NaN.

    Do not use it where the label comes later than the features: it must be in the same record.

    Parameters
    ----------
    model
        A regressor or a classifier of river's interface.
    label
        The column to predict.

    Examples
    --------
    >>> import numpy as np
    >>> from river.linear_model import LinearRegression
    >>> from streamrnn.scorers.labelled import Labelled
    >>> found = Labelled(LinearRegression(), "y").progressive_many(np.array([[1.0, 2.0], [1.0, 4.0]]), ("x", "y"))
    >>> found["prediction"][:, 1].round(2), found["score"].round(2)
    (array([0.  , 0.08]), array([0., 0.]))
    """

    def __init__(self, model: Any, label: str) -> None:
        self.model = model
        self.label = label
        self.features: tuple[str, ...] = ()
        self._classifies = is_classifier(model)
        self._time: str | None = getattr(model, "time", None) if hasattr(model, "progressive_many") else None
        self._sums = np.zeros(
            4
        )  # labels seen, the first of them, sum and sum of squares of what the others differ from it

    @property
    def counters(self) -> tuple[int, int, float]:
        """The model's own, see :attr:`streamrnn.RNNRegressor.counters`; nothing where it keeps none."""
        found: tuple[int, int, float] = getattr(self.model, "counters", (0, 0, 0.0))
        return found

    def progressive_many(self, values: NDArray[np.float64], names: tuple[str, ...]) -> dict[str, NDArray[np.float64]]:
        """Predict, score and learn row by row. Where blocks are cut changes nothing.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.

        Returns
        -------
        dict
            ``"score"`` (n,) and ``"prediction"`` (n, I), NaN in all columns but the label's.

        Raises
        ------
        ConfigError
            When the label is none of the columns.
        """
        place = self._place(names)
        labels = values[:, place]
        if self._classifies:
            scores, found = self._classes(self._features(values, names), labels)
        else:
            found = self._numbers(self._features(values, names), labels)
            scores = self._scores(labels, found)
        prediction = np.full(values.shape, np.nan)
        prediction[:, place] = found
        return {"score": scores, "prediction": prediction}

    def _place(self, names: tuple[str, ...]) -> int:
        """Return the label's column."""
        if self.label not in names:
            raise ConfigError(
                f"[model] label: the input has no column {self.label!r} among those that are watched: {', '.join(names)}."
            )
        return names.index(self.label)

    def _features(self, values: NDArray[np.float64], names: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the features in the order of the first block; one that was not there then comes behind the others."""
        self.features += tuple(name for name in names if name != self.label and name not in self.features)
        places = {name: i for i, name in enumerate(names)}
        rows = np.full((len(values), len(self.features)), np.nan)
        for i, name in enumerate(self.features):
            if name in places:
                rows[:, i] = values[:, places[name]]
        return rows

    def _columns(self) -> list[Any] | None:
        """Return what a net calls the features: by their places, but for the time, which it knows by its name."""
        if self._time not in self.features:
            return None
        return [name if name == self._time else i for i, name in enumerate(self.features)]

    def _numbers(self, rows: NDArray[np.float64], labels: NDArray[np.float64]) -> NDArray[np.float64]:
        many = getattr(self.model, "progressive_many", None)
        if many is not None:
            named = self._columns()
            return np.asarray(many(rows, labels) if named is None else many(rows, labels, named), np.float64)
        found = np.full(len(rows), np.nan)
        for i, (x, y) in enumerate(self._events(rows, labels)):
            try:
                answer = self.model.predict_one(x)
                found[i] = np.nan if answer is None else answer
                if y is not None:
                    self.model.learn_one(x, y)
            except Exception as error:
                raise failed(self.model, x, error) from error
        return found

    def _classes(
        self, rows: NDArray[np.float64], labels: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        scores, found = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
        remembers = hasattr(self.model, "progressive_many")
        for i, (x, y) in enumerate(self._events(rows, labels)):
            try:
                shares = self.model.predict_proba_one(x)
                if shares:
                    found[i] = max(shares, key=shares.__getitem__)
                if y is not None:
                    scores[i] = 1.0 - shares.get(y, 0.0) if shares else 0.0
                if y is not None or remembers:
                    self.model.learn_one(x, y)
            except Exception as error:
                raise failed(self.model, x, error) from error
        return scores, found

    def _events(self, rows: NDArray[np.float64], labels: NDArray[np.float64]) -> Any:
        for row, y in zip(rows.tolist(), labels.tolist(), strict=True):
            x = {name: value for name, value in zip(self.features, row, strict=True) if value == value}  # noqa: PLR0124
            yield x, (y if y == y else None)  # noqa: PLR0124

    def _scores(self, labels: NDArray[np.float64], found: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return a score for each row; sums run in the order of the rows, so that a block's end leaves no trace."""
        scores = np.full(len(labels), np.nan)
        known = np.flatnonzero(np.isfinite(labels))
        if not len(known):
            return scores
        if self._sums[0] == 0:
            self._sums[1] = labels[known[0]]
        off = labels[known] - self._sums[1]
        n = self._sums[0] + np.arange(len(known) + 1)
        first = np.add.accumulate(np.concatenate([self._sums[2:3], off]))
        second = np.add.accumulate(np.concatenate([self._sums[3:4], off * off]))
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            mean = first / n
            variance = np.maximum(second / n - mean * mean, 0.0)[:-1]
            squared = np.square(labels[known] - found[known]) / variance
            score = squared / (1.0 + squared)
        score[np.isinf(squared)] = 1.0
        score[(n[:-1] < 2) | np.isnan(squared)] = (
            0.0  # nothing to compare with; or no error, where nothing has varied yet
        )
        scores[known] = score
        self._sums[:] = n[-1], self._sums[1], first[-1], second[-1]
        return scores

    def to_bytes(self, dumps: Callable[[Any], bytes]) -> bytes:
        """Return everything learned, with the model as ``dumps`` writes it."""
        return pack(self._manifest(), [self._sums.astype("<f8").tobytes(), dumps(self.model), *self._parts()])

    def _manifest(self) -> dict[str, Any]:
        return {"content": "labelled", "label": self.label, "features": list(self.features)}

    def _parts(self) -> list[bytes]:
        """Return what a snapshot holds behind the model."""
        return []

    @staticmethod
    def from_bytes(data: bytes, loads: Callable[[bytes], Any]) -> Labelled:
        """Return what :meth:`to_bytes` wrote.

        Raises
        ------
        StateError
            When it is something else.
        """
        told, blobs = unpack(data)
        names, late, label = told.get("features"), told.get("late", 0), told.get("label")
        if (
            told.get("content") != "labelled"
            or len(blobs[:1]) != 1
            or len(blobs[0]) != 32
            or not isinstance(label, str)
        ):
            raise StateError("The snapshot holds no model with a label.")
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names) or label in names:
            raise StateError("The snapshot's features are no list of names beside the label.")
        if len(set(names)) != len(names):
            raise StateError("The snapshot holds a feature twice.")
        if type(late) is not int or len(blobs) != 2 + bool(late) or (late and len(blobs[2]) != late * EVENT.itemsize):
            raise StateError("The snapshot's memory of events for late words does not fit its content.")
        made: Labelled = labelled(loads(blobs[1]), label, late)
        made.features = tuple(names)
        if late:
            if not isinstance(made, Corrected):
                raise StateError("The snapshot remembers events for late words, and its model takes none.")
            made.recent = Recent.from_bytes(bytes(blobs[2]), told.get("seen"), len(names))
        made._sums = np.frombuffer(blobs[0], "<f8").astype(np.float64)
        if not (0 <= made._sums[0] <= MOST_EVENTS and made._sums[0].is_integer()):
            raise StateError("The snapshot counts labels as no one can.")
        return made


class LabelledDetector(Labelled):
    """A detector of labels that do not fit their features, with an alarm rule of its own.

    Parameters
    ----------
    model
        A :class:`streamrnn.RNNSupervisedAnomalyDetector`.
    label
        The column that is judged.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn import RNNSupervisedAnomalyDetector
    >>> from streamrnn.scorers.labelled import labelled
    >>> model = labelled(RNNSupervisedAnomalyDetector(hidden_size=8), "y")
    >>> model.progressive_many(np.array([[1.0, 2.0], [1.0, 2.0]]), ("x", "y"))["prediction"].tolist()
    [[nan, nan], [nan, 2.0]]
    """

    def set_alarm(self, alarm_rate: float, quiet: int, warm_up: int | None = None) -> None:
        """Alarm at another rate from the next event on."""
        self.model.set_alarm(alarm_rate, quiet, warm_up)

    def progressive_many(self, values: NDArray[np.float64], names: tuple[str, ...]) -> dict[str, NDArray[Any]]:
        """Score and learn row by row; return what the detector says, see :meth:`streamrnn.RNNSupervisedAnomalyDetector.progressive_many`.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.

        Returns
        -------
        dict
            ``"prediction"``, ``"low"``, ``"high"`` and ``"contribution"``, the score, have shape (n, I): NaN in all columns but the label's.

        Raises
        ------
        ConfigError
            When the label is none of the columns.
        """
        place = self._place(names)
        rows = self._features(values, names)
        found: dict[str, NDArray[Any]] = self.model.progressive_many(rows, values[:, place], self._columns())
        found["contribution"] = found["score"]
        for name in ("prediction", "low", "high", "contribution"):
            whole = np.full(values.shape, np.nan)
            whole[:, place] = found[name]
            found[name] = whole
        return found


class Corrected(LabelledDetector):
    """A detector of all columns but one, in which the user says of an event whether it is an anomaly: not 0 or 0, missing for no word.

    The word counts for the events that follow, see :meth:`streamrnn.RNNAnomalyDetector.learn_one`. With ``late`` it may come later, as a record that
    holds nothing but the word and the time of the event that is meant: see :meth:`streamrnn.RNNAnomalyDetector.correct`.

    Parameters
    ----------
    model
        A :class:`streamrnn.RNNAnomalyDetector`.
    label
        The column with the words.
    late
        Events that are remembered for words to come.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn import RNNAnomalyDetector
    >>> from streamrnn.scorers.labelled import labelled
    >>> model = labelled(RNNAnomalyDetector(), "word", late=10)
    >>> found = model.progressive_many(np.array([[1.0, 0.0], [2.0, np.nan], [np.nan, 1.0]]), ("level", "word"), [8, 9, 9])
    >>> found["prediction"][:, 0].tolist(), found["heard"].tolist()
    ([nan, 1.0, nan], [True, None, True])
    """

    def __init__(self, model: Any, label: str, late: int = 0) -> None:
        super().__init__(model, label)
        self.late = late
        self.recent = Recent(late)

    def progressive_many(
        self, values: NDArray[np.float64], names: tuple[str, ...], times: Sequence[Any] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Score and learn row by row; return what the detector says, see :meth:`streamrnn.RNNAnomalyDetector.progressive_many`.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        times
            Of the rows, as the input wrote them.

        Returns
        -------
        dict
            What is said of each feature has shape (n, I): NaN in the label's column; ``"heard"`` (n,): whether a word was, None for no word.
            A late word's row is NaN, but for that.

        Raises
        ------
        ConfigError
            When the label is none of the columns.
        """
        place, times = self._place(names), times or [None] * len(values)
        late = np.flatnonzero(words_alone(values, names, self.label, self._time)).tolist() if self.late else []
        parts: list[dict[str, NDArray[Any]]] = []
        start = 0
        for row in [*late, len(values)]:
            if row > start or not parts:
                parts.append(self._run(values[start:row], names, place, times[start:row]))
            if row < len(values):
                parts.append(blank_row(parts[0], self._hear(times[row], bool(values[row, place]))))
            start = row + 1
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def _run(
        self, values: NDArray[np.float64], names: tuple[str, ...], place: int, times: Sequence[Any]
    ) -> dict[str, NDArray[Any]]:
        """Do it with rows that are events, all of them."""
        words = values[:, place]
        said = ~np.isnan(words)
        columns = [i for i in range(len(names)) if i != place]
        found: dict[str, NDArray[Any]] = self.model.progressive_many(
            np.ascontiguousarray(values[:, columns]), [names[i] for i in columns], words if said.any() else None
        )
        for name in ("prediction", "low", "high", "contribution"):
            whole = np.full(values.shape, np.nan)
            whole[:, columns] = found[name]
            found[name] = whole
        found["feature"] = np.array([*columns, -1])[found["feature"]]
        found["heard"] = np.full(len(values), None, dtype=object)
        found["heard"][said] = True
        if self.late:
            self.features += tuple(name for name in names if name != self.label and name not in self.features)
            own = [self.features.index(name) if name != self.label else -1 for name in names]
            features = [own[i] if i >= 0 else -1 for i in found["feature"].tolist()]
            self.recent.take(times, features, found["decided"].tolist(), (said * (1 + (words != 0.0))).tolist())
        return found

    def _hear(self, time: object, is_anomaly: bool) -> bool:
        """Take in a word on an earlier event; return whether that event is known."""
        meant = self.recent.say(time, is_anomaly)
        if meant is None:
            return False
        feature, decided, often = meant
        for _ in range(often if decided >= 0 else 0):
            self.model.correct(self.features[feature], VIEWS[decided], is_anomaly)
        return True

    def _manifest(self) -> dict[str, Any]:
        return {**super()._manifest(), **({"late": self.late, "seen": self.recent.seen} if self.late else {})}

    def _parts(self) -> list[bytes]:
        return [self.recent.kept.tobytes()] if self.late else []


def labelled(model: Any, label: str, late: int = 0) -> Labelled:
    """Return a model behind the interface of a detector: one with an alarm rule of its own keeps it.

    Examples
    --------
    >>> from river.linear_model import LinearRegression
    >>> from streamrnn.scorers.labelled import labelled
    >>> type(labelled(LinearRegression(), "y")).__name__
    'Labelled'
    """
    if not hasattr(model, "set_alarm"):
        return Labelled(model, label)
    return LabelledDetector(model, label) if hasattr(model, "predict_one") else Corrected(model, label, late)
