"""Who remembers how far? Four nets on one stream whose answer lies 10, 100 and 1000 events back, as one picture.

A value of -1 or +1 comes at every event; one in a while is flagged, and asked for LAG events later. Everything between is
a distraction. ``python examples/memory.py [picture.png]`` shows each net the same events, once, in order, and draws
how many of the last 100 answers were right. Less than two minutes; the stream never stops and no state is reset.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray
from rich.progress import Progress

from streamrnn import RNNRegressor

mpl.use("Agg")
from matplotlib import pyplot as plt

NETS = {
    "feed-forward": ("dense", "tbptt", "#9a9a9a"),
    "Elman": ("elman", "tbptt", "#4c8eda"),
    "LSTM, error cut after 64 events": ("lstm", "tbptt", "#e08a1e"),
    "LSTM with carried traces": ("lstm", "traces", "#c2262e"),
}
EVENTS = {10: 60_000, 100: 300_000, 1000: 1_500_000}
THICK = "LSTM with carried traces"  # drawn below the others: where two nets are right, both are seen
BLOCK = 20_000


def stream(lag: int, n: int, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return n events (value, flag, question) and the answers, NaN where nothing is asked."""
    rng = np.random.default_rng(seed)
    X = np.zeros((n, 3))
    X[:, 0] = rng.integers(0, 2, n) * 2.0 - 1.0
    trials = lag + 1 + rng.integers(0, lag // 10 + 1, n // (lag + 1))
    flags = np.cumsum(trials) - trials
    flags = flags[flags + lag < n]
    X[flags, 1] = X[flags + lag, 2] = 1.0
    y = np.full(n, np.nan)
    y[flags + lag] = X[flags, 0]
    return X, y


def answers(cell: str, learning: str, X: NDArray[np.float64], y: NDArray[np.float64]) -> Iterator[NDArray[np.float64]]:
    """Show one net the stream, block by block; yield its answers, each given before it was told."""
    model = RNNRegressor(cell, hidden_size=32, window=64, learning=learning, autoregressive=False, seed=1)
    for start in range(0, len(X), BLOCK):
        yield np.asarray(model.progressive_many(X[start : start + BLOCK], y[start : start + BLOCK]))


def main(path: Path) -> None:
    """Run all nets on all lags; draw the picture."""
    figure, axes = plt.subplots(1, 3, figsize=(11, 3.6), sharey=True, layout="constrained")
    with Progress() as progress:
        task = progress.add_task("four nets, three lags", total=len(NETS) * sum(EVENTS.values()))
        for ax, (lag, n) in zip(axes, EVENTS.items(), strict=True):
            X, y = stream(lag, n, seed=3)
            asked = np.flatnonzero(~np.isnan(y))
            for label, (cell, learning, colour) in NETS.items():
                given = []
                for block in answers(cell, learning, X, y):
                    given.append(block)
                    progress.advance(task, len(block))
                right = np.sign(np.concatenate(given)[asked]) == y[asked]
                ax.plot(
                    asked[99:],
                    np.convolve(right, np.ones(100), mode="valid"),
                    color=colour,
                    label=label,
                    linewidth=4.0 if label == THICK else 1.3,
                    zorder=1 if label == THICK else 2,
                )
            ax.set_title(f"the answer lies {lag} events back")
            ax.set_xlabel("events seen")
            ax.set_xlim(0, n)
            ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(4))
            ax.xaxis.set_major_formatter(lambda v, _: f"{v / 1000:g}k" if v < 1e6 else f"{v / 1e6:g}M")
            ax.axhline(50, color="black", linewidth=0.8, linestyle=":")
            ax.grid(visible=True, alpha=0.25)
            ax.spines[["top", "right"]].set_visible(False)
    axes[0].set_ylabel("right answers, % of the last 100")
    axes[0].set_ylim(30, 102)
    axes[0].text(EVENTS[10], 31, "dotted: guessing", ha="right", va="bottom", fontsize=8)
    figure.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    figure.savefig(path, dpi=130)
    print(f"picture: {path}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "memory.png"))
