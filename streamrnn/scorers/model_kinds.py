"""Any river anomaly detector as a scorer of blocks, and the models a configuration may name."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import nearest, parameter_names
from streamrnn.config_secrets import shown
from streamrnn.errors import ConfigError, ModelChangedError, ParameterError, StateError
from streamrnn.scorers.labelled import Labelled, labelled
from streamrnn.scorers.parts import abilities, check_names, check_nets, failed, is_net, nets_of

__all__ = [
    "LABEL",
    "LATE",
    "MODELS",
    "ModelKind",
    "check_model",
    "fitting",
    "has_rule",
    "is_foreign",
    "model_kind",
    "score_block",
]

MODELS = ("RNNAnomalyDetector", "RNNSupervisedAnomalyDetector", "RNNRegressor", "RNNClassifier")
"""What ``[model] kind`` may say: names in ``streamrnn``, whose models can be written as snapshots."""

LABEL = "label"
"""Option of every kind: the column that the model predicts from the others, or of a detector the one with the user's words on events."""

LATE, MOST_LATE = "late", 100_000
"""Option of RNNAnomalyDetector with a label: so many events of a series are remembered for words that come later; and the most there may be."""

TIME, KEY = "time", "key"
"""Parameters of our models that name a column: the runtime brings the time to them, and has a net for each key itself."""

PIPELINE = "pipeline"
"""The kind whose ``steps`` are estimators by dotted name."""


@dataclass(frozen=True, slots=True)
class ModelKind:
    """How the runtime makes, writes and reads one model.

    Parameters
    ----------
    name, parameters
        What a snapshot records and a restart compares.
    make
        Returns a new model.
    dumps, loads
        The model as bytes and back, without pickle; None where the model has no such form. It then runs
        without snapshots only.
    numerics
        What the last bits of its results depend on, see :func:`streamrnn.models._numerics.numeric_abi`; empty where
        nobody knows.
    label
        The column that a regressor or classifier predicts; None: a detector expects them all, but for one with words of the user's.
    words
        That one, where words may come later than their events; None: where not.
    time
        The column that the model sees as the time of its events; None: it sees none.
    nets
        This library's models within one that is not of :data:`MODELS`: what there is to compile.

    Examples
    --------
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.scorers.model_kinds import ModelKind
    >>> ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees).dumps is None
    True
    """

    name: str
    parameters: Mapping[str, Any]
    make: Callable[[], Any]
    dumps: Callable[[Any], bytes] | None = field(default=None)
    loads: Callable[[bytes], Any] | None = field(default=None)
    numerics: Mapping[str, str] = field(default_factory=dict)
    label: str | None = None
    words: str | None = None
    time: str | None = None
    nets: tuple[Any, ...] = ()

    def check_model(self, written: Mapping[str, Any]) -> None:
        """Raise where a snapshot is of another model.

        Raises
        ------
        ModelChangedError
            With all that differs.
        """
        now = {"kind": self.name, **self.parameters}
        then = {"kind": written["kind"], **written["parameters"]}
        changes = [
            f"{name}: {shown(name, then.get(name, 'unset'))!r} then, {shown(name, now.get(name, 'unset'))!r} now"
            for name in sorted({*now, *then})
            if now.get(name) != then.get(name)
        ]
        if changes:
            raise ModelChangedError(
                "The snapshot was written by another [model] (" + "; ".join(changes) + "). "
                "Restore the old values, let a new model go on with [state] on_change = 'fresh', or start anew with --fresh."
            )

    def numerics_changes(self, written: Mapping[str, str]) -> str:
        """Say in what the numerics of a snapshot and ours differ; nothing where they do not.

        Examples
        --------
        >>> from streamrnn.scorers.model_kinds import ModelKind
        >>> kind = ModelKind("mine", {}, object, numerics={"cpu": "znver5", "numba": "0.68.1"})
        >>> kind.numerics_changes({"cpu": "haswell", "numba": "0.68.1"})
        'cpu: haswell then, znver5 now'
        """
        return "; ".join(
            f"{name}: {written[name]} then, {self.numerics.get(name, 'unknown')} now"
            for name in sorted(written)
            if written[name] != self.numerics.get(name)
        )

    def check_numerics(self, written: Mapping[str, str], *, refuse: bool) -> None:
        """Say where a snapshot was computed with other numerics.

        Raises
        ------
        StateError
            With all that differs, where it is to be refused. Else it is a warning.
        """
        changes = self.numerics_changes(written)
        if not changes:
            return
        said = f"The snapshot was computed with other numerics ({changes}), "
        if refuse:
            raise StateError(said + "and [state] numerics = 'refuse'. Go on where it was written, or set it to 'warn'.")
        warnings.warn(
            said + "so what follows may differ in the last bits from an undisturbed run.", RuntimeWarning, stacklevel=4
        )


