"""Where everything lies: one flat, 64-byte-aligned byte slab a model, described by a small integer header.

The slab holds, in this order: the header (int64), running statistics and settings (float64), parameters and
optimiser moments (float32), the stream's memory (window, traces; float32), and scratch. Everything before scratch
is the model's state: a snapshot is those bytes. Kernels find each part by an offset in the header, in units of
the part's own type; Python sees the same parts as named NumPy views.

Sizes: I inputs, H hidden, G columns of a weight matrix, K outputs, T window, S stride, L layers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells import CELLS

FORMAT = 1
HEADER_WORDS = 256
MAX_LAYERS = 8
LANES = 8  # float64 in one vector: input statistics lie in blocks of mean (8) | variance (8) | count (8)

# ---- header words -------------------------------------------------------------------------------
VERSION, INPUTS, OUTPUTS, HIDDEN, LAYERS, WINDOW, STRIDE, SLOTS = range(8)
TRACES, LOSS, OPTIMIZER, SCHEDULE, NORMALIZE_X, NORMALIZE_Y, FROZEN, TWO_PASS = range(8, 16)
FILL, FRESH, EVENTS, LEARNED, UPDATES, REFUSED, PAD_T = range(16, 23)
# offsets, float64 units
X_STATS, Y_MEAN, Y_VAR, Y_COUNT, HYPER, STAGE, LOSS_SUM, SCALED = range(24, 32)
# offsets, float32 units
HEAD, HEAD_0, HEAD_S, HEAD_GRAD, HEAD_WIDTH, OUT, D_OUT, KNOWN = range(34, 42)
S_DH, S_DC, S_DX, S_ROW, S_A, S_LOCAL, S_LATER, S_DCS, S_DO, S_STEP = range(42, 52)
STAGED, SCRATCH_AT, X_RAW, TARGET, LAST, NET_ROW = range(52, 58)
LAYER_0, LAYER_WORDS = 64, 16
# words of one layer
NX, W, W_0, W_S, W_SIZE, TRACE, XS, REC, DZ, DC_START, GRAD = range(11)

# ---- settings (float64) -------------------------------------------------------------------------
(
    LR, BETA_1, BETA_2, EPS, CLIP, PULL, LOSS_A, LOSS_B, ALPHA, X_CLIP, Y_CLIP, POWER, OPT_A, OPT_B,
) = range(14)  # fmt: skip
N_HYPER = 16

# Words that travel when a slab is laid out anew; the others follow from the sizes.
CARRIED = (LOSS, OPTIMIZER, SCHEDULE, NORMALIZE_X, NORMALIZE_Y, FROZEN, FILL, FRESH, EVENTS, LEARNED, UPDATES, REFUSED)


def up(n: int, to: int) -> int:
    """Round ``n`` up to a multiple of ``to``."""
    return -(-n // to) * to


@dataclass(frozen=True, slots=True)
class Sizes:
    """Everything that decides the layout of a slab.

    Parameters
    ----------
    cell
        Row of the table of cells.
    inputs, hidden, outputs, layers
        I, H, K, L.
    window, stride
        T and S, in events.
    slots
        Arrays of moments that the optimiser keeps for each weight.
    traces
        Whether traces are carried across windows.
    two_pass
        Whether the gradient is stored before it is applied (needed for clipping by its global norm).
    """

    cell: str
    inputs: int
    hidden: int
    outputs: int
    layers: int = 1
    window: int = 16
    stride: int = 16
    slots: int = 2
    traces: bool = True
    two_pass: bool = False


@dataclass(frozen=True, slots=True)
class Field:
    """One array of the slab: where it starts (bytes), its type and its shape."""

    at: int
    dtype: str
    shape: tuple[int, ...]


class Layout:
    """The map of a slab.

    Parameters
    ----------
    sizes
        What decides it.
    """

    def __init__(self, sizes: Sizes) -> None:
        self.sizes = sizes
        self.fields: dict[str, Field] = {}
        self.words: dict[int, int] = {}
        self._at = HEADER_WORDS * 8
        self._build()
        self.nbytes = self._at

    def _add(self, word: int, name: str, dtype: str, *shape: int) -> None:
        item = np.dtype(dtype).itemsize
        self.fields[name] = Field(self._at, dtype, shape)
        self.words[word] = self._at // item
        self._at = up(self._at + item * int(np.prod(shape)), 64)

    def _build(self) -> None:
        z, cell = self.sizes, CELLS[self.sizes.cell]
        H, K, T = z.hidden, z.outputs, z.window
        padded_t = up(T, 4)
        head_width = H + up(z.inputs + 1, 4)
        for word, value in (
            (VERSION, FORMAT), (INPUTS, z.inputs), (OUTPUTS, K), (HIDDEN, H), (LAYERS, z.layers), (WINDOW, T),
            (STRIDE, z.stride), (SLOTS, z.slots), (TRACES, z.traces), (TWO_PASS, z.two_pass), (PAD_T, padded_t),
            (HEAD_WIDTH, head_width),
        ):  # fmt: skip
            self.words[word] = int(value)
        for word, name, width in (
            (X_STATS, "x_statistics", 3 * up(z.inputs, LANES)),
            (Y_MEAN, "y_mean", K), (Y_VAR, "y_var", K), (Y_COUNT, "y_count", K), (HYPER, "settings", N_HYPER),
            (LOSS_SUM, "loss", 2), (LAST, "last", z.inputs),
        ):  # fmt: skip
            self._add(word, name, "f8", width)
        self._add(HEAD, "head", "f4", K, head_width)
        self._add(HEAD_0, "head_initial", "f4", K, head_width)
        self._add(HEAD_S, "head_moments", "f4", z.slots, K, head_width)
        for layer in range(z.layers):
            self._weights(layer)
        self._add(OUT, "outputs", "f4", T, K)
        self._add(D_OUT, "output_gradients", "f4", T, K)
        self._add(KNOWN, "known", "f4", T)
        for layer in range(z.layers):
            self._memory(layer)
        self._at = up(self._at, 64)
        self.state_nbytes = self._at
        self.words[SCRATCH_AT] = self._at
        G = cell.gates * H
        self._add(STAGED, "staged", "i8", 8)
        self._add(X_RAW, "staged_x", "f8", up(z.inputs, LANES))
        self._add(TARGET, "targets", "f8", K)
        self._add(NET_ROW, "net_row", "f8", z.inputs)
        self._add(STAGE, "staged_statistics", "f8", 3 * up(z.inputs, LANES))
        self._add(SCALED, "staged_scaled", "f8", up(z.inputs, LANES))
        for word, name, size in (
            (S_DH, "s_dh", up(H, 4)), (S_DC, "s_dc", H), (S_DX, "s_dx", T * H), (S_ROW, "s_row", 4 * G),
            (S_A, "s_a", padded_t * max(self.rows(layer) for layer in range(z.layers))), (S_LOCAL, "s_local", padded_t * max(cell.traced, 1) * H),
            (S_LATER, "s_later", max(cell.traced, 1) * H), (S_DCS, "s_dcs", max(cell.traced, 1) * H),
            (S_DO, "s_do", T * K), (S_STEP, "s_step", 16),
        ):  # fmt: skip
            self._add(word, name, "f4", size)
        self._add(HEAD_GRAD, "head_gradient", "f4", K, head_width)
        for layer in range(z.layers):
            base = LAYER_0 + layer * LAYER_WORDS
            self._add(base + DZ, f"layer{layer}.dz", "f4", padded_t, cell.dz_blocks * H)
            self._add(base + DC_START, f"layer{layer}.dc_start", "f4", H)
            self._add(base + GRAD, f"layer{layer}.gradient", "f4", self.rows(layer) if z.two_pass else 0, G)

    def rows(self, layer: int) -> int:
        """Rows of a layer's weight matrix: [h (padded to 4) | 1 | x (padded to 4)]."""
        z = self.sizes
        width = z.inputs if layer == 0 else z.hidden
        return (up(z.hidden, 4) if CELLS[z.cell].recurrent else 0) + up(width + 1, 4)

    def _weights(self, layer: int) -> None:
        z, cell = self.sizes, CELLS[self.sizes.cell]
        G, rows, base = cell.gates * z.hidden, self.rows(layer), LAYER_0 + layer * LAYER_WORDS
        self.words[base + NX] = up((z.inputs if layer == 0 else z.hidden) + 1, 4)
        self.words[base + W_SIZE] = rows * G
        self._add(base + W, f"layer{layer}.weights", "f4", rows, G)
        self._add(base + W_0, f"layer{layer}.weights_initial", "f4", rows, G)
        self._add(base + W_S, f"layer{layer}.moments", "f4", z.slots, rows, G)

    def _memory(self, layer: int) -> None:
        z, cell = self.sizes, CELLS[self.sizes.cell]
        base = LAYER_0 + layer * LAYER_WORDS
        traced = cell.traced * z.hidden if z.traces else 0
        self._add(base + TRACE, f"layer{layer}.traces", "f4", self.rows(layer) if traced else 0, traced)
        self._add(base + XS, f"layer{layer}.inputs", "f4", z.window, self.words[base + NX])
        self._add(base + REC, f"layer{layer}.records", "f4", z.window + 1, cell.record * z.hidden)

    def allocate(self) -> NDArray[np.uint8]:
        """Return a slab of zeros, 64-byte aligned, with its header filled in."""
        raw = np.zeros(self.nbytes + 64, np.uint8)
        start = -raw.ctypes.data % 64
        slab = raw[start : start + self.nbytes]
        header = slab[: HEADER_WORDS * 8].view(np.int64)
        for word, value in self.words.items():
            header[word] = value
        self.view(slab, "last")[:] = np.nan  # no value seen
        return slab

    def view(self, slab: NDArray[np.uint8], name: str) -> NDArray[Any]:
        """Return one array of the slab, without a copy."""
        field = self.fields[name]
        size = np.dtype(field.dtype).itemsize * int(np.prod(field.shape))
        return slab[field.at : field.at + size].view(field.dtype).reshape(field.shape)
