"""How the checks of estimators play a stream: events, and one way to learn and to ask for every kind of model."""

from __future__ import annotations

import inspect
import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from river import base

__all__ = ["N", "fresh", "hold", "kind_of", "learn", "learn_unlabelled", "numbers", "play", "predict", "stream"]

N: Final = 60
"""Events of a stream, where none are asked for."""


def hold(kept: Any) -> None:
    """Raise an AssertionError that says which promise is broken, unless it is kept (``assert`` is gone under ``-O``).

    Parameters
    ----------
    kept
        Whether it is.

    Raises
    ------
    AssertionError
        When it is not, with the docstring of the check that has called this.
    """
    if not kept:
        frame = inspect.stack()[1]
        raise AssertionError(f"{frame.function}: {inspect.getdoc(frame.frame.f_globals[frame.function])}")


def fresh(model: Any, **params: Any) -> Any:
    """Return a fresh model with other parameters.

    Parameters
    ----------
    model
        Whose class and parameters.
    params
        Those that differ.
    """
    given = {name: getattr(model, name) for name in inspect.signature(type(model)).parameters}
    return type(model)(**{**given, **params})


def kind_of(model: Any) -> str:
    """Return which kind of estimator a model is: a row of the table of checks names kinds.

    Parameters
    ----------
    model
        An estimator.
    """
    kinds = {
        "classifier": base.Classifier, "targets": base.MultiTargetRegressor, "regressor": base.Regressor,
        "transformer": base.SupervisedTransformer, "detector": base.AnomalyDetector, "surprise": base.SupervisedAnomalyDetector,
    }  # fmt: skip
    return next((name for name, cls in kinds.items() if isinstance(model, cls)), "forecaster")


def stream(n: int = N, seed: int = 1) -> Iterator[tuple[dict[str, Any], float]]:
    """Events whose target hangs on the event before, with holes and both kinds of missing.

    Parameters
    ----------
    n
        How many events.
    seed
        Of the draws.
    """
    rng = np.random.default_rng(seed)
    before = 0.0
    for i in range(n):
        x: dict[str, Any] = {"a": float(rng.normal()), "b": float(rng.normal())}
        if i % 7 == 3:
            x["b"] = None if i % 2 else math.nan
        if i % 11 == 5:
            del x["b"]
        yield x, before
        before = x["a"]


def learn(model: Any, x: dict[str, Any], y: float | None) -> None:
    """Let a model of any kind learn an event; y is None or a number, of which each kind makes its label.

    Parameters
    ----------
    model
        Of any kind; it moves on.
    x
        Features by name.
    y
        The target; None where it is not known.
    """
    kind = kind_of(model)
    if kind == "detector":
        model.learn_one(x)
    elif kind == "forecaster":
        model.learn_one(y, x)
    elif kind == "targets":
        model.learn_one(x, {"y": y, "minus y": None if y is None else -y})
    elif kind == "classifier":
        model.learn_one(x, None if y is None else ("up" if y > 0 else "down"))
    else:
        model.learn_one(x, y)


def learn_unlabelled(model: Any, x: dict[str, Any], unknown: Any) -> None:
    """Let a model of any kind take in an event whose label, series or word, None or NaN as it is given, is not known.

    Parameters
    ----------
    model
        Of any kind; it moves on.
    x
        Features by name.
    unknown
        None or NaN, in any of their forms.
    """
    if kind_of(model) == "forecaster":
        model.learn_one(unknown, x)
    else:
        model.learn_one(x, unknown)


def predict(model: Any, x: dict[str, Any]) -> Any:
    """Return what a model of any kind says of an event.

    Parameters
    ----------
    model
        Of any kind; it does not change.
    x
        Features by name.
    """
    kind = kind_of(model)
    if kind == "detector":
        return model.score_one(x)
    if kind == "surprise":
        return model.score_one(x, 0.5)
    if kind == "forecaster":
        return model.forecast(3)
    if kind == "transformer":
        return model.transform_one(x)
    return model.predict_proba_one(x) if kind == "classifier" else model.predict_one(x)


def play(model: Any, events: Any) -> list[Any]:
    """Ask a model about each event, then let it learn it; return the answers.

    Parameters
    ----------
    model
        Of any kind; it moves on.
    events
        Pairs of features and target, as of :func:`stream`.
    """
    answers = []
    for x, y in events:
        answers.append(predict(model, x))
        learn(model, x, y)
    return answers


def numbers(answer: Any) -> list[float]:
    """Return the numbers of an answer.

    Parameters
    ----------
    answer
        What :func:`predict` returned.
    """
    values = answer.values() if isinstance(answer, dict) else answer if isinstance(answer, list) else [answer]
    return [float(value) for value in values]
