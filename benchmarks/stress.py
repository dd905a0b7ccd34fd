"""Ten million events of whatever goes wrong in practice: finite, bounded, and as good as before.

``python benchmarks/stress.py`` writes ``benchmarks/results/stress.md``. One stream of six features, all in one net of 16 LSTM
units with the detector's defaults, in blocks of 100,000 events:

- autoregressive: an AR(2);
- frozen: an AR(1) that stands still for 20,000 of every 100,000 events;
- heavy tails: Student's t with 2 degrees, autoregressive, and a spike of +-1e6 once in 10,000 events;
- tiny: an AR(1) of amplitude 1e-3 around 5;
- drifting: an AR(1) on an offset that has moved by 1e5 at the end;
- counter: from 1e9 on, by 1 or 2 an event.

After the first block all counts (events, updates, values seen) are set to 1e9, as after years.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
from machine import cpu
from numpy.typing import NDArray

from streamrnn.kernels.anomaly.detector import detector
from streamrnn.kernels.anomaly.views import LEARN, SCORE
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Sizes
from streamrnn.kernels.net.words import LANES
from streamrnn.models import _defaults as defaults
from streamrnn.models._net import Net

Array = NDArray[np.float64]
NAMES = ("autoregressive", "frozen", "heavy tails", "tiny", "drifting", "counter")
EVENTS, BLOCK, HIDDEN = 10_000_000, 100_000, 16
RESULTS = Path(__file__).parent / "results" / "stress.md"
PULLS = (0.0, 1e-6, 1e-5, 1e-4)


def autoregression(a: float, b: float, noise: Array, before: Array) -> Array:
    """Return x_t = a x_(t-1) + b x_(t-2) + noise_t."""
    x = np.empty(len(noise) + 2)
    x[:2] = before
    for t, e in enumerate(noise.tolist(), start=2):
        x[t] = a * x[t - 1] + b * x[t - 2] + e
    return x[2:]


class Stream:
    """The stream, block by block: the same for every setting."""

    def __init__(self) -> None:
        self.rng = np.random.default_rng(17)
        self.last = np.zeros((5, 2))
        self.done = 0
        self.count = 1e9

    def block(self) -> Array:
        """Return the next block, shape (BLOCK, 6)."""
        X = np.empty((BLOCK, len(NAMES)))
        for i, (a, b) in enumerate(((1.6, -0.8), (0.9, 0.0), (0.7, 0.0), (0.9, 0.0), (0.9, 0.0))):
            noise = self.rng.standard_t(2, BLOCK) if i == 2 else self.rng.normal(size=BLOCK)
            X[:, i] = autoregression(a, b, noise, self.last[i])
            self.last[i] = X[-2:, i]
        X[40_000:60_000, 1] = X[40_000, 1]
        spikes = self.rng.random(BLOCK) < 1e-4
        X[spikes, 2] = 1e6 * self.rng.choice([-1.0, 1.0], int(spikes.sum()))
        X[:, 3] = 5.0 + 1e-3 * X[:, 3]
        X[:, 4] += 1e5 / EVENTS * (self.done + np.arange(BLOCK))
        X[:, 5] = self.count + np.cumsum(self.rng.integers(1, 3, BLOCK))
        self.count = float(X[-1, 5])
        self.done += BLOCK
        return X


def age(net: Net) -> None:
    """Set all counts to 1e9."""
    net.header[[at.EVENTS, at.UPDATES, at.LEARNED]] = 10**9
    net.array("x_statistics").reshape(-1, 3, LANES)[:, 2] = 1e9
    net.array("y_count")[:] = 1e9


def errors(X: Array, expected: Array) -> Array:
    """Return each feature's mean absolute error over that of persistence, spikes left out (events without one near)."""
    quiet = (np.abs(X) < 1e5) | (np.arange(len(NAMES)) != 2)
    quiet &= np.roll(quiet, 1, axis=0)
    quiet[0] = False
    stay = np.abs(np.diff(X, axis=0, prepend=X[:1]))
    return np.array([
        np.abs(expected - X)[quiet[:, i], i].mean() / stay[quiet[:, i], i].mean() for i in range(len(NAMES))
    ])  # fmt: skip


def norm(net: Net) -> float:
    """Return the norm of all weights."""
    return float(np.sqrt(sum((net.array(name).astype(float) ** 2).sum() for name in ("layer0.weights", "head"))))


def run(pull: float) -> tuple[bool, float, Array, Array, int]:
    """Run the stream; return whether all was finite, growth of the norm, first and last errors, refused updates."""
    sizes = Sizes("lstm", 0, HIDDEN, 0, window=defaults.WINDOW, stride=defaults.STRIDE, traces=True)
    net = Net(sizes, defaults.SEED, pull=pull)
    net.grow([part for name in NAMES for part in (name, f"change of {name}")], outputs=len(NAMES))
    stream, entry, F = Stream(), detector("lstm", HIDDEN), len(NAMES)
    finite, found, norms = True, [], []
    for block in range(EVENTS // BLOCK):
        X = stream.block()
        rows = np.full((BLOCK, 2 * F + 1), np.nan)
        rows[:, :F] = X
        entry(net.slab, rows.reshape(-1), BLOCK, SCORE | LEARN)
        finite &= bool(np.isfinite(rows[1 if block == 0 else 0 :, F:]).all() and np.isfinite(norm(net)))
        found.append(errors(X[2:], rows[2:, F + 1 :]))
        norms.append(norm(net))
        if block == 0:
            age(net)
        print(f"\rpull {pull:g}: block {block + 1}, norm {norms[-1]:.1f}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    # the mean of five blocks at either end: one block's error is itself noisy by some per cent
    return finite, norms[-1] / norms[0], np.mean(found[:5], 0), np.mean(found[-5:], 0), int(net.header[at.REFUSED])


def main() -> None:
    """Run all settings; write the table."""
    lines = []
    for pull in PULLS:
        finite, growth, first, last, refused = run(pull)
        cells = " | ".join(f"{a:.3f} -> {b:.3f}" for a, b in zip(first, last, strict=True))
        name = f"{pull:g}{' (default)' if pull == defaults.PULL else ''}"
        lines.append(f"| {name} | {'yes' if finite else 'NO'} | {refused} | {growth:.2f} | {cells} |")
        print(lines[-1], flush=True)
    head = __doc__.split("``benchmarks/results/stress.md``. ")[1]
    text = f"""# Ten million events of stress

{head}
Error: mean absolute error of what was expected over that of persistence, mean of the first five blocks -> of the last five. Growth:
norm of all weights after the last block over that after the first. The settings differ in the pull towards the initial
weights, for each learned target (six an event here).

| pull | finite | refused updates | growth | {" | ".join(NAMES)} |
|---|---|---|---|{"---|" * len(NAMES)}
{chr(10).join(lines)}

`python benchmarks/stress.py`, on {cpu()}.
"""
    RESULTS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
