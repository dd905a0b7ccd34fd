"""Ours, and the controls beside it."""

from __future__ import annotations

from typing import Any

import numpy as np
from forecasting.engine import LEVELS
from forecasting.streams import Array

from streamrnn import RNNForecaster


class Ours:
    """RNNForecaster, one configuration for all streams: its defaults."""

    def __init__(self, channels: int, horizon: int, seed: int, **params: Any) -> None:
        self.model = RNNForecaster(horizon=horizon, seed=seed, **params)
        self.horizon, self.channels = horizon, channels

    def learn(self, y: Array, x: Array) -> None:
        features = dict(enumerate(x.tolist())) or None
        self.model.learn_one(dict(enumerate(y.tolist())) if self.channels > 1 else y.item(), features)

    def forecast(self, xs: Array | None = None) -> Array:
        steps = self.model.forecast(self.horizon, _named(xs))
        if self.channels == 1:
            return np.array(steps)[:, None]
        if not isinstance(steps[0], dict):  # before the first event nobody knows that there will be channels
            return np.full((self.horizon, self.channels), np.nan)
        return np.array([[step.get(c, np.nan) for c in range(self.channels)] for step in steps])

    def bands(self, xs: Array | None = None) -> Array:
        steps = self.model.forecast_quantiles(self.horizon, LEVELS, _named(xs))
        if self.channels == 1:
            return np.array([[list(step.values())] for step in steps])
        return np.array([[list(step[c].values()) for c in range(self.channels)] for step in steps])


def _named(xs: Array | None) -> list[dict[Any, Any]] | None:
    return None if xs is None else [dict(enumerate(x)) for x in xs.tolist()]


class _Control:
    """A control remembers the values; it has no bands."""

    def __init__(self, channels: int, horizon: int) -> None:
        self.past: list[Array] = []
        self.horizon, self.channels = horizon, channels

    def learn(self, y: Array, x: Array) -> None:  # noqa: ARG002
        self.past.append(y)

    def bands(self, xs: Array | None = None) -> None:  # noqa: ARG002
        return None


class Last(_Control):
    """The last value."""

    def forecast(self, xs: Array | None = None) -> Array:  # noqa: ARG002
        return np.tile(self.past[-1] if self.past else np.zeros(self.channels), (self.horizon, 1))


class Seasonal(_Control):
    """The value of the same time last season, the season being given."""

    def __init__(self, channels: int, horizon: int, period: int) -> None:
        super().__init__(channels, horizon)
        self.period = period

    def forecast(self, xs: Array | None = None) -> Array:  # noqa: ARG002
        n = len(self.past)
        found = np.tile(self.past[-1] if n else np.zeros(self.channels), (self.horizon, 1))
        for h in range(self.horizon):
            back = (h // self.period + 1) * self.period
            if n + h - back >= 0:
                found[h] = self.past[n + h - back]
        return found


class LeastSquares(_Control):
    """Recursive least squares AR on differences, nothing forgotten, rolled on from its own forecasts."""

    def __init__(self, channels: int, horizon: int, lags: int, ridge: float = 10.0) -> None:
        super().__init__(channels, horizon)
        self.lags, self.ridge = lags, ridge
        self.P = np.zeros((channels, lags, lags))
        self.w = np.zeros((channels, lags))
        self.x = np.zeros((channels, lags))  # the newest change first

    def learn(self, y: Array, x: Array) -> None:
        if self.past:
            change = y - self.past[-1]
            for c in range(self.channels):
                if self.P[c, 0, 0] == 0.0 and change[c] != 0.0:
                    self.P[c] = np.eye(self.lags) / (self.ridge * change[c] ** 2)
            g = np.einsum("cij,cj->ci", self.P, self.x)
            share = 1.0 + (g * self.x).sum(axis=1)
            self.w += g * ((change - (self.w * self.x).sum(axis=1)) / share)[:, None]
            self.P -= g[:, :, None] * g[:, None, :] / share[:, None, None]
            self.P = 0.5 * (self.P + self.P.transpose(0, 2, 1))
            self.x = np.concatenate([change[:, None], self.x[:, :-1]], axis=1)
        super().learn(y, x)

    def forecast(self, xs: Array | None = None) -> Array:  # noqa: ARG002
        found = np.zeros((self.horizon, self.channels))
        if self.past:
            x, value = self.x, self.past[-1]
            for h in range(self.horizon):
                change = (self.w * x).sum(axis=1)
                value = value + change
                found[h] = value
                x = np.concatenate([change[:, None], x[:, :-1]], axis=1)
        return found


class River(_Control):
    """A forecaster of river, one for each channel; ``featured``: one that takes features, where they are known ahead."""

    def __init__(self, channels: int, horizon: int, make: Any, *, featured: bool = False) -> None:
        super().__init__(channels, horizon)
        self.models = [make() for _ in range(channels)]
        self.featured = featured

    def learn(self, y: Array, x: Array) -> None:
        super().learn(y, x)
        features = (dict(enumerate(x.tolist())),) if self.featured else ()
        for model, value in zip(self.models, y.tolist(), strict=True):
            model.learn_one(value, *features)

    def forecast(self, xs: Array | None = None) -> Array:
        found = np.zeros((self.horizon, self.channels))
        told = (_named(xs),) if self.featured else ()
        for c, model in enumerate(self.models):
            try:
                found[:, c] = model.forecast(self.horizon, *told)
            except (IndexError, OverflowError):  # before it has seen enough; after it has diverged
                found[:, c] = self.past[-1][c] if self.past else 0.0
        return found