def model_kind(name: str, parameters: Mapping[str, Any], *, foreign: bool = True) -> ModelKind:
    """Return the kind of model that ``[model]`` describes.

    Parameters
    ----------
    name, parameters, foreign
        As for :func:`check_model`.

    Raises
    ------
    ConfigError
        When there is no such model, or a parameter is wrong.

    Examples
    --------
    >>> from streamrnn.scorers.model_kinds import model_kind
    >>> type(model_kind("RNNAnomalyDetector", {"seed": 3}).make()).__name__
    'RNNAnomalyDetector'
    """
    problems = check_model(name, parameters, foreign=foreign)
    if problems:
        raise ConfigError(problems)
    name = _short(name)
    label, late, own = parameters.get(LABEL), parameters.get(LATE, 0), _without_label(name, parameters)
    if name not in MODELS:
        make = _maker(name, own)
        made = lambda: make()[0] if label is None else labelled(make()[0], label)  # noqa: E731
        first = make()[0] if foreign or not is_foreign(name) else None
        time, nets = getattr(first, "time", None) if is_net(first) else None, tuple(nets_of(first))
        return ModelKind(name, dict(parameters), made, label=label, time=time, nets=nets)
    import streamrnn  # noqa: PLC0415  (imports river, which a wrong name should not wait for)
    from streamrnn.models._numerics import numeric_abi  # noqa: PLC0415

    cls = getattr(streamrnn, name)
    numerics = numeric_abi(cls(**own).cell)
    time = parameters.get(TIME)
    if label is None:
        make = lambda: cls(**own)  # noqa: E731
        return ModelKind(name, dict(parameters), make, streamrnn.dumps, streamrnn.loads, numerics, time=time)
    return ModelKind(
        name,
        dict(parameters),
        lambda: labelled(cls(**own), label, late),
        lambda model: model.to_bytes(streamrnn.dumps),
        lambda data: Labelled.from_bytes(data, streamrnn.loads),
        numerics,
        None if name == MODELS[0] else label,
        label if name == MODELS[0] and late else None,
        time,
    )


