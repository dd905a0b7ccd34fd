"""A net's twin in float64: the textbook's driver around one step of a cell, and gradients as difference quotients.

Nothing here is shared with the compiled driver. Layers, window and learning rule are written as what they
*mean*, and the gradient is that of the meaning: the loss of the newest ``stride`` events as a function of
the weights, with everything held fixed that the rule holds fixed.

- Plain truncated BPTT: the state at the window's start is fixed.
- Carried traces: before the window only the cell state c is a function of the weights; the h that the gates
  and the layers above have seen are fixed. Derived so, dc/dW is what an eligibility trace sums up.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import INTERPRETED, chosen_by_cell, entry
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.kernels.net.steps import forward_step
from streamrnn.models._net import Net
from streamrnn.testing.nets import weights

__all__ = ["Reference", "Twin"]

Array = NDArray[np.float64]
Reference = Callable[..., tuple[Array, Array]]
"""``reference(wx, uh, h, c) -> (h, c)``: one step, written from the paper in NumPy. wx = W x + b and uh = U h, shape
(G, ..., H), h and c of the event before, shape (..., H); c (states, ..., H) where the cell has several states. Without recurrence
uh is zero; without a cell state so is c. A cell with weights of its own is given them as a fifth argument, (rows, G, ..., H)."""

_step = chosen_by_cell(lambda cell, hidden: forward_step(CELLS[cell], hidden))


@functools.cache
def _own_step(cell: str, hidden: int) -> Any:
    """Return the cell's own forward step, for many records in float64 at once."""
    stamp = stamp_of(CELLS[cell])

    def run(before, after, own):  # type: ignore[no-untyped-def]
        stamp  # noqa: B018  part of the cache's key
        for b in range(before.shape[0]):
            _step(cell, hidden, before[b], after[b], own[b])

    return entry(run)


