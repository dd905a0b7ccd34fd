"""What an event does to a mixture, against the formulas in plain NumPy: weights, spread and quantiles of the errors."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.compile import entry
from streamrnn.kernels.conformal import LEVELS, OVERLAP, STEP
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.aggregation import LEAST_SCALE, REGRET_FORGET
from streamrnn.kernels.forecast.pending import find_pending
from streamrnn.kernels.forecast.state import Shape, StateLayout
from streamrnn.kernels.forecast.verify import verify
from streamrnn.kernels.net.areas import views

C, H, E, N = 2, 3, 3, 260
LAST = 2.0  # the value behind which all forecasts were made


def _run(slab, rows, experts, mixed, contexts, base):
    hd, f, d = views(slab)
    n = C * H
    for i in range(C * (H + 1)):
        d[hd[at.BASE] + i] = LAST
    for t in range(rows.shape[0]):
        rings = find_pending(hd, t)
        for i in range(experts.shape[1]):
            f[hd[at.EXPERT_FORECASTS] + i // H * rings + hd[hd[at.PENDING_AT] + i % H]] = experts[t, i]
        for i in range(n):
            f[hd[base + at.MIXED_FORECASTS] + i // H * rings + hd[hd[at.PENDING_AT] + i % H]] = mixed[t, i]
        for i in range(C * (H + 1)):
            d[hd[at.CONTEXT] + i] = contexts[t, i]
        verify(hd, d, rows[t], t, base)


run = entry(_run)


class Twin:
    """One mixture: R, V, B and weights for each context, expert, channel and step; errors and quantiles for each of the latter."""

    def __init__(self, prior, level):
        self.prior, self.level = prior, level
        self.R, self.V, self.B = np.zeros((3, 2, len(prior), C, H))
        self.w = np.broadcast_to(prior[:, None, None], (2, len(prior), C, H)).copy()
        self.mean, self.count = np.zeros((2, C, H))
        self.quantiles = np.zeros((len(LEVELS), C, H))

    def weigh(self, place, f, p, g, limit):
        """Bernstein online aggregation (Wintenberger, 2017) of one lane."""
        r = np.clip(g * (p - f), -limit, limit)
        forget = 1 - (1 - REGRET_FORGET) / (1 + place[-1] / OVERLAP)  # of far steps slower: their errors overlap
        self.B[place] = B = np.maximum(self.B[place] * forget, abs(r))
        self.V[place] = V = self.V[place] * forget + r * r
        if not V.max() > 0:
            self.w[place] = self.prior
            return
        # one that hardly differed from the mixture has no scale of its own
        B, V = np.maximum(B, LEAST_SCALE * B.max()), np.maximum(V, LEAST_SCALE**2 * V.max())
        eta = np.minimum(0.5 / B, np.sqrt(np.log(len(f)) / V))
        self.R[place] = R = self.R[place] * forget + r - eta * r * r
        weights = self.prior * eta * np.exp(eta * R - (eta * R).max())
        self.w[place] = weights / weights.sum()

    def event(self, y, f, mixed, context):
        """Judge f (E, C, H) and the mixture's forecasts (C, H) for y (C), made in these contexts (C, H)."""
        for c, h in np.ndindex(C, H):
            e, n = mixed[c, h] - y[c], self.count[c, h]
            if not np.isfinite(e):
                continue
            rms = np.sqrt(self.mean[c, h]) if n > 0 else abs(e)
            most = 3 * rms if n > 5 else np.inf
            g = np.clip(e, -most, most)
            if self.level:
                g = 2 * rms * ((e > 0) - self.level) * (e != 0)
            limit = 4 * most * abs(g) if n > 5 else np.inf
            self.weigh((context[c, h], slice(None), c, h), f[:, c, h], mixed[c, h], g, limit)
            pace = max(1 / (1 + h / 12), 1 / (1 + n / 1000))
            for i, level in enumerate(LEVELS):
                if n > 0 and rms > 0:
                    self.quantiles[i, c, h] += pace * STEP * (level - (-e / rms <= self.quantiles[i, c, h]))
                elif n == 0:
                    self.quantiles[i, c, h] = self.start[i]
            square = min(e * e, 64 * self.mean[c, h]) if n + 1 > 10 and self.mean[c, h] > 0 else e * e
            self.mean[c, h] += max(1e-3, 1 / (n + 1)) * (square - self.mean[c, h])
            self.count[c, h] = n + 1

    start = (-2.5758, -1.96, -1.6449, -1.2816, -1.0364, -0.8416, -0.5244, -0.2533, 0.0)
    start = (*start, *(-v for v in start[-2::-1]))


