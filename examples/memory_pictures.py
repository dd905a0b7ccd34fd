"""What memory and unending learning are good for, as three pictures.

``python examples/memory_pictures.py [folder]`` draws

- ``frozen.png``: a net frozen after a while, and one that goes on learning, on a stream that changes;
- ``shuffled.png``: the same events, in order and shuffled;
- ``message.png``: a message spread redundantly over a noisy stream, read with memory and without.
"""

from __future__ import annotations

import sys
from math import erf, sqrt
from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from streamrnn import RNNRegressor

mpl.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.axes import Axes

Floats = NDArray[np.float64]
RED, GREY = "#c2262e", "#9a9a9a"


def smooth(values: Floats, n: int) -> Floats:
    """Return the mean of the last n values, from the n-th on."""
    return np.convolve(values, np.full(n, 1.0 / n), mode="valid")


def save(ax: Axes, path: Path) -> None:
    """Finish a picture and write it."""
    ax.grid(visible=True, alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    plt.savefig(path, dpi=120)
    plt.close()
    print(f"picture: {path}")


def net(cell: str = "lstm") -> RNNRegressor:
    """Return a net that sees nothing but the features: told the last target, as by default, it would read a bit that is sent again off it."""
    return RNNRegressor(cell, seed=1, autoregressive=False)


def axes(title: str) -> Axes:
    """Return an empty picture."""
    _, ax = plt.subplots(figsize=(8, 3.4), layout="constrained")
    ax.set_title(title)
    return ax


def frozen(path: Path) -> None:
    """The target is the value two events ago; from one event on its negative, later that of four events ago."""
    n, changes, freeze = 40_000, (15_000, 25_000), 10_000
    x = np.random.default_rng(1).uniform(-1.0, 1.0, n)
    y = np.where(np.arange(n) < changes[0], np.roll(x, 2), -np.roll(x, 2))
    y[changes[1] :] = np.roll(x, 4)[changes[1] :]
    ax = axes("A stream that changes twice")
    for label, stops, colour in (("frozen", True, GREY), ("goes on learning", False, RED)):
        model = net()
        given = [model.progressive_many(x[:freeze, np.newaxis], y[:freeze])]
        if stops:
            model.freeze()  # the state still moves on
        given.append(model.progressive_many(x[freeze:, np.newaxis], y[freeze:]))
        error = smooth(np.abs(np.concatenate(given) - y), 500)
        ax.plot(np.arange(499, n), error, color=colour, label=label)
    for change in changes:
        ax.axvline(change, color="black", linewidth=0.8, linestyle=":")
    ax.axvline(freeze, color=GREY, linewidth=0.8, linestyle="--")
    ax.text(freeze, ax.get_ylim()[1] * 0.9, " frozen here", color="#666666")
    ax.set_xlabel("events seen (dotted: the rule changes)")
    ax.set_ylabel("mean absolute error, last 500")
    ax.set_ylim(bottom=0)
    save(ax, path)


def mackey_glass(n: int) -> Floats:
    """Return the Mackey-Glass series with delay 17, a value every 6 time units, by Euler steps of 0.1."""
    steps, delay = 60, 170
    values = np.full(n * steps + delay, 1.2)
    for t in range(delay, len(values) - 1):
        late = values[t - delay]
        values[t + 1] = values[t] + 0.1 * (0.2 * late / (1.0 + late**10) - 0.1 * values[t])
    return values[delay::steps][:n]


def shuffled(path: Path) -> None:
    """Pairs of a chaotic series' value and the next one, as they came and in any order."""
    n = 20_000
    series = mackey_glass(n + 1)
    x, y = series[:-1], series[1:]
    mixed = np.random.default_rng(1).permutation(n)
    ax = axes("The same 20,000 events: a value, and the next one as target")
    for label, order, colour in (("shuffled", mixed, GREY), ("in order", np.arange(n), RED)):
        given = net().progressive_many(x[order, np.newaxis], y[order])
        ax.plot(np.arange(499, n), smooth(np.abs(given - y[order]), 500), color=colour, label=label)
    ax.set_yscale("log")
    ax.set_xlabel("events seen")
    ax.set_ylabel("mean absolute error, last 500")
    save(ax, path)


def message(path: Path) -> None:
    """Each bit is sent 20 times under noise twice as strong; who adds up reads it. It is told when all of it has come: learned from before, it is no secret."""
    length, noise, n = 20, 2.0, 6000
    rng = np.random.default_rng(1)
    bits = np.repeat(rng.integers(0, 2, n) * 2.0 - 1.0, length)
    begins = np.tile(np.arange(length) == 0, n)
    X = np.column_stack([bits + noise * rng.standard_normal(len(bits)), begins])
    told = np.where(np.tile(np.arange(length) == length - 1, n), bits, np.nan)
    ax = axes("A bit is sent 20 times in a row, each time under noise of twice its strength")
    places = np.arange(1, length + 1)
    best = [50 * (1 + erf(sqrt(k) / noise / sqrt(2))) for k in places]
    ax.plot(places, best, color="black", linestyle=":", label="the best that is possible")
    for label, cell, colour in (("LSTM", "lstm", RED), ("no memory", "dense", GREY)):
        given = net(cell).progressive_many(X, told)
        right = (np.sign(given) == bits).reshape(n, length)[n // 2 :]
        ax.plot(places, 100 * right.mean(axis=0), color=colour, marker="o", markersize=3, label=label)
    ax.set_xlabel("events of the message seen")
    ax.set_ylabel("read right, %")
    ax.xaxis.set_major_locator(mpl.ticker.MaxNLocator(integer=True))
    save(ax, path)


def main(folder: Path) -> None:
    """Draw all three."""
    folder.mkdir(parents=True, exist_ok=True)
    frozen(folder / "frozen.png")
    shuffled(folder / "shuffled.png")
    message(folder / "message.png")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "."))
