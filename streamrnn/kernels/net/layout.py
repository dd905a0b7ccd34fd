"""Where each array of a net's slab lies, from the sizes.

The slab holds, in this order: the header (int64), running statistics and settings (float64), parameters and
optimiser moments (float32), the memory of the streams, and scratch. Everything before scratch is the model's state: a
snapshot is those bytes. Kernels find each part by an offset in the header, in units of the part's own type; Python
sees the same parts as named NumPy views.

The memory of a stream (its counters, last values, window, traces) is an *area*, and areas are alike: a net that keeps
one hidden state for each key has many. One is bound at a time, by moving the header's offsets to it
(:func:`streamrnn.kernels.net.areas.bind`); nothing is copied. Area 0 of a keyed net stays blank: that of a key not yet seen.

Sizes: I inputs, H hidden, G columns of a weight matrix, K outputs, T window, S stride, L layers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net.detector_memory import batch, events_words
from streamrnn.kernels.net.words import (
    A_CLOCK,
    ALARM,
    ALARM_WORDS,
    AREA_BYTES,
    AREA_HEAD,
    CURVE,
    D_OUT,
    DC_START,
    DEPTH,
    DZ,
    ECHO,
    ECHO_LAGS,
    ECHO_UNITS,
    FOUND,
    FOUND_WORDS,
    GAIN_WORDS,
    GAINS,
    GAPS,
    GRAD,
    HEAD,
    HEAD_0,
    HEAD_GRAD,
    HEAD_S,
    HEAD_SIZE,
    HEAD_WIDTH,
    HEADER_WORDS,
    HEADS,
    HIDDEN,
    HORIZONS,
    HYPER,
    INPUTS,
    KEPT,
    KEPT_SIZE,
    KEYED,
    KNOWN,
    LANES,
    LAST,
    LAYER_0,
    LAYER_WORDS,
    LAYERS,
    LIVE_OUT,
    LIVE_REC,
    LIVE_XS,
    LOSS_SUM,
    MEMORY,
    N_DOUBLINGS,
    N_HYPER,
    NET_FORMAT,
    NET_ROW,
    NX,
    ORDER,
    OUT,
    OUTPUTS,
    PAD_T,
    PHI,
    PREPARED,
    PREPARED_STATS,
    RAW,
    REC,
    RULE,
    RULE_WORDS,
    S_A,
    S_DC,
    S_DCS,
    S_DH,
    S_DO,
    S_DX,
    S_LATER,
    S_LOCAL,
    S_ROW,
    S_STEP,
    SCALED_INPUTS,
    SCRATCH_AT,
    SLOTS,
    STRIDE,
    TARGET,
    TIMED,
    TRACE,
    TRACES,
    TWO_PASS,
    VERSION,
    W_0,
    W_S,
    W_SIZE,
    WATCH,
    WATCH_SIZE,
    WATCH_WORDS,
    WINDOW,
    X_RAW,
    X_STATS,
    XS,
    Y_COUNT,
    Y_MEAN,
    Y_VAR,
    W,
)
from streamrnn.kernels.slab import Field, up


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
    areas
        Memories of streams; a row of a keyed net ends with the number of its area.
    keyed
        Whether rows say which area they belong to.
    timed
        Whether input 0 is a time, of which the net sees the gap since the event before.
    live
        Whether a second hidden state runs ahead of the one that learns.
    memory
        Events that a detector remembers of each feature; 0 for nets that are no detector.
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
    areas: int = 1
    keyed: bool = False
    timed: bool = False
    live: bool = False
    memory: int = 0


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
        self._in_area = False
        self._build()
        self.nbytes = self._at

    def _add(self, word: int, name: str, dtype: str, *shape: int) -> None:
        kind = np.dtype(dtype)
        size = kind.itemsize * math.prod(shape)
        self.fields[name] = Field(self._at, size, kind, shape, self._in_area)
        self.words[word] = self._at // kind.itemsize
        self._at = up(self._at + size, 64)

    def _build(self) -> None:
        z, cell = self.sizes, CELLS[self.sizes.cell]
        H, K, T = z.hidden, z.outputs, z.window
        padded_t = up(T, 4)
        head_width = H + up(z.inputs + 1, 4)
        for word, value in (
            (VERSION, NET_FORMAT), (INPUTS, z.inputs), (OUTPUTS, K), (HIDDEN, H), (LAYERS, z.layers), (WINDOW, T),
            (STRIDE, z.stride), (SLOTS, z.slots), (TRACES, z.traces), (TWO_PASS, z.two_pass), (PAD_T, padded_t),
            (HEAD_WIDTH, head_width), (KEYED, z.keyed), (TIMED, z.timed),
        ):  # fmt: skip
            self.words[word] = int(value)
        for word, name, width in (
            (X_STATS, "x_statistics", 3 * up(z.inputs, LANES)),
            (Y_MEAN, "y_mean", K), (Y_VAR, "y_var", K), (Y_COUNT, "y_count", K), (HYPER, "settings", N_HYPER),
            (LOSS_SUM, "loss", 2), (CURVE, "curve", N_DOUBLINGS), (GAPS, "gaps", 4),
        ):  # fmt: skip
            self._add(word, name, "f8", width)
        self._add(HEAD, "head", "f4", K, head_width)
        self._add(HEAD_0, "head_initial", "f4", K, head_width)
        self._add(HEAD_S, "head_moments", "f4", z.slots, K, head_width)
        for layer in range(z.layers):
            self._weights(layer)
        phi = up(H + ECHO_LAGS + ECHO_UNITS + 1, LANES)
        if z.memory:
            self.words[MEMORY], self.words[PHI], self.words[WATCH_SIZE] = z.memory, phi, WATCH_WORDS
            self.words[KEPT_SIZE], self.words[HEAD_SIZE] = (
                events_words(z.memory) + z.memory // 3 + DEPTH * phi,
                (phi + LANES + 2 * len(HORIZONS)) * phi // 2,
            )
            self._add(RULE, "rule", "f8", RULE_WORDS)
            self._add(GAINS, "gains", "f8", K, GAIN_WORDS)
            self._add(HEADS, "heads", "f8", K, self.words[HEAD_SIZE])
            self._add(ECHO, "echo", "f4", 2, ECHO_UNITS)
        self.area_at, self._in_area = self._at, True
        self._add(AREA_HEAD, "area", "i8", 8)
        self._add(LAST, "last", "f8", z.inputs)
        self._add(OUT, "outputs", "f4", T, K)
        self._add(D_OUT, "output_gradients", "f4", T, K)
        self._add(KNOWN, "known", "f4", T)
        for layer in range(z.layers):
            self._memory(layer)
        self._add(LIVE_OUT, "live_outputs", "f4", K if z.live else 0)
        if z.memory:
            self._add(ALARM, "alarm", "f8", ALARM_WORDS)
            self._add(WATCH, "watch", "f8", K, WATCH_WORDS)
            self._add(KEPT, "kept", "f4", K, self.words[KEPT_SIZE])
        self.area_nbytes, self._in_area = self._at - self.area_at, False
        self.words[AREA_BYTES] = self.area_nbytes
        self._at += (z.areas - 1) * self.area_nbytes
        self.state_nbytes = self._at
        self.words[SCRATCH_AT] = self._at
        G = cell.gates * H
        self._add(PREPARED, "prepared", "i8", 8)
        self._add(RAW, "prepared_raw", "i8", z.inputs)
        self._add(X_RAW, "prepared_x", "f8", up(z.inputs, LANES))
        self._add(TARGET, "targets", "f8", K)
        self._add(NET_ROW, "net_row", "f8", z.inputs)
        self._add(PREPARED_STATS, "prepared_statistics", "f8", 3 * up(z.inputs, LANES))
        self._add(SCALED_INPUTS, "prepared_scaled", "f8", up(z.inputs, LANES))
        for word, name, size in (
            (S_DH, "s_dh", up(H, 4)), (S_DC, "s_dc", H), (S_DX, "s_dx", T * H), (S_ROW, "s_row", 4 * G),
            (S_A, "s_a", padded_t * max(self.rows(layer) for layer in range(z.layers))), (S_LOCAL, "s_local", padded_t * max(cell.traced, 1) * H),
            (S_LATER, "s_later", max(cell.traced, 1) * H), (S_DCS, "s_dcs", max(cell.traced, 1) * H),
            (S_DO, "s_do", T * K), (S_STEP, "s_step", 16),
        ):  # fmt: skip
            self._add(word, name, "f4", size)
        if z.memory:
            self._add(FOUND, "found", "f8", FOUND_WORDS * (K + 1) + 3 * phi)
            self._add(ORDER, "order", "i8", batch(z.memory))
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
        ahead = 1 if z.live else 0
        self._add(base + LIVE_XS, f"layer{layer}.live_inputs", "f4", ahead, self.words[base + NX])
        self._add(base + LIVE_REC, f"layer{layer}.live_records", "f4", 2 * ahead, cell.record * z.hidden)

    def allocate(self) -> NDArray[np.uint8]:
        """Return a slab of zeros, 64-byte aligned, with its header filled in."""
        raw = np.zeros(self.nbytes + 64, np.uint8)
        start = -raw.ctypes.data % 64
        slab = raw[start : start + self.nbytes]
        header = slab[: HEADER_WORDS * 8].view(np.int64)
        for word, value in self.words.items():
            header[word] = value
        self.every(slab, "last")[:] = np.nan  # no value seen
        self.every(slab, "area").view(np.float64)[:, A_CLOCK] = np.nan
        return slab

    def view(self, slab: NDArray[np.uint8], name: str, area: int = 0) -> NDArray[Any]:
        """Return one array of the slab, without a copy; ``area`` counts where each area has one."""
        field = self.fields[name]
        start = field.at + (area * self.area_nbytes if field.in_area else 0)
        return slab[start : start + field.size].view(field.dtype).reshape(field.shape)

    def every(self, slab: NDArray[np.uint8], name: str) -> NDArray[Any]:
        """Return one array of every area at once, without a copy: its shape behind an axis of areas, which is 1 outside of them."""
        field = self.fields[name]
        if not field.in_area:
            return self.view(slab, name)[np.newaxis]
        areas = slab[self.area_at : self.area_at + self.sizes.areas * self.area_nbytes].reshape(-1, self.area_nbytes)
        start = field.at - self.area_at
        return areas[:, start : start + field.size].view(field.dtype).reshape(self.sizes.areas, *field.shape)