class Twin:
    """The weights of a net in float64, and its outputs as a function of them.

    Parameters
    ----------
    net
        The net; its weights are copied.
    reference
        The step. None takes the cell's own step forward, run in float64: its way back is then compared with its way
        forward, and nothing is said about whether that is the right one.
    """

    def __init__(self, net: Net, reference: Reference | None = None) -> None:
        self.sizes = net.sizes
        self.cell = CELLS[net.sizes.cell]
        self.reference = reference
        parts = weights(net)
        self.shapes = [part.shape for part in parts]
        self.flat = np.concatenate([part.ravel() for part in parts])
        self.per_layer = 4 if self.cell.own else 3
        self.layer_of = np.concatenate([np.full(part.size, at // self.per_layer) for at, part in enumerate(parts)])

    def _parts(self, flat: Array) -> list[Array]:
        """Cut weights (B, P) into the parts, each (B, ...)."""
        ends = np.cumsum([int(np.prod(shape)) for shape in self.shapes])
        pieces = np.split(flat, ends[:-1], axis=1)
        return [piece.reshape(len(flat), *shape) for piece, shape in zip(pieces, self.shapes, strict=True)]

    def _advance(self, parts: Sequence[Array], layer: int, x: Array, before: Array) -> Array:
        """One step of a layer: x (B, n), records of the step before (B, R). Returns the records."""
        cell, H = self.cell, self.sizes.hidden
        U, b, V, *own = parts[self.per_layer * layer : self.per_layer * (layer + 1)]
        h = before[:, cell.h * H : (cell.h + 1) * H]
        wx = b + np.einsum("bn,bng->bg", x, V)
        uh = np.einsum("bn,bng->bg", h, U) if cell.recurrent else np.zeros_like(wx)
        after = np.zeros_like(before)
        if self.reference is None:
            N = cell.gates * H
            after[:, :N] = wx if cell.split else wx + uh
            if cell.split:
                after[:, cell.split * H : cell.split * H + N] = uh
            weights = own[0].reshape(len(before), -1) if own else np.zeros((len(before), 0))
            _own_step(cell.name, H)(
                before, after, np.ascontiguousarray(np.broadcast_to(weights, (len(before), weights.shape[1])))
            )
            return after
        wx, uh = (v.reshape(len(v), cell.gates, H).transpose(1, 0, 2) for v in (wx, uh))
        peeps = [part.reshape(len(part), cell.own, cell.gates, H).transpose(1, 2, 0, 3) for part in own]
        h, c = self.reference(wx, uh, h, self._state(before), *peeps)
        after[:, cell.h * H : (cell.h + 1) * H] = h
        if cell.c >= 0:
            c = c if cell.states == 1 else np.concatenate(c, axis=1)
            after[:, cell.c * H : (cell.c + cell.states) * H] = c
        return after

    def _state(self, before: Array) -> Array:
        """The cell state in records (B, R): (B, H), or (states, B, H) of several, or zero where the cell has none."""
        cell, H = self.cell, self.sizes.hidden
        if cell.c < 0:
            return np.zeros((len(before), H))
        c = before[:, cell.c * H : (cell.c + cell.states) * H]
        return c if cell.states == 1 else c.reshape(len(c), cell.states, H).transpose(1, 0, 2)

    def _step(self, parts: Sequence[Array], x: Array, states: Sequence[Array]) -> tuple[Array, list[Array]]:
        """One event through all layers and the head."""
        H, after = self.sizes.hidden, []
        x = np.broadcast_to(x, (len(parts[0]), len(x)))
        top = x
        for layer, before in enumerate(states):
            record = self._advance(parts, layer, top, before)
            after.append(record)
            top = record[:, self.cell.h * H : (self.cell.h + 1) * H]
        seen = np.concatenate([top, np.ones((len(x), 1)), x], axis=1)
        return np.einsum("bn,bkn->bk", seen, parts[-1]), after

    def _at_rest(self, copies: int) -> list[Array]:
        return [np.zeros((copies, self.cell.record * self.sizes.hidden)) for _ in range(self.sizes.layers)]

    def where(self, direction: Array) -> str:
        """Say in words which weight an axis (P) of the space of weights is; of other directions the layer alone.

        Parameters
        ----------
        direction
            A direction in the space of weights, (P,).
        """
        found = np.flatnonzero(direction)
        part = int(np.searchsorted(np.cumsum([int(np.prod(shape)) for shape in self.shapes]), found[0], side="right"))
        layer, matrix = divmod(part, self.per_layer)
        name = "head" if part == len(self.shapes) - 1 else f"layer {layer}"
        if len(found) > 1:
            return f"{name}, a direction of {len(found)} weights"
        start = sum(int(np.prod(shape)) for shape in self.shapes[:part])
        place = np.unravel_index(int(found[0]) - start, self.shapes[part])
        if name == "head":
            return f"head, output {place[0]}, column {place[1]}"
        row = f" row {place[0]}" if matrix != 1 else ""
        gate, unit = divmod(int(place[-1]), self.sizes.hidden)
        return f"{name}, {('recurrent', 'bias', 'input', 'own')[matrix]}{row}, gate {gate}, unit {unit}"

    def outputs(self, X: Array) -> Array:
        """Return the outputs (n, K) of events X (n, I) from the state of rest on.

        Parameters
        ----------
        X
            Events, (n, I).
        """
        parts, states, found = self._parts(self.flat[None]), self._at_rest(1), []
        for x in X:
            out, states = self._step(parts, x, states)
            found.append(out[0])
        return np.array(found)

    def _carried(self, flat: Array, X: Array) -> list[Array]:
        """States after the history X, (B, R) a layer: c a function of the weights ``flat`` (B, P), all else as it was.

        Each row of ``flat`` may differ from the net's weights in one layer only.
        """
        H, c = self.sizes.hidden, slice(self.cell.c * self.sizes.hidden, (self.cell.c + 1) * self.sizes.hidden)
        own, many = self._parts(self.flat[None]), self._parts(flat)
        was, live = self._at_rest(1), self._at_rest(len(flat))
        for x in X:
            _, now = self._step(own, x, was)
            below = x[None]
            for layer in range(self.sizes.layers):
                before = np.repeat(was[layer], len(flat), axis=0)
                if self.sizes.traces:
                    before[:, c] = live[layer][:, c]
                after = self._advance(many, layer, np.repeat(below, len(flat), axis=0), before)
                live[layer] = np.repeat(now[layer], len(flat), axis=0)
                if self.sizes.traces:
                    live[layer][:, c] = after[:, c]
                below = now[layer][:, self.cell.h * H : (self.cell.h + 1) * H]
            was = now
        return live

    def gradient(self, X: Array, loss: Callable[[Array], Array]) -> tuple[Array, Array]:
        """Return directions (D, P) and the loss's derivatives (D) along them, after events X (n, I).

        Compiled, the directions are the axes: the derivatives are the gradient. Interpreted, where a step is slow,
        they are 24 random ones, each within one layer.

        Parameters
        ----------
        X
            The whole stream so far, shape (n, I).
        loss
            Gives the losses (B) of outputs (B, w, K) over the window, w <= ``window`` events.
        """
        eps, P = 1e-5, len(self.flat)
        directions = np.eye(P)
        if INTERPRETED:
            rng, n = np.random.default_rng(5), 24
            inside = self.layer_of == (np.arange(n) % (self.layer_of.max() + 1))[:, None]
            directions = rng.choice([-1.0, 1.0], (n, P)) * inside
        many = np.concatenate([self.flat + eps * directions, self.flat - eps * directions])
        start = max(len(X) - self.sizes.window, 0)
        states, parts, found = self._carried(many, X[:start]), self._parts(many), []
        for x in X[start:]:
            out, states = self._step(parts, x, states)
            found.append(out)
        up, down = np.split(loss(np.stack(found, axis=1)), 2)
        return directions, (up - down) / (2 * eps)