def _without_label(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    ours = (LABEL, LATE) if name == MODELS[0] else (LABEL,)
    return {name: value for name, value in parameters.items() if name not in ours}


def _short(name: str) -> str:
    """Return the name of one of our models without ``streamrnn.``."""
    return name.removeprefix("streamrnn.") if name.removeprefix("streamrnn.") in MODELS else name


def _maker(name: str, parameters: Mapping[str, Any]) -> Callable[[], tuple[Any, list[str]]]:
    """Return what makes a model that is not in MODELS, and says what is wrong with it."""
    from streamrnn.scorers import build  # noqa: PLC0415

    if name == PIPELINE:
        unknown = [f"[model] {one}: a pipeline has 'steps' alone." for one in parameters if one != "steps"]
        return lambda: (None, unknown) if unknown else build.make_pipeline(parameters.get("steps"))
    if build.is_dotted(name):
        return lambda: build.make_named(name, parameters)
    if build.is_factory(name):
        return lambda: _from_factory(name, parameters)
    known = [*MODELS, PIPELINE]
    said = f"[model] kind: there is no model {name!r}. {nearest(name, known)}"
    return lambda: (None, [f"{said} Or a class of river by dotted name, or 'module:factory'."])


def _from_factory(name: str, parameters: Mapping[str, Any]) -> tuple[Any, list[str]]:
    from streamrnn.scorers import build  # noqa: PLC0415

    make, problems = build.factory(name)
    if make is None:
        return None, problems
    try:
        return make(**parameters), []
    except Exception as error:  # noqa: BLE001  (the user's code may raise anything)
        return None, [f"[model] kind: {name!r} failed: {type(error).__name__}: {error}"]


def is_foreign(name: str) -> bool:
    """Whether the model is made by code of the user's own, which runs when it is looked at.

    Examples
    --------
    >>> from streamrnn.scorers.model_kinds import is_foreign
    >>> is_foreign("mine:make"), is_foreign("river.anomaly.HalfSpaceTrees")
    (True, False)
    """
    from streamrnn.scorers import build  # noqa: PLC0415

    return build.is_factory(name)


def check_model(name: str, parameters: Mapping[str, Any], *, foreign: bool = True) -> list[str]:
    """Return one line for each mistake in ``[model]``.

    Parameters
    ----------
    name
        The kind.
    parameters
        All else.
    foreign
        Whether ``module:factory`` may be imported and run. If not, it is taken for good.

    Examples
    --------
    >>> from streamrnn.scorers.model_kinds import check_model
    >>> check_model("RNNAnomalyDetector", {"hiden_size": 8})
    ["[model] hiden_size: there is no such parameter of RNNAnomalyDetector. Did you mean 'hidden_size'?"]
    """
    name = _short(name)
    own = _without_label(name, parameters)
    if not foreign and is_foreign(name):
        return _check_label(name, parameters, predicts=True, scores=True)
    if name in MODELS:
        problems = _check_ours(name, own) or check_names(own, "")
        predicts, scores = name != "RNNAnomalyDetector", name == "RNNAnomalyDetector"
    else:
        model, problems = _maker(name, own)()
        problems = problems or check_nets(model)
        predicts, scores = abilities(model)
        if not problems and not predicts and not scores:
            what = "the last step" if name == PIPELINE else name
            said = f"[model] kind: {what} must be an anomaly detector, with score_one and learn_one, or a regressor or "
            problems = [f"{said}classifier, with predict_one and learn_one. It is none."]
    problems += _check_late(parameters) if name == MODELS[0] and LATE in parameters else []
    problems = problems or _check_label(name, parameters, predicts=predicts, scores=scores)
    if not problems and LABEL in parameters and parameters[LABEL] == parameters.get(TIME):
        problems = [f"[model] time: must be another column than the label. Got {parameters[TIME]!r} for both."]
    return problems


def _check_label(name: str, parameters: Mapping[str, Any], *, predicts: bool, scores: bool) -> list[str]:
    """Say what is wrong with the label, where the model itself is good."""
    if LABEL not in parameters:
        return [] if scores else [f"[model] label: is missing. {name} predicts a column from the others; name it."]
    label = parameters[LABEL]
    if not predicts and name != MODELS[0]:
        return [f"[model] label: {name} is a detector and has none. Leave it out."]
    return (
        []
        if isinstance(label, str) and label
        else [f"[model] label: must be the name of a column. Got {label!r} instead."]
    )


def _check_late(parameters: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the memory for late words."""
    late = parameters[LATE]
    if type(late) is not int or not 0 <= late <= MOST_LATE:
        return [f"[model] late: must be an int from 0 to {MOST_LATE}. Got {late!r} instead."]
    return (
        [] if LABEL in parameters else ["[model] late: is for words on events, and no column has them. Name it: label."]
    )


def _check_ours(name: str, parameters: Mapping[str, Any]) -> list[str]:
    import streamrnn  # noqa: PLC0415

    cls = getattr(streamrnn, name)
    known = parameter_names(cls)
    problems = [
        f"[model] {one}: there is no such parameter of {name}. {nearest(one, known)}"
        for one in parameters
        if one not in known
    ]
    for one, value in parameters.items():  # each by itself, so that all mistakes are found
        if one in known:
            try:
                cls(**{one: value})
            except (ParameterError, ValueError, TypeError) as error:
                problems.append(f"[model] {one}: {error}")
    if not problems:
        try:
            cls(**parameters)
        except (ParameterError, ValueError, TypeError) as error:
            problems.append(f"[model]: {error}")
    return problems


def fitting(found: Any, fresh: Any) -> Any:
    """Return a model out of a snapshot where it is one of those that this configuration makes.

    Raises
    ------
    StateError
        When it is of another class, or for another label, key or horizon: whatever the snapshot says of itself.

    Examples
    --------
    >>> from streamrnn import RNNClassifier, RNNRegressor
    >>> from streamrnn.scorers.model_kinds import fitting
    >>> fitting(RNNClassifier(), RNNRegressor())
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: The snapshot holds a RNNClassifier where this configuration has a RNNRegressor.
    """
    if type(found) is not type(fresh):
        raise StateError(
            f"The snapshot holds a {type(found).__name__} where this configuration has a {type(fresh).__name__}."
        )
    for name in ("label", "late", "horizon", "key", "time", "advance"):
        then, now = getattr(found, name, None), getattr(fresh, name, None)
        if then != now:
            raise StateError(f"The snapshot's model has {name} = {str(then)[:80]!r}, now it is {now!r}.")
    if isinstance(fresh, Labelled):
        fitting(found.model, fresh.model)
    return found


def has_rule(model: Any) -> bool:
    """Tell whether a model says itself when it alarms; others get :class:`streamrnn.scorers.rank_rule.AlarmRule`.

    Examples
    --------
    >>> from streamrnn import RNNAnomalyDetector
    >>> from streamrnn.scorers.model_kinds import has_rule
    >>> has_rule(RNNAnomalyDetector()), has_rule(object())
    (True, False)
    """
    return hasattr(model, "set_alarm")


def score_block(
    model: Any, names: tuple[str, ...], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Score each row before it is learned, then learn it.

    A model with ``progressive_many`` does so in one call. Any other river detector or pipeline is asked event by
    event, without the features that are missing in that event.

    Parameters
    ----------
    model
        A river anomaly detector, or a pipeline that ends in one.
    names
        Feature names.
    values
        float64, shape (n, I); NaN where a value is missing.

    Returns
    -------
    tuple
        Scores, shape (n,), and what the model expected of each row before it saw it, shape (n, I): NaN where it
        expected nothing.

    Examples
    --------
    >>> import numpy as np
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.scorers.model_kinds import score_block
    >>> scores, expected = score_block(HalfSpaceTrees(seed=1), ("a",), np.array([[0.5], [0.1]]))
    >>> scores, expected.shape
    (array([0., 0.]), (2, 1))
    """
    many = getattr(model, "progressive_many", None)
    if many is not None:
        found = many(np.ascontiguousarray(values), names)
        return found["score"], found["prediction"]
    scores = np.empty(len(values))
    expected = np.full(values.shape, np.nan)
    expect = getattr(model, "expected_one", None)
    for i, row in enumerate(values.tolist()):
        x = {name: value for name, value in zip(names, row, strict=True) if value == value}  # noqa: PLR0124
        if expect is not None:
            before = expect()
            expected[i] = [before.get(name, np.nan) for name in names]
        try:
            scores[i] = model.score_one(x)
            model.learn_one(x)
        except Exception as error:
            raise failed(model, x, error) from error
    return scores, expected
