"""How much of the full gradient a window sees: cosine to backpropagation through the whole stream.

``python benchmarks/cosine.py`` draws ``docs/cosine.png``. An LSTM of 16 units, initialised as always, runs over 240
random events; the error of the last one is sent back through windows of 1 to 128 events, with and without carried
traces. Mean over 40 nets and streams, weights of the recurrence, inputs and biases alike.
"""

from __future__ import annotations

from pathlib import Path

import matplotlib as mpl
import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Sizes
from streamrnn.kernels.net.supervised import LEARN, supervised
from streamrnn.models._net import Net

mpl.use("Agg")
from matplotlib import pyplot as plt

EVENTS, INPUTS, HIDDEN, NETS = 240, 3, 16, 40
WINDOWS = (1, 2, 4, 8, 16, 32, 64, 128)
PICTURE = Path(__file__).parent.parent / "docs" / "cosine.png"


def gradient(seed: int, window: int, *, traces: bool) -> NDArray[np.float64]:
    """Return the gradient of the last event's error: what one step of gradient descent with rate 1 subtracts."""
    rng = np.random.default_rng(seed)
    stride = window if window == EVENTS else 1
    net = Net(
        Sizes("lstm", 0, HIDDEN, 0, window=window, stride=stride, traces=traces), seed, optimizer="sgd",
        settings={"lr": 1.0}, normalize_inputs=False, normalize_targets=False, pull=0.0,
    )  # fmt: skip
    net.grow([f"input {i}" for i in range(INPUTS)], outputs=1)
    net.array("head")[:, :HIDDEN] = rng.normal(0.0, 1.0, HIDDEN)
    rows = np.full((EVENTS, INPUTS + 2), np.nan)
    rows[:, :INPUTS] = rng.normal(size=(EVENTS, INPUTS))
    rows[-1, INPUTS] = 3.0
    before = net.array("layer0.weights").astype(np.float64)
    supervised("lstm", HIDDEN)(net.slab, rows.reshape(-1), EVENTS, LEARN)
    if int(net.header[at.UPDATES]) != 1:
        raise RuntimeError("The last event must bring the only update.")
    return (before - net.array("layer0.weights")).ravel()


def cosine(window: int, *, traces: bool) -> float:
    """Return the mean cosine to the full gradient."""
    found = []
    for seed in range(NETS):
        a, b = gradient(seed, window, traces=traces), gradient(seed, EVENTS, traces=False)
        found.append(a @ b / np.sqrt(a @ a * (b @ b)))
    return float(np.mean(found))


def main() -> None:
    """Print the table and draw the figure."""
    plain = [cosine(window, traces=False) for window in WINDOWS]
    carried = [cosine(window, traces=True) for window in WINDOWS]
    print("| window | plain `tbptt` | `traces` |\n|---|---|---|")
    for window, a, b in zip(WINDOWS, plain, carried, strict=True):
        print(f"| {window} | {a:.3f} | {b:.3f} |")
    figure, ax = plt.subplots(figsize=(6.4, 3.6), layout="constrained")
    ax.plot(WINDOWS, carried, "o-", color="#c2262e", linewidth=2.4, label="with carried traces")
    ax.plot(WINDOWS, plain, "o-", color="#e08a1e", label="plain truncated backpropagation")
    ax.set_xscale("log", base=2)
    ax.set_xticks(WINDOWS, [str(window) for window in WINDOWS])
    ax.set_xlabel("window, events")
    ax.set_ylabel("cosine to the full gradient")
    ax.grid(visible=True, alpha=0.25)
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False, loc="lower right")
    figure.savefig(PICTURE, dpi=130)


if __name__ == "__main__":
    main()
