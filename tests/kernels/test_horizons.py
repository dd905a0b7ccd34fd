"""Forecasts two and eight steps ahead against recursive least squares on whole matrices."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.anomaly import horizons, novelty
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net.words import DEPTH, ECHO_LAGS, ECHO_UNITS, LANES, RECENT, WATCH_WORDS

RNG = np.random.default_rng(11)
H = 6
SEEN = H + ECHO_LAGS + ECHO_UNITS + 1
PHI = -(-SEEN // LANES) * LANES
N = 400


def _run(w, head, rows, echo, x, hidden, unit, scratch, forecasts, phis):
    horizons.start(head, PHI)
    for n in range(x.size):
        w[novelty.RECENT_VALUES + n % RECENT] = x[n]
        w[novelty.SEEN] = n + 1.0
        line = n % DEPTH * PHI
        for j in range(H):
            rows[line + j] = hidden[n, j]
        horizons.write_features(w, rows, echo, PHI, H, x[n])
        horizons.learn(w, head, rows, PHI, scratch)
        horizons.forecast(w, head, rows, PHI, unit[n], False)
        for j in range(PHI):
            phis[n, j] = rows[line + j]
        forecasts[n, 0] = w[novelty.FORECAST_RINGS + n % DEPTH]
        forecasts[n, 1] = w[novelty.FORECAST_RINGS + DEPTH + n % DEPTH]


run = entry(_run)


def played(x, unit):
    """Forecasts (n, 2) and the regressors (n, phi) of each event; the hidden state is given."""
    n = len(x)
    hidden, echo = RNG.normal(size=(n, H)).astype(np.float32), RNG.normal(size=2 * ECHO_UNITS).astype(np.float32)
    head = np.zeros((PHI + LANES) * PHI // 2 + 2 * PHI)
    forecasts, phis, rows = np.zeros((n, 2)), np.zeros((n, PHI)), np.zeros(DEPTH * PHI, np.float32)
    run(np.zeros(WATCH_WORDS), head, rows, echo, x, hidden, unit, np.zeros(3 * PHI), forecasts, phis)
    return forecasts, phis, hidden, echo


def defined(x, unit, phis):
    """The same from a whole P and the formulas of Ljung and Soderstrom."""
    P, w, scale = 0.1 * np.eye(PHI), np.zeros((2, PHI)), np.zeros(2)
    found = np.zeros((len(x), 2))
    for n in range(len(x)):
        u = n - 8
        if u >= 10:
            phi = phis[u]
            g = P @ phi
            forget = 0.999 if np.trace(P) < 0.1 * PHI else 1.0
            gain = g / (forget + phi @ g)
            P = (P - np.outer(gain, g)) / forget
            for k, ahead in enumerate((2, 8)):
                e = np.clip((x[u + ahead] - x[u]) / unit[u], -8, 8) - w[k] @ phi
                limited = np.clip(e, -3 * np.sqrt(scale[k]), 3 * np.sqrt(scale[k])) if u > 20 else e
                square = min(e * e, 64 * scale[k]) if u > 20 else e * e
                scale[k] += max(1e-3, 1 / (u + 1)) * (square - scale[k])
                w[k] += gain * limited
        found[n] = x[n] + np.clip(w @ phis[n], -8, 8) * unit[n]
    return found


STREAMS = {
    "wave": np.sin(np.arange(N) / 4.0),
    "noise": RNG.normal(size=N),
    "jumps": np.where(RNG.random(N) < 0.02, 30.0, 0.0) + RNG.normal(size=N),
}


@pytest.mark.parametrize("name", STREAMS)
def test_forecasts_are_those_of_least_squares(name):
    """Both horizons, over four hundred events: the packed half of P does what the whole one does."""
    x, unit = STREAMS[name], np.exp(RNG.normal(0.0, 0.1, N))

    forecasts, phis, _, _ = played(x, unit)

    np.testing.assert_allclose(forecasts, defined(x, unit, phis), rtol=1e-6, atol=1e-6)


def test_the_regressors_are_hidden_state_last_values_and_units():
    """In this order: H of the net, twenty last values, forty units of one of them each, 1, zeros."""
    x = STREAMS["noise"]

    _, phis, hidden, echo = played(x, np.ones(N))

    lags = np.array([[x[max(n - i, 0)] for i in range(ECHO_LAGS)] for n in range(N)])
    exact = np.tanh(np.tile(lags, 2) * echo[:ECHO_UNITS] + echo[ECHO_UNITS:])
    np.testing.assert_array_equal(phis[:, :H], hidden)
    np.testing.assert_allclose(phis[30:, H : H + ECHO_LAGS], lags[30:], rtol=1e-6)
    np.testing.assert_allclose(phis[30:, H + ECHO_LAGS : SEEN - 1], exact[30:], atol=1e-6)
    assert (phis[:, SEEN - 1] == 1.0).all()
    assert not phis[:, SEEN:].any()


def test_a_wave_is_foreseen():
    """Of a wave the head knows, after some hundred events, nearly all that persistence does not."""
    x = STREAMS["wave"]

    forecasts, _, _, _ = played(x, np.ones(N))

    for k, ahead in enumerate((2, 8)):
        errors = x[300:] - forecasts[300 - ahead : N - ahead, k]
        changes = x[300:] - x[300 - ahead : N - ahead]
        assert np.square(errors).mean() < 0.01 * np.square(changes).mean()
