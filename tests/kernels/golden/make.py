"""Make ``cells.npz`` beside this file with PyTorch in float64: ``python make.py``. PyTorch is no dependency; this runs by hand.

For each cell, one layer: weights, events, targets; the outputs from the state of rest on; the gradient of the mean
squared error over all events; and a run of forty windows of six events with Adam, the state carried on but
cut off from the gradient: outputs before each update, weights at the end.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from torch.func import functional_call

H, I, K, T, WINDOWS = 5, 3, 2, 6, 40
torch.set_default_dtype(torch.float64)

GATES = {"lstm": 4, "trace_lstm": 4, "gru": 3, "elman": 1, "elman_logistic": 1, "dense": 1}
RECURRENT = {"lstm", "gru", "elman", "elman_logistic"}
MODULES = {
    "lstm": torch.nn.LSTMCell(I, H),
    "trace_lstm": torch.nn.LSTMCell(I, H),
    "gru": torch.nn.GRUCell(I, H),
    "elman": torch.nn.RNNCell(I, H),
    "dense": torch.nn.RNNCell(I, H),
}


def step(cell, U, b, V, x, state):
    """One event through PyTorch's own cell, with our weights in its layout."""
    h, c = state
    if cell == "elman_logistic":
        return torch.sigmoid(x @ V + b + h @ U), c
    U = U if cell in RECURRENT else torch.zeros(H, GATES[cell] * H)
    if cell == "gru":  # PyTorch's order is r, z, n
        U, b, V = (torch.cat([w[..., H : 2 * H], w[..., :H], w[..., 2 * H :]], -1) for w in (U, b, V))
    weights = {"weight_ih": V.T, "weight_hh": U.T, "bias_ih": b, "bias_hh": torch.zeros_like(b)}
    if "lstm" in cell:
        return functional_call(MODULES[cell], weights, (x, (h, c)))
    return functional_call(MODULES[cell], weights, (x, h)), c


def run(cell, weights, X, state):
    U, b, V, head = weights
    out = []
    for x in X:
        state = step(cell, U, b, V, x, state)
        out.append(head @ torch.cat([state[0], torch.ones(1), x]))
    return torch.stack(out), state


def main():
    rng, found = np.random.default_rng(1997), {}
    for cell, G in GATES.items():
        shapes = [(H if cell in RECURRENT else 0, G * H), (G * H,), (I, G * H), (K, H + 1 + I)]
        weights = [torch.tensor(rng.normal(0, 0.5, shape), requires_grad=True) for shape in shapes]
        X, Y = (torch.tensor(rng.normal(size=(WINDOWS * T, n))) for n in (I, K))
        rest = (torch.zeros(H), torch.zeros(H))
        for name, part in zip("UbVh", weights, strict=True):
            found[f"{cell}.{name}"] = part.detach().numpy().copy()
        found[f"{cell}.X"], found[f"{cell}.Y"] = X.numpy(), Y.numpy()

        out, _ = run(cell, weights, X[:24], rest)
        gradient = torch.autograd.grad(((out - Y[:24]) ** 2).mean(), weights, allow_unused=True, materialize_grads=True)
        found[f"{cell}.outputs"] = out.detach().numpy()
        found[f"{cell}.gradient"] = np.concatenate([part.numpy().ravel() for part in gradient])

        optimizer, state, trained = torch.optim.Adam(weights, lr=0.01, betas=(0.9, 0.99), eps=1e-8), rest, []
        for start in range(0, WINDOWS * T, T):
            out, state = run(cell, weights, X[start : start + T], tuple(part.detach() for part in state))
            optimizer.zero_grad()
            ((out - Y[start : start + T]) ** 2).mean().backward()
            optimizer.step()
            trained.append(out.detach().numpy())
        found[f"{cell}.trained"] = np.concatenate(trained)
        found[f"{cell}.final"] = np.concatenate([part.detach().numpy().ravel() for part in weights])
    np.savez_compressed(Path(__file__).with_name("cells.npz"), **found)


if __name__ == "__main__":
    main()
