"""The models of this library that ``[model] kind`` may name: one table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from streamrnn.config.options import DEFAULT_MODEL

__all__ = ["ModelRow", "own_parameters", "short_name"]

PREFIX = "streamrnn."

LABEL = "label"
"""Option of every kind: the column that the model predicts from the others, or of a detector the one with feedback on events."""

FEEDBACK_MEMORY, MOST_REMEMBERED = "feedback_memory", 100_000
"""Option of a kind that takes feedback: events of a key that are remembered for feedback that comes later; and the most there may be."""

SHARE = "share"
"""Option of every kind: whether the keys of a partition share one net, each with a small state of its own, or have one each."""

NET, NONE = "net", "none"
"""What it may be."""

ELSEWHERE = {
    "key": "here [source] key names the column of keys. Leave it out.",
    "max_keys": "is an option of [state]; write it there.",
}
"""Parameters of our models that a run sets: why [model] has none of them."""

KEY = "key of the event"
"""What a shared net calls the key: no column of the input."""

WINDOW_OF_KEYS = 4
"""Events of exact gradient of a labelled model that many keys share: a key's part is a third of that of 16."""

TIME = "time"
"""Parameter of our models that names a column: the run brings the time to it."""

PIPELINE = "pipeline"
"""The kind whose ``steps`` are estimators by dotted name."""


@dataclass(frozen=True, slots=True)
class ModelRow:
    """What a run must know of one of our models.

    Parameters
    ----------
    predicts
        Whether it predicts a label, which it then needs.
    compile_cpu_s
        CPU seconds that compiling takes, measured on one core of 2024.
    least_rate
        The least rate that its own alarm rule holds; None: it has none, and its scores are ranked.
    takes_feedback
        Whether a label is feedback on events.
    takes_policy
        Whether it can be told which deviations matter.
    short
        Whether its window is short, without traces behind it, where many keys share the net and nothing else is said.

    Examples
    --------
    >>> from streamrnn.scorers.table import MODELS
    >>> MODELS["RNNRegressor"].predicts, MODELS["RNNRegressor"].least_rate
    (True, None)
    """

    predicts: bool
    compile_cpu_s: float
    least_rate: float | None = None
    takes_feedback: bool = False
    takes_policy: bool = False
    short: bool = False

    def with_keys(self, own: Mapping[str, Any]) -> dict[str, Any]:
        """Return its parameters, where many keys share the net.

        Parameters
        ----------
        own
            Those that the configuration states.

        Examples
        --------
        >>> from streamrnn.scorers.table import MODELS
        >>> MODELS["RNNRegressor"].with_keys({"seed": 3})
        {'window': 4, 'learning': 'tbptt', 'seed': 3}
        """
        stride = own.get("stride") or 0
        return {**({"window": max(WINDOW_OF_KEYS, 2 * stride), "learning": "tbptt"} if self.short else {}), **own}


MODELS = {
    DEFAULT_MODEL: ModelRow(
        predicts=False, compile_cpu_s=12.0, least_rate=1e-5, takes_feedback=True, takes_policy=True
    ),
    "RNNSupervisedAnomalyDetector": ModelRow(predicts=True, compile_cpu_s=13.0, least_rate=1e-5),
    "RNNRegressor": ModelRow(predicts=True, compile_cpu_s=10.0, short=True),
    "RNNClassifier": ModelRow(predicts=True, compile_cpu_s=10.0, short=True),
}
"""By name in ``streamrnn``. They can be written as snapshots."""


def short_name(name: str) -> str:
    """Return the name of one of our models without ``streamrnn.``, any other as it is.

    Parameters
    ----------
    name
        A kind.

    Examples
    --------
    >>> from streamrnn.scorers.table import short_name
    >>> short_name("streamrnn.RNNRegressor"), short_name("river.anomaly.HalfSpaceTrees")
    ('RNNRegressor', 'river.anomaly.HalfSpaceTrees')
    """
    return name.removeprefix(PREFIX) if name.removeprefix(PREFIX) in MODELS else name


def own_parameters(name: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameters of the model itself: without the options that the run reads.

    Parameters
    ----------
    name
        A kind, as :func:`short_name` gives it.
    parameters
        All of ``[model]`` but the kind.

    Examples
    --------
    >>> from streamrnn.scorers.table import own_parameters
    >>> own_parameters("RNNRegressor", {"label": "y", "seed": 3})
    {'seed': 3}
    """
    row = MODELS.get(name)
    ours = (LABEL, SHARE, FEEDBACK_MEMORY) if row is not None and row.takes_feedback else (LABEL, SHARE)
    return {one: value for one, value in parameters.items() if one not in ours}
