"""What a model by river's interface can do, and what nets it is made of."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any

from river.base import Base, Classifier, Clusterer, Estimator, MultiLabelClassifier, MultiTargetRegressor, Regressor

from streamrnn.errors import ConfigError, StreamrnnError

__all__ = ["abilities", "check_names", "check_nets", "failed", "is_net", "last_step", "nets_of"]

DEEPEST = 6  # models within models that are looked into


def last_step(model: Any) -> Any:
    """Return what answers for a model: the last step of a pipeline, else the model itself.

    Parameters
    ----------
    model
        Of river's interface.

    Examples
    --------
    >>> from river.linear_model import LinearRegression
    >>> from river.preprocessing import StandardScaler
    >>> from streamrnn.scorers.parts import last_step
    >>> type(last_step(StandardScaler() | LinearRegression())).__name__
    'LinearRegression'
    """
    while isinstance(getattr(model, "steps", None), Mapping) and model.steps:
        model = list(model.steps.values())[-1]
    return model


def _takes_features_alone(method: Any) -> bool:
    """Whether a method can be called with the features and nothing else."""
    needed = [
        one
        for one in inspect.signature(method).parameters.values()
        if one.default is one.empty and one.kind in (one.POSITIONAL_ONLY, one.POSITIONAL_OR_KEYWORD)
    ]
    return len(needed) <= 1


def abilities(model: Any) -> tuple[bool, bool]:
    """Return whether a model predicts a label, and whether it scores events without one.

    Parameters
    ----------
    model
        Of river's interface.

    Examples
    --------
    >>> from river.anomaly import GaussianScorer, HalfSpaceTrees
    >>> from river.cluster import KMeans
    >>> from river.linear_model import LinearRegression
    >>> from streamrnn.scorers.parts import abilities
    >>> [abilities(model) for model in (LinearRegression(), HalfSpaceTrees(), GaussianScorer(), KMeans())]
    [(True, False), (False, True), (False, False), (False, False)]
    """
    end = last_step(model)
    other = isinstance(end, Clusterer | MultiLabelClassifier | MultiTargetRegressor)
    if other or not hasattr(end, "learn_one"):
        return False, False
    known = isinstance(end, Regressor | Classifier) or is_net(end) or not isinstance(end, Estimator)
    predicts = hasattr(end, "predict_one") and known
    inner = getattr(end, "anomaly_detector", end)  # a filter around a detector
    scores = hasattr(end, "score_one") and _takes_features_alone(inner.score_one) and not predicts
    return predicts, scores


def is_net(model: Any) -> bool:
    """Whether a model is one of this library's.

    Parameters
    ----------
    model
        Of river's interface.

    Examples
    --------
    >>> from streamrnn import RNNRegressor
    >>> from streamrnn.scorers.parts import is_net
    >>> is_net(RNNRegressor()), is_net(object())
    (True, False)
    """
    return type(model).__module__.startswith("streamrnn.models.") and hasattr(model, "learn_one")


def nets_of(model: Any, depth: int = 0) -> Iterator[Any]:
    """Yield this library's models that a model is made of: itself, steps of a pipeline, what a wrapper holds.

    Parameters
    ----------
    model
        Of river's interface.
    depth
        Of the model within others.

    Examples
    --------
    >>> from river.preprocessing import StandardScaler
    >>> from streamrnn import RNNRegressor
    >>> from streamrnn.scorers.parts import nets_of
    >>> [type(net).__name__ for net in nets_of(StandardScaler() | RNNRegressor())]
    ['RNNRegressor']
    """
    if is_net(model):
        yield model
    elif depth < DEEPEST:
        held = model.values() if isinstance(model, Mapping) else model if isinstance(model, list | tuple) else ()
        for one in vars(model).values() if isinstance(model, Base) and hasattr(model, "__dict__") else held:
            yield from nets_of(one, depth + 1)


def check_names(parameters: Mapping[str, Any], where: str) -> list[str]:
    """Return one line for each parameter of a net that names a column which the runtime cannot bring to it.

    Parameters
    ----------
    parameters
        Of the net, by name.
    where
        Where in ``[model]`` it stands, for messages.

    Examples
    --------
    >>> from streamrnn.scorers.parts import check_names
    >>> check_names({"time": 3}, "")
    ['[model] time: must be the name of a column. Got 3 instead.']
    """
    problems = []
    key, time = parameters.get("key"), parameters.get("time")
    if key is not None:
        said = f"[model] {where}key: here [source] key names the column of keys."
        problems.append(f"{said} Leave it out.")
    if time is not None and not (isinstance(time, str) and time):
        problems.append(f"[model] {where}time: must be the name of a column. Got {time!r} instead.")
    return problems


def check_nets(model: Any) -> list[str]:
    """Return one line for each net in a model that is not ours, whose key or time the runtime cannot bring to it.

    Parameters
    ----------
    model
        Of river's interface.
    """
    problems = []
    for net in nets_of(model):
        own = {name: getattr(net, name, None) for name in ("key", "time")}
        problems += check_names(own, "" if net is model else f"{type(net).__name__}: ")
        if net is not model and own["time"] is not None:
            problems.append(
                f"[model] {type(net).__name__}: time: a net within another model does not see the time of events. Leave it "
                "out, or let the net be the model."
            )
    return problems


def failed(model: Any, x: Mapping[str, float], error: Exception) -> Exception:
    """Return what a run says where a model that is not this library's raised at an event.

    Parameters
    ----------
    model
        Of river's interface.
    x
        The event.
    error
        What it raised.

    Examples
    --------
    >>> from streamrnn.scorers.parts import failed
    >>> print(failed([], {"flow": 1.0}, KeyError("level")))
    [model] kind: list raised KeyError: 'level' at the event {'flow': 1.0}. It cannot learn from such events.
    """
    if isinstance(error, StreamrnnError) or is_net(last_step(model)):
        return error
    said = f"{type(last_step(model)).__name__} raised {type(error).__name__}: {' '.join(str(error).split())[:200]}"
    return ConfigError(f"[model] kind: {said} at the event {str(dict(x))[:200]}. It cannot learn from such events.")
