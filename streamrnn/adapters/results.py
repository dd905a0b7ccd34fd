"""Which models an engine can run, and what each says of an event."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ParameterError
from streamrnn.models._features import to_float

__all__ = ["KINDS", "Kind", "kind_of"]

Run = Callable[[Any, NDArray[np.float64], Sequence[Any], Sequence[Any]], dict[str, list[Any]]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One row of the table.

    Parameters
    ----------
    fields
        What is said of an event, by name, with its type; None stands for what there is not.
    run
        Predicts each of some rows, then learns it: of a model, rows, keys and labels.
    """

    fields: Mapping[str, type]
    run: Run


def _detect(model: Any, rows: NDArray[np.float64], keys: Sequence[Any], labels: Sequence[Any]) -> dict[str, list[Any]]:  # noqa: ARG001
    """Score each row, then learn it."""
    names = model.columns
    ran = model.run_rows(rows, names, keys)  # None: the long way
    if ran is None:
        found = model.progressive_many(rows, names=names, keys=keys)
        said = {name: found[name].tolist() for name in _OF_DETECTOR}
    else:
        said = model.list_rows(ran)
    said["feature"] = [str(names[place]) if place >= 0 else None for place in said["feature"]]
    return said


def _predict(model: Any, rows: NDArray[np.float64], keys: Sequence[Any], labels: Sequence[Any]) -> dict[str, list[Any]]:
    """Predict each row, then learn its label."""
    known = np.array([to_float("label", label) for label in labels])
    return {"prediction": model.progressive_many(rows, known, names=model.columns, keys=keys).tolist()}


_OF_DETECTOR: Final = {
    "score": float,
    "severity": float,
    "alarm": bool,
    "warm": bool,
    "change": bool,
    "p_value": float,
    "threshold": float,
    "feature": str,
}
KINDS: Final = {
    "RNNAnomalyDetector": Kind(_OF_DETECTOR, _detect),
    "RNNRegressor": Kind({"prediction": float}, _predict),
}


def kind_of(model: Any) -> Kind:
    """Return the row of a model.

    Parameters
    ----------
    model
        With ``key``.

    Raises
    ------
    ParameterError
        When no engine can run it here: another class, or one without ``key``.

    Examples
    --------
    >>> from streamrnn import RNNRegressor
    >>> from streamrnn.adapters.results import kind_of
    >>> kind_of(RNNRegressor(key="pump")).fields
    {'prediction': <class 'float'>}
    """
    kind = KINDS.get(type(model).__name__)
    if kind is None or model.key is None:
        raise ParameterError(
            f"The model must be one of {', '.join(KINDS)}, made with key=. Got {type(model).__name__}"
            f"{'' if kind is None else ' without a key'} instead."
        )
    return kind
