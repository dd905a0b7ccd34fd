"""Models by dotted name: river's, ours, pipelines of them, or what a factory of the user's own makes.

Names come from ``river`` and ``streamrnn`` alone, and are classes of estimators: a configuration can build models, and run nothing
else. ``module:factory`` is the way to code of one's own; it is run as it is, and a log line says so.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Mapping
from typing import Any

from river.base import Base

from streamrnn.config import nearest, parameter_names

__all__ = ["factory", "is_dotted", "is_factory", "make_named", "make_pipeline"]

ALLOWED = ("river", "streamrnn")
USE = "use"
"""Option of a step, and of a parameter that is an object itself: the dotted name of its class."""

_DOTTED = re.compile(r"[A-Za-z]\w*(\.[A-Za-z]\w*)+")
_FACTORY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*")


def is_dotted(kind: str) -> bool:
    """Whether ``kind`` is the dotted name of a class.

    Parameters
    ----------
    kind
        Of a model.
    """
    return _DOTTED.fullmatch(kind) is not None


def is_factory(kind: str) -> bool:
    """Whether ``kind`` names a factory of the user's own, ``module:factory``.

    Parameters
    ----------
    kind
        Of a model.
    """
    return _FACTORY.fullmatch(kind) is not None


def _estimators(module: Any) -> list[str]:
    return [name for name in dir(module) if isinstance(getattr(module, name), type) and not name.startswith("_")]


def _class(dotted: object, where: str) -> tuple[Any, list[str]]:
    """Return the class of this name, or why there is none."""
    if not isinstance(dotted, str) or not is_dotted(dotted):
        return None, [
            f"[model] {where}: must be the dotted name of a class, as 'river.preprocessing.StandardScaler'. Got {dotted!r} instead."
        ]
    path, _, name = dotted.rpartition(".")
    if path.partition(".")[0] not in ALLOWED:
        said = f"[model] {where}: must be a class of {' or '.join(ALLOWED)}. Got {dotted!r} instead."
        return None, [f"{said} For code of your own, write a factory and kind = 'module:factory'."]
    try:
        module = importlib.import_module(path)
    except ImportError:
        return None, [f"[model] {where}: there is no module {path!r}."]
    found = getattr(module, name, None)
    if found is None:
        return None, [f"[model] {where}: there is no {name!r} in {path!r}. {nearest(name, _estimators(module))}"]
    # Optimisers, losses and statistics of river are no estimators, but parameters of some.
    if not isinstance(found, type) or not (
        issubclass(found, Base) or found.__module__.startswith(("river.optim", "river.stats"))
    ):
        return None, [f"[model] {where}: {dotted!r} is no estimator."]
    return found, []


def _value(given: Any, where: str) -> tuple[Any, list[str]]:
    """Return a parameter: tables with 'use' are objects themselves."""
    if isinstance(given, Mapping) and USE in given:
        return make_named(given[USE], {name: one for name, one in given.items() if name != USE}, where)
    if isinstance(given, list):
        made = [_value(one, f"{where}.{i}") for i, one in enumerate(given)]
        return [one for one, _ in made], [problem for _, found in made for problem in found]
    return given, []


def make_named(dotted: object, parameters: Mapping[str, Any], where: str = "") -> tuple[Any, list[str]]:
    """Return an object of the class of this name, and one line for each mistake.

    Parameters
    ----------
    dotted
        What the configuration names.
    parameters
        Of the class, by name.
    where
        Where in ``[model]`` it stands, for messages.

    Examples
    --------
    >>> from streamrnn.scorers.build import make_named
    >>> model, problems = make_named("river.anomaly.HalfSpaceTrees", {"n_trees": 3})
    >>> model.n_trees, problems
    (3, [])
    >>> make_named("river.anomaly.HalfSpaceTree", {})[1]
    ["[model] kind: there is no 'HalfSpaceTree' in 'river.anomaly'. Did you mean 'HalfSpaceTrees'?"]
    """
    prefix = f"{where}." if where else ""
    found, problems = _class(dotted, f"{prefix}{USE}" if where else "kind")
    if problems:
        return None, problems
    known = parameter_names(found)
    made: dict[str, Any] = {}
    for name, given in parameters.items():
        if name not in known:
            problems.append(
                f"[model] {prefix}{name}: there is no such parameter of {found.__name__}. {nearest(name, known)}"
            )
            continue
        made[name], wrong = _value(given, f"{prefix}{name}")
        problems += wrong
    if problems:
        return None, problems
    try:
        return found(**made), []
    except Exception as error:  # noqa: BLE001  (whatever a constructor says about its parameters)
        return None, [f"[model] {where or 'kind'}: {found.__name__} refuses its parameters: {error}"]


def make_pipeline(steps: object) -> tuple[Any, list[str]]:
    """Return the pipeline of a list of steps, each a table with 'use' and parameters; and one line for each mistake.

    Parameters
    ----------
    steps
        What the configuration says.

    Examples
    --------
    >>> from streamrnn.scorers.build import make_pipeline
    >>> model, problems = make_pipeline([
    ...     {"use": "river.preprocessing.MinMaxScaler"},
    ...     {"use": "river.anomaly.HalfSpaceTrees", "seed": 1},
    ... ])
    >>> list(model.steps), problems
    (['MinMaxScaler', 'HalfSpaceTrees'], [])
    """
    if not isinstance(steps, list) or not steps or not all(isinstance(step, Mapping) and USE in step for step in steps):
        return None, [
            "[model] steps: must be a list of tables, each with 'use', the dotted name of a class, and its parameters."
        ]
    made, problems = [], []
    for i, step in enumerate(steps):
        one, wrong = _value(step, f"steps.{i}")
        made.append(one)
        problems += wrong
    if problems:
        return None, problems
    try:
        from river.compose import Pipeline  # noqa: PLC0415  slow to import; a net alone need not wait

        return (made[0] if len(made) == 1 else Pipeline(*made)), []
    except Exception as error:  # noqa: BLE001
        return None, [f"[model] steps: these do not make a pipeline: {error}"]


def factory(kind: str) -> tuple[Callable[..., Any] | None, list[str]]:
    """Import ``module:factory``: this runs the user's code.

    Parameters
    ----------
    kind
        Of a model: ``module:factory``.

    Examples
    --------
    >>> from streamrnn.scorers.build import factory
    >>> factory("no_such_module:make")[1]
    ["[model] kind: the module 'no_such_module' cannot be imported: No module named 'no_such_module'. Is it on PYTHONPATH?"]
    """
    path, _, name = kind.partition(":")
    try:
        module = importlib.import_module(path)
    except Exception as error:  # noqa: BLE001  (the user's code may raise anything)
        return None, [f"[model] kind: the module {path!r} cannot be imported: {error}. Is it on PYTHONPATH?"]
    found = getattr(module, name, None)
    if not callable(found):
        known = [one for one in dir(module) if callable(getattr(module, one)) and not one.startswith("_")]
        return None, [f"[model] kind: there is no function {name!r} in {path!r}. {nearest(name, known)}"]
    return found, []
