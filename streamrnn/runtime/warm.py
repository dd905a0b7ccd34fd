"""Compiles what a run needs before the run begins."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from streamrnn.config import Forecast
from streamrnn.io import Block
from streamrnn.runtime.models import LABEL, ModelKind
from streamrnn.runtime.shard import Shard

__all__ = ["warm_up"]


def warm_up(kind: ModelKind, forecast: Forecast | None = None, tell: Callable[[], None] = lambda: None) -> None:
    """Have a throw-away model score, learn and be written, so that all it compiles is compiled and on disk.

    Models that are not ours are left alone: what they make of features that they do not know is their own affair.

    Parameters
    ----------
    kind
        The model.
    forecast
        What is forecast beside.
    tell
        Called before the first function is compiled, which takes from seconds to a minute; not called where all is on disk.

    Examples
    --------
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.runtime.models import ModelKind
    >>> from streamrnn.runtime.warm import warm_up
    >>> warm_up(ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees))
    """
    if not kind.numerics:
        return
    from streamrnn.models.numerics import told_of_compiling  # noqa: PLC0415  (numba)

    names = (str(kind.parameters.get(LABEL, "a")), "b")
    block = Block(names, np.linspace(0.0, 1.0, 128).reshape(64, 2), range(64), 64, times=range(64))
    shard, again = (Shard(kind, max_keys=1, forecast=forecast) for _ in range(2))
    with told_of_compiling(tell):
        shard.score(block)
        again.restore(shard.snapshot())
