"""All scores of one stream: ours, ours without the nets, and each control."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from forecasting.engine import Model, follow, scores
from forecasting.models import Last, LeastSquares, Ours, River, Seasonal
from forecasting.streams import STREAMS, Stream

from streamrnn.kernels.forecast.experts.table import EXPERTS, NET_CODE

SEEDS = (0, 1, 2)
NO_NETS = tuple(name for name, row in EXPERTS.items() if row.code != NET_CODE)
SHORT = 3
NAIVE = ("last", "seasonal", "RLS 12", "RLS 48")
CONTROLS = (*NAIVE, "HoltWinters", "SNARIMAX")


def _controls(stream: Stream, horizon: int) -> Iterator[tuple[str, Callable[[], Model]]]:
    from river import time_series  # noqa: PLC0415

    C = stream.y.shape[1]
    yield "last", lambda: Last(C, horizon)
    if stream.period > 1:
        yield "seasonal", lambda: Seasonal(C, horizon, stream.period)
    yield "RLS 12", lambda: LeastSquares(C, horizon, 12)
    yield "RLS 48", lambda: LeastSquares(C, horizon, 48)
    season = {"gamma": 0.1, "seasonality": stream.period} if 1 < stream.period < 100 else {}
    yield "HoltWinters", lambda: River(C, horizon, lambda: time_series.HoltWinters(0.3, 0.1, **season))
    told = stream.known
    if horizon > SHORT:  # river's diverge there, at a cost beyond all others
        return
    yield "SNARIMAX", lambda: River(C, horizon, lambda: time_series.SNARIMAX(p=12, d=1, q=0), featured=told)


def measure(name: str, horizon: int, seed: int) -> dict[str, Any]:
    """Return all scores of one stream at one horizon for one seed: ours, without the nets, each control."""
    warnings.simplefilter("ignore", RuntimeWarning)  # controls that diverge
    stream = STREAMS[name](seed)
    kept, C = "mae" if stream.by_mae else "mse", stream.y.shape[1]
    model = Ours(C, horizon, seed)
    found: dict[str, Any] = {"ours": scores(stream, follow(model, stream, horizon))}
    weights = model.model.weights_with_xs_ if stream.known else model.model.weights_
    nets = [name for name, row in EXPERTS.items() if row.code == NET_CODE]
    by_channel = [weights] if C == 1 else list(weights.values())
    found["weight"] = float(np.mean([sum(one[name] for name in nets).mean() for one in by_channel]))
    found["bare"] = scores(stream, follow(Ours(C, horizon, seed, experts=NO_NETS), stream, horizon))[kept]
    if seed == SEEDS[0] or not stream.real:
        for label, make in _controls(stream, horizon):
            found[label] = scores(stream, follow(make(), stream, horizon))[kept]
    return found
