"""What forecasts are held to: a minimum that no band goes below, and limits that a forecast may reach."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn import RNNForecaster, dumps, loads

LINEAR = ("last", "rls_short")
STEPS = 3


def fed(values, **params):
    model = RNNForecaster(horizon=STEPS, experts=LINEAR, **params)
    model.learn_many(values)
    return model


def counts(n=400, mean=1.0):
    return np.random.default_rng(3).poisson(mean, n).astype(float)


def lowest(model):
    return min(low for low, _ in model.forecast_interval(STEPS, 0.98)), min(
        min(step.values()) for step in model.forecast_quantiles(STEPS)
    )


def test_bands_of_counts_end_at_zero():
    """Whole numbers from 0 on so far: no interval and no quantile goes below 0; the forecast is that without a minimum, to the bit."""
    found, free = fed(counts()), fed(counts(), minimum=None)

    assert min(lowest(free)) < 0.0
    assert lowest(found) == (0.0, 0.0)
    assert found.forecast(5) == free.forecast(5)
    assert [high for _, high in found.forecast_interval(5)] == [high for _, high in free.forecast_interval(5)]
    assert lowest(loads(dumps(found))) == (0.0, 0.0)


@pytest.mark.parametrize("odd", [-1.0, 0.5])
def test_one_value_that_is_no_count_ends_it(odd):
    found = fed([*counts(), odd, *counts()])

    assert min(lowest(found)) < 0.0
    assert min(lowest(loads(dumps(found)))) < 0.0


def test_each_channel_has_its_own():
    model = fed(np.column_stack([counts(), counts() - 1.0]))
    bands = model.forecast_interval(STEPS, 0.98)

    assert min(band[0][0] for band in bands) == 0.0
    assert min(band[1][0] for band in bands) < -1.0


def test_a_minimum_that_is_given_holds_for_all():
    """Also where values lie below it: it is the user's word."""
    found = fed(counts() - 1.0, minimum=-0.5)

    assert lowest(found) == (-0.5, -0.5)
    assert found.forecast(STEPS) == fed(counts() - 1.0).forecast(STEPS)
