"""Make ``cells_numpy.npz`` beside this file with NumPy in float64: ``python -m tests.kernels.golden.make_numpy``. No framework.

The same arrays as those of ``make.py``, for cells that PyTorch does not have: from the reference step of each, with gradients as
difference quotients. A new cell is a name in ``CELLS``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from streamrnn.kernels.cells.table import CELLS as TABLE
from tests.kernels import reference

H, I, K, T, WINDOWS = 5, 3, 2, 6, 40
CELLS = ("peephole_lstm", "slstm")
EPS = 1e-3  # of Adam: a step of full size must not follow from a gradient that is 0 but for rounding, as that of sLSTM's input bias is


class Net:
    """One layer and a head as functions of flat weights (B, P)."""

    def __init__(self, name):
        self.cell, self.step = TABLE[name], reference.CELL[name]
        G = self.cell.gates * H
        self.shapes = {"U": (H if self.cell.recurrent else 0, G), "b": (G,), "V": (I, G)}
        if self.cell.own:
            self.shapes["p"] = (self.cell.own, G)
        self.shapes["h"] = (K, H + 1 + I)

    def parts(self, flat):
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes.values()])
        pieces = np.split(flat, ends[:-1], axis=1)
        return {
            name: piece.reshape(-1, *shape) for (name, shape), piece in zip(self.shapes.items(), pieces, strict=True)
        }

    def rest(self):
        several = (self.cell.states,) if self.cell.states > 1 else ()
        return np.zeros((1, H)), np.zeros((*several, 1, H))

    def run(self, flat, X, state):
        """Outputs (B, n, K) and the state after X, from one state (of a single copy) on."""
        part, B, G = self.parts(flat), len(flat), self.cell.gates
        h, c = (np.broadcast_to(one, (*one.shape[:-2], B, H)) for one in state)
        out = []
        for x in X:
            gates = (part["b"] + np.einsum("n,bng->bg", x, part["V"]), np.einsum("bn,bng->bg", h, part["U"]))
            wx, uh = (v.reshape(B, G, H).transpose(1, 0, 2) for v in gates)
            own = [part["p"].reshape(B, self.cell.own, G, H).transpose(1, 2, 0, 3)] if "p" in part else []
            h, c = self.step(wx, uh, h, c, *own)
            seen = np.concatenate([h, np.ones((B, 1)), np.broadcast_to(x, (B, I))], axis=1)
            out.append(np.einsum("bn,bkn->bk", seen, part["h"]))
        return np.stack(out, axis=1), (h, c)

    def gradient(self, flat, X, Y, state):
        """Derivatives of the mean squared error."""
        axes = 1e-6 * np.eye(flat.size)
        out, _ = self.run(np.concatenate([flat + axes, flat - axes]), X, state)
        up, down = np.split(((out - Y) ** 2).mean(axis=(1, 2)), 2)
        return (up - down) / 2e-6


def adam(flat, g, moments, t):
    """One step with lr = 0.01, beta_1 = 0.9, beta_2 = 0.99; eps stands inside the root, as in the kernels."""
    m, v = moments
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    return flat - 0.01 * (m / (1 - 0.9**t)) / np.sqrt(v / (1 - 0.99**t) + EPS**2), (m, v)


def main():
    rng, found = np.random.default_rng(1997), {}
    for name in CELLS:
        net = Net(name)
        flat = rng.normal(0, 0.5, sum(int(np.prod(shape)) for shape in net.shapes.values()))
        X, Y = rng.normal(size=(WINDOWS * T, I)), rng.normal(size=(WINDOWS * T, K))
        found |= {f"{name}.{part}": value[0] for part, value in net.parts(flat[None]).items()}
        found |= {
            f"{name}.X": X,
            f"{name}.Y": Y,
            f"{name}.eps": np.array(EPS),
            f"{name}.outputs": net.run(flat[None], X[:24], net.rest())[0][0],
        }
        found[f"{name}.gradient"] = net.gradient(flat, X[:24], Y[:24], net.rest())
        state, moments, trained = net.rest(), (0.0, 0.0), []
        for t in range(WINDOWS):
            now = slice(t * T, (t + 1) * T)
            g = net.gradient(flat, X[now], Y[now], state)
            out, state = net.run(flat[None], X[now], state)
            flat, moments = adam(flat, g, moments, t + 1)
            trained.append(out[0])
        found[f"{name}.trained"], found[f"{name}.final"] = np.concatenate(trained), flat
    np.savez_compressed(Path(__file__).with_name("cells_numpy.npz"), **found)


if __name__ == "__main__":
    main()