def judged(prior, informed=False, level=0.0):
    """A blank forecast state after N events with random forecasts, and the twin after the same."""
    rng = np.random.default_rng(13)  # of each call: whichever test runs first, the draws are the same
    features = 1 if informed else 0
    codes, arx = (0,) * (E - informed), 2 if informed else 0
    layout = StateLayout(Shape(C, features, H, 0, codes, (), arx=arx))
    slab, base, name = layout.allocate(), at.INFORMED if informed else at.PLAIN, "informed." if informed else ""
    layout.view(slab, f"{name}prior")[:] = prior
    slab.view(float)[at.LOSS_LEVEL] = level
    layout.view(slab, f"{name}weights")[:] = prior[:, None, None]
    y = rng.normal(size=(N, C)) * np.array([1.0, 20.0])
    y[rng.random(y.shape) < 0.1] = np.nan
    y[N // 2] = 1e6
    experts = (
        np.nan_to_num(y)[:, None, :, None] + rng.normal(size=(N, E, C, H)) * np.array([0.5, 1.0, 3.0])[:, None, None]
    )
    experts[:60, :, 1, 1] = experts[:60, :1, 1, 1]  # they agree
    experts = experts.astype(np.float32).astype(float)  # as they are kept
    mixed = experts.mean(axis=1).astype(np.float32).astype(float)
    mixed[rng.random(mixed.shape) < 0.05] = np.nan  # nothing was forecast
    rings = rng.choice([0.0, 1.0], (N, C, H + 1), p=[0.8, 0.2])
    origins = (np.arange(N)[:, None] - 1 - np.arange(H)) % (H + 1)
    contexts = np.take_along_axis(rings, np.broadcast_to(origins[:, None], (N, C, H)), axis=2).astype(int)
    if informed:  # the last expert's part is added with the weight it had
        shares = layout.view(slab, "informed.share")
        shares[:] = 0.25
        kept = (mixed - 0.25 * experts[:, -1]).astype(np.float32)
        mixed = kept + 0.25 * experts[:, -1]
    run(
        slab, y + LAST, experts.reshape(N, -1), (kept if informed else mixed).reshape(N, -1), rings.reshape(N, -1), base
    )
    twin = Twin(prior, level)
    for event in zip(y, experts, mixed, contexts, strict=True):
        twin.event(*event)
    return {part: layout.view(slab, name + part) for part in ("weights", "error", "errors", "quantiles")}, twin


@pytest.mark.parametrize(
    ("informed", "level"), [(False, 0.0), (True, 0.0), (False, 0.5), (False, 0.9)],
    ids=["plain", "with known features", "for a median", "for a quantile"],
)  # fmt: skip
def test_verification_is_its_definition(informed, level):
    """Missing values, missing forecasts, an outlier, experts that agree, two contexts: all lanes as the formulas say."""
    found, twin = judged(np.array([0.5, 0.25, 0.25]), informed, level)

    np.testing.assert_array_equal(found["errors"], twin.count)
    np.testing.assert_allclose(found["error"], twin.mean, rtol=1e-9)
    np.testing.assert_allclose(found["weights"], twin.w, rtol=3e-3, atol=1e-6)  # float32, behind an outlier of 1e6
    np.testing.assert_allclose(found["quantiles"], twin.quantiles, atol=1e-4)  # float32
    assert twin.w[0, 0].min() > twin.w[0, 2].max()  # the better expert counts more
