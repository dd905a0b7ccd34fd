"""Compiles what a run needs before the run begins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from streamrnn.config import Forecast
from streamrnn.engine.shard import Shard
from streamrnn.io import Block
from streamrnn.scorers.forecast import forecast_block, new_forecaster
from streamrnn.scorers.kinds import ModelKind
from streamrnn.scorers.table import LABEL, MODELS

__all__ = ["expected_cpu_s", "warm_columns", "warm_up"]

FORECASTER_CPU_S = 15.0
"""CPU seconds that compiling a forecaster takes, measured on one core of 2024."""

OTHER_CPU_S = 10.0
"""The same of a net that is not in the table of models: as long as a regressor."""

UNSET_WINDOW = 16
"""Events of a window that a net chooses itself, at most."""


def expected_cpu_s(kind: ModelKind, forecast: Forecast | None = None) -> float:
    """Return about how many CPU seconds compiling takes where nothing is in the cache.

    Parameters
    ----------
    kind
        The model.
    forecast
        What is forecast beside.

    Examples
    --------
    >>> from streamrnn.config import Forecast
    >>> from streamrnn.scorers.kinds import model_kind
    >>> from streamrnn.engine.warmup import expected_cpu_s
    >>> kind = model_kind("RNNAnomalyDetector", {})
    >>> expected_cpu_s(kind) < expected_cpu_s(kind, Forecast(horizon=3))
    True
    """
    names = {kind.name} if kind.numerics else {type(net).__name__ for net in kind.nets}
    model_s = sum(MODELS[name].compile_cpu_s if name in MODELS else OTHER_CPU_S for name in names)
    return model_s + (FORECASTER_CPU_S if forecast is not None and forecast.horizon else 0.0)


def warm_up(kind: ModelKind, forecast: Forecast | None = None, tell: Callable[[], None] = lambda: None) -> None:
    """Have a throw-away model score, learn and be written, so that all it compiles is compiled and on disk.

    Models that are not ours are left alone, but for the nets that are part of them and the forecaster beside them: what they make of
    features that they do not know is their own affair.

    Parameters
    ----------
    kind
        The model.
    forecast
        What is forecast beside.
    tell
        Called before something is compiled, which takes from seconds to a minute; not called where all is on disk.

    Examples
    --------
    >>> from river.anomaly import HalfSpaceTrees
    >>> from streamrnn.scorers.kinds import ModelKind
    >>> from streamrnn.engine.warmup import warm_up
    >>> warm_up(ModelKind("HalfSpaceTrees", {}, HalfSpaceTrees))
    """
    wanted = forecast is not None and forecast.horizon > 0
    if not (kind.numerics or kind.nets or wanted):
        return
    from streamrnn.models._numerics import watch_compilation  # noqa: PLC0415  (numba)

    with watch_compilation(tell):
        if kind.numerics:
            _warm_shard(kind, forecast)
        for net in kind.nets:
            _warm_net(net)
        if forecast is not None and wanted and not kind.numerics:
            forecast_block(new_forecaster(forecast, kind.time), forecast, ("a",), np.zeros((2, 1)), np.zeros(2))


def warm_columns() -> None:
    """Have the code compiled that makes columns of records, and lines of results: whatever of it a run may use.

    Examples
    --------
    >>> from streamrnn.engine.warmup import warm_columns
    >>> warm_columns()
    """
    from streamrnn.columns import compiled  # noqa: PLC0415  (numba)

    if compiled.INTERPRETED:
        return
    from streamrnn.columns.csv_columns import CsvColumns  # noqa: PLC0415
    from streamrnn.columns.json_columns import JsonColumns  # noqa: PLC0415
    from streamrnn.columns.json_plan import plan_of  # noqa: PLC0415
    from streamrnn.columns.json_write import Row  # noqa: PLC0415

    record, place = bytearray(b"{}"), np.array([[0, 2]])
    plan = plan_of(["a"], [])
    if plan is not None:
        JsonColumns(plan, 1, [], 1, 9)(record, place)
    CsvColumns(1, {0: "."}, [], ",", True, 1, 9)(record, place)
    Row(1).lines()


def _warm_shard(kind: ModelKind, forecast: Forecast | None) -> None:
    names = (str(kind.parameters.get(LABEL, "a")), "b")
    values, times = np.linspace(0.0, 1.0, 128).reshape(64, 2), range(64)
    block = Block(names, values, range(64), 64, times=times, time_name=kind.time)
    shard, again = (Shard(kind, max_keys=1, forecast=forecast) for _ in range(2))
    shard.score(block)
    again.restore(shard.snapshot())


def _warm_net(net: Any) -> None:
    """Have a copy of a net take in a few events: whatever its kind of label is, numbers are one."""
    model = net.clone()
    for i in range(2 * (getattr(model, "window", 1) or UNSET_WINDOW)):
        if hasattr(model, "predict_one"):
            model.predict_one({"a": i % 3 / 3})
            model.learn_one({"a": i % 3 / 3}, float(i % 2))
        else:
            model.learn_one({"a": i % 3 / 3})
            (model.score_one if hasattr(model, "score_one") else model.transform_one)({"a": 0.5})
