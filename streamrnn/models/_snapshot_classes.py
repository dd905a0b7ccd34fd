"""What a snapshot may hold: the allow-list of classes, by the name under which a manifest has them."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Callable
from importlib import import_module
from typing import Any, Final

from river.base import Estimator

from streamrnn.errors import StateError
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.kernels.net.optimizers.schedules import SCHEDULES
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS

__all__ = [
    "COMPOSED", "FACTORIES", "MAPPINGS", "MODELS", "RIVER", "SEQUENCES", "SETTINGS", "class_of", "known", "model_of",
]  # fmt: skip

# Ours, by the module that holds it, which is imported when a snapshot holds one.
MODELS: Final = {
    "RNNAnomalyDetector": "anomaly_detector",
    "RNNClassifier": "classifier",
    "RNNForecaster": "forecaster",
    "RNNMultiTargetRegressor": "multi_target_regressor",
    "RNNRegressor": "regressor",
    "RNNSupervisedAnomalyDetector": "supervised_anomaly_detector",
    "RNNTransformer": "transformer",
}
# River's classes by name, with the module that is imported when a snapshot holds one. First those whose whole state is
# plain data; then those that are settings, where what they have learned does not count (see streamrnn.models._translate).
_PLAIN: Final = {
    "river.preprocessing": (
        "StandardScaler", "MinMaxScaler", "MaxAbsScaler", "Normalizer", "OneHotEncoder", "OrdinalEncoder", "PreviousImputer",
    ),
    "river.compose": ("Select", "Discard", "Prefixer", "Suffixer", "Renamer"),
    "river.stats": ("Min", "Max", "AbsMax"),
    "river.anomaly": ("QuantileFilter", "ThresholdFilter"),
}  # fmt: skip
_SETTINGS: Final = {
    "river.optim.schedulers": tuple(SCHEDULES),
    "river.optim": tuple(rule.river for rule in OPTIMIZERS.values() if rule.river),
    "river.optim.losses": tuple(row.river for row in LOSSES.values() if row.river),
}
RIVER: Final = {name: module for module, names in _PLAIN.items() for name in names}
SETTINGS: Final = {name: module for module, names in _SETTINGS.items() for name in names}
_BUILTIN: Final[dict[str, type]] = {cls.__name__: cls for cls in (float, int, set, dict)}
FACTORIES: Final = {**dict.fromkeys(_BUILTIN, "builtins"), **{name: RIVER[name] for name in _PLAIN["river.stats"]}}
COMPOSED: Final = dict.fromkeys(("Pipeline", "TransformerUnion"), "river.compose")
MAPPINGS: Final[dict[str, Callable[[Any], Any]]] = {"dict": dict, "ordered": OrderedDict, "counter": Counter}
SEQUENCES: Final[dict[str, Callable[[Any], Any]]] = {"tuple": tuple, "set": set, "frozenset": frozenset}


def model_of(value: Any) -> Any:
    """Return an estimator as it is.

    Parameters
    ----------
    value
        What the snapshot holds where a model must be.

    Raises
    ------
    StateError
        When it is something else.
    """
    if not isinstance(value, Estimator):
        raise StateError(f"The snapshot holds no model where one must be, but a {type(value).__name__}.")
    return value


def known(table: dict[str, Any], name: Any) -> Any:
    """Return the entry of a name in a table of the allow-list.

    Parameters
    ----------
    table
        One of the tables of this module.
    name
        What the manifest has, of whatever type.

    Raises
    ------
    StateError
        When the table has no such name.
    """
    if not isinstance(name, str) or name not in table:
        raise StateError(f"The snapshot holds a {name!r}, which this version does not know.")
    return table[name]


def class_of(table: dict[str, str], name: Any) -> Any:
    """Import the module of a class on the allow-list, and return the class.

    Parameters
    ----------
    table
        Modules by the names of their classes.
    name
        Of the class, as the manifest has it.

    Raises
    ------
    StateError
        When the table has no such name.
    """
    return getattr(import_module(known(table, name)), name)
