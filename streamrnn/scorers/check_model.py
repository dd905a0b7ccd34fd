"""What is wrong with ``[model]``: one line for each mistake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from streamrnn.config import Alarm, nearest, parameter_names
from streamrnn.errors import ParameterError
from streamrnn.scorers import build
from streamrnn.scorers.check_alarm import check_alarm
from streamrnn.scorers.parts import abilities, check_names, check_nets
from streamrnn.scorers.table import (
    ELSEWHERE,
    FEEDBACK_MEMORY,
    LABEL,
    MODELS,
    MOST_REMEMBERED,
    NET,
    NONE,
    PIPELINE,
    SHARE,
    TIME,
    own_parameters,
    short_name,
)

__all__ = ["check_model", "is_foreign", "maker"]


def maker(name: str, parameters: Mapping[str, Any]) -> Callable[[], tuple[Any, list[str]]]:
    """Return what makes a model that is none of this library's by name, and says what is wrong with it.

    Parameters
    ----------
    name, parameters
        As for :func:`check_model`.

    Examples
    --------
    >>> from streamrnn.scorers.check_model import maker
    >>> maker("RNNRegresor", {})()[1][0].partition(" Or ")[0]
    "[model] kind: there is no model 'RNNRegresor'. Did you mean 'RNNRegressor'?"
    """
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
    make, problems = build.factory(name)
    if make is None:
        return None, problems
    try:
        return make(**parameters), []
    except Exception as error:  # noqa: BLE001  (the user's code may raise anything)
        return None, [f"[model] kind: {name!r} failed: {type(error).__name__}: {error}"]


def is_foreign(name: str) -> bool:
    """Whether the model is made by code of the user's own, which runs when it is looked at.

    Parameters
    ----------
    name
        The kind.

    Examples
    --------
    >>> from streamrnn.scorers.check_model import is_foreign
    >>> is_foreign("mine:make"), is_foreign("river.anomaly.HalfSpaceTrees")
    (True, False)
    """
    return build.is_factory(name)


def check_model(
    name: str, parameters: Mapping[str, Any], alarm: Alarm | None = None, *, foreign: bool = True
) -> list[str]:
    """Return one line for each mistake in ``[model]``, and for an alarm rate that it cannot hold.

    Parameters
    ----------
    name
        The kind.
    parameters
        All else.
    alarm
        Settings that the model must go with; None: nobody asks.
    foreign
        Whether ``module:factory`` may be imported and run. If not, it is taken for good.

    Examples
    --------
    >>> from streamrnn.scorers.check_model import check_model
    >>> check_model("RNNAnomalyDetector", {"hiden_size": 8})
    ["[model] hiden_size: there is no such parameter of RNNAnomalyDetector. Did you mean 'hidden_size'?"]
    """
    name = short_name(name)
    return _check_parameters(name, parameters, foreign=foreign) + (
        [] if alarm is None else check_alarm(name, parameters, alarm)
    )


def _check_parameters(name: str, parameters: Mapping[str, Any], *, foreign: bool) -> list[str]:
    own, row = own_parameters(name, parameters), MODELS.get(name)
    if SHARE in parameters and (problems := _check_share(name, parameters[SHARE])):
        return problems
    if row is not None:
        problems = _check_ours(name, own) or check_names(own, "")
        if row.takes_feedback and FEEDBACK_MEMORY in parameters:
            problems += _check_memory(parameters)
        problems = problems or _check_label(name, parameters, allowed=True, needed=row.predicts)
    elif not foreign and is_foreign(name):
        return _check_label(name, parameters, allowed=True, needed=False)
    else:
        problems = _check_made(name, parameters)
    if not problems and LABEL in parameters and parameters[LABEL] == parameters.get(TIME):
        problems = [f"[model] time: must be another column than the label. Got {parameters[TIME]!r} for both."]
    return problems


def _check_share(name: str, share: object) -> list[str]:
    """Say what is wrong with how keys share a model."""
    if share not in (NET, NONE):
        return [f"[model] {SHARE}: must be '{NET}' or '{NONE}'. Got {share!r} instead."]
    if share == NET and name not in MODELS:
        known = ", ".join(MODELS)
        said = f"[model] {SHARE}: {name} cannot keep many keys apart in one model; {known} can."
        return [f"{said} Leave it out: each key has a model of its own then."]
    return []


def _check_made(name: str, parameters: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with a model that is none of the table: it is made, and looked at."""
    model, problems = maker(name, own_parameters(name, parameters))()
    if problems := problems or check_nets(model):
        return problems
    predicts, scores = abilities(model)
    if not predicts and not scores:
        what = "the last step" if name == PIPELINE else name
        said = f"[model] kind: {what} must be an anomaly detector, with score_one and learn_one, or a regressor or "
        return [f"{said}classifier, with predict_one and learn_one. It is none."]
    return _check_label(name, parameters, allowed=predicts, needed=not scores)


def _check_label(name: str, parameters: Mapping[str, Any], *, allowed: bool, needed: bool) -> list[str]:
    """Say what is wrong with the label, where the model itself is good."""
    if LABEL not in parameters:
        return [f"[model] label: is missing. {name} predicts a column from the others; name it."] if needed else []
    label = parameters[LABEL]
    if not allowed:
        return [f"[model] label: {name} is a detector and has none. Leave it out."]
    if isinstance(label, str) and label:
        return []
    return [f"[model] label: must be the name of a column. Got {label!r} instead."]


def _check_memory(parameters: Mapping[str, Any]) -> list[str]:
    """Say what is wrong with the memory for feedback that comes late."""
    memory = parameters[FEEDBACK_MEMORY]
    if type(memory) is not int or not 0 <= memory <= MOST_REMEMBERED:
        return [f"[model] {FEEDBACK_MEMORY}: must be an int from 0 to {MOST_REMEMBERED}. Got {memory!r} instead."]
    if LABEL in parameters:
        return []
    return [f"[model] {FEEDBACK_MEMORY}: is for feedback on events, and no column holds it. Name it: label."]


def _check_ours(name: str, parameters: Mapping[str, Any]) -> list[str]:
    import streamrnn  # noqa: PLC0415

    cls = getattr(streamrnn, name)
    known = [one for one in parameter_names(cls) if one not in ELSEWHERE]
    problems = [f"[model] {one}: {ELSEWHERE[one]}" for one in parameters if one in ELSEWHERE]
    problems += [
        f"[model] {one}: there is no such parameter of {name}. {nearest(one, known)}"
        for one in parameters
        if one not in known and one not in ELSEWHERE
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
