"""Where each array of a net's slab lies, from the sizes.

The slab holds, in this order: the header (int64), settings (float64), parameters and
optimiser moments (float32), the memory of the streams, and scratch. Everything before scratch is the model's state: a
snapshot is those bytes. Kernels find each part by an offset in the header, in units of the part's own type; Python
sees the same parts as named NumPy views.

The memory of a stream (its counters, running statistics, last values, window, traces) is an *area*, and areas are alike: a net that keeps
one hidden state for each key has many. One is bound at a time, by moving the header's offsets to it
(:func:`streamrnn.kernels.net.areas.bind`); nothing is copied. Area 0 of a keyed net stays blank: that of a key not yet seen.

Sizes: I inputs, H hidden, G columns of a weight matrix, K outputs, T window, S stride, L layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.conformal import LEVELS
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.detector_memory import add_detector, add_detector_area, add_detector_scratch, note_detector
from streamrnn.kernels.net.front.season import SEASON_WORDS, VALUES_PLACE
from streamrnn.kernels.net.front.table import FOURIER, FOURIER_BIT, LINEAR_BIT, MOST_WAVED, lags, matrix, regressors
from streamrnn.kernels.slab import Slab, up


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
    seen
        How many of layer 0's inputs, the bias counted, an output sees beside the hidden state; 0 for all.
    groups
        Groups of as many outputs each, which see the same inputs.
    target_inputs, lasts
        Inputs that say what the targets before were, behind the features; how many numbers are kept for that.
    experts
        Which experts the mixture in front has, a bit each; 1: the net alone.
    light
        Whether what a detector expects of a feature has the light form.
    classes
        Whether the outputs are those of one choice.
    folded
        Columns, the last ones, that have no input of their own: their sums are the last inputs of the features.
    sparse
        Whether columns may be counts, which are 0 where they are absent.
    weighted
        Whether rows say what an event weighs.
    balanced
        Whether a rare class weighs more.
    seasonal
        Whether the season of the target is looked for; there is one.
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
    light: bool = False
    seen: int = 0
    groups: int = 1
    target_inputs: int = 0
    lasts: int = 0
    experts: int = 1
    classes: bool = False
    folded: int = 0
    sparse: bool = False
    weighted: bool = False
    balanced: bool = False
    seasonal: bool = False

    @property
    def features(self) -> int:
        """Inputs of the features: one for each column, and the sums of those that have none."""
        return self.inputs - self.folded + (at.SUMS if self.folded else 0)

    @property
    def width(self) -> int:
        """All inputs: those of the features, and those of the targets before."""
        return self.features + self.target_inputs

    @property
    def seasons(self) -> int:
        """Numbers that say what the season predicts."""
        return 2 if self.seasonal and self.lasts and self.experts & LINEAR_BIT else 0

    @property
    def told(self) -> int:
        """Numbers that say what is known of the targets before: the inputs, the values as they came, and what the season says."""
        return self.target_inputs + self.lasts + self.seasons

    @property
    def waited(self) -> int:
        """Numbers that wait with an event for its label: what is told, what each expert stated, and what was answered; 0 where labels are not late."""
        stated = (self.experts.bit_count() + 1) * self.outputs if self.experts != 1 else self.bands
        return self.told + stated if self.live else 0

    @property
    def told_targets(self) -> int:
        """Of the inputs those without the age: a number for each target, or class."""
        return max(self.target_inputs - 1, 0)

    @property
    def regressors(self) -> int:
        """Numbers that the linear expert's forecast is made from; 0 where there is none."""
        return regressors(self.inputs, self.told_targets, self.seasons) if self.experts & LINEAR_BIT else 0

    @property
    def waves(self) -> int:
        """Random features of an event; 0 where there are none."""
        return FOURIER if self.experts & FOURIER_BIT and 0 < self.inputs <= MOST_WAVED else 0

    @property
    def bands(self) -> int:
        """Numbers whose errors are followed, for prediction intervals: all that are learned from labels."""
        return self.outputs if self.weighted and not self.classes else 0

    @property
    def mixtures(self) -> int:
        """Sets of weights that each stream has of its own: one for each number, one for all classes; 0 for a net alone."""
        return 0 if self.experts == 1 else min(self.outputs, 1) if self.classes else self.outputs


class Layout(Slab):
    """The layout of a net's slab.

    Parameters
    ----------
    sizes
        What decides it.
    """

    def __init__(self, sizes: Sizes) -> None:
        super().__init__(at.HEADER_WORDS)
        self.sizes = sizes
        self.cell = CELLS[sizes.cell]
        self.past = self.cell.past * sizes.hidden
        self.record = self.cell.record * sizes.hidden
        self._note_sizes()
        self._lay_parameters()
        self.begin_areas()
        self._lay_memory()
        self.end_areas(sizes.areas)
        self.state_nbytes = self.nbytes
        self.note(((at.AREA_BYTES, self.area_nbytes), (at.SCRATCH_AT, self.nbytes)))
        self._lay_event_scratch()
        self._lay_update_scratch()

    def rows(self, layer: int) -> int:
        """Rows of a layer's weight matrix: [h (padded to 4) | the cell's own (padded to 4) | 1 | x (padded to 4)]."""
        width = self.sizes.width if layer == 0 else self.sizes.hidden
        return self.cell.first_row(self.sizes.hidden) + up(width + 1, 4)

    def allocate(self) -> NDArray[np.uint8]:
        """Return a slab of zeros, 64-byte aligned, with its header filled in and no value seen."""
        slab = super().allocate()
        self.every(slab, "last")[:] = np.nan
        self.every(slab, "last_targets")[:] = np.nan
        self.every(slab, "season")[:, VALUES_PLACE:] = np.nan
        self.every(slab, "area").view(np.float64)[:, at.A_CLOCK] = np.nan
        return slab

    def _note_sizes(self) -> None:
        z = self.sizes
        self.head_width = z.hidden + up(z.seen or z.width + 1, 4)
        self.phi = 0 if z.light else up(z.hidden + at.ECHO_LAGS + at.ECHO_UNITS + 1, at.LANES)
        self.note((
            (at.VERSION, at.NET_FORMAT), (at.INPUTS, z.inputs), (at.OUTPUTS, z.outputs), (at.HIDDEN, z.hidden),
            (at.LAYERS, z.layers), (at.WINDOW, z.window), (at.STRIDE, z.stride), (at.SLOTS, z.slots), (at.TRACES, z.traces),
            (at.TWO_PASS, z.two_pass), (at.PAD_T, up(z.window, 4)), (at.HEAD_WIDTH, self.head_width), (at.KEYED, z.keyed),
            (at.TIMED, z.timed), (at.HEAD_SEEN, z.seen), (at.HEAD_GROUPS, z.groups),
            (at.TARGET_INPUTS, z.target_inputs), (at.LASTS, z.lasts), (at.N_WAVES, z.waves), (at.TARGET_ROWS, z.waited), (at.EXPERT_BITS, z.experts),
            (at.SPARSE, z.sparse), (at.OWN_INPUTS, z.inputs - z.folded), (at.FEATURE_INPUTS, z.features), (at.WEIGHTED, z.weighted), (at.BALANCED, z.balanced), (at.SEASONS, z.seasons), (at.N_BANDS, z.bands),
        ))  # fmt: skip
        for layer in range(z.layers):
            base = at.LAYER_0 + layer * at.LAYER_WORDS
            nx = up((z.width if layer == 0 else z.hidden) + 1, 4)
            self.note(((base + at.NX, nx), (base + at.W_SIZE, self.rows(layer) * self.cell.gates * z.hidden)))
        if z.experts & LINEAR_BIT:
            features, targets = lags(z.inputs, z.told_targets, z.seasons)
            self.note((
                (at.FEATURE_LAGS, features), (at.TARGET_LAGS, targets), (at.N_REGRESSORS, up(z.regressors, 8)), (at.N_OWN, z.regressors),
                (at.LINEAR_P_SIZE, matrix(z.regressors)), (at.TAPE_SIZE, z.regressors - 1 - z.inputs - z.told_targets - z.seasons),
            ))  # fmt: skip
        if z.memory:
            note_detector(self, z.memory, self.phi)

    def _lay_parameters(self) -> None:
        """Add settings, weights and moments: what all streams share."""
        z, K, G = self.sizes, self.sizes.outputs, self.cell.gates * self.sizes.hidden
        self.add_all("f8", (
            (at.HYPER, "settings", at.N_HYPER), (at.LOSS_SUM, "loss", 2), (at.CURVE, "curve", at.N_DOUBLINGS),
            (at.KINDS, "kinds", z.inputs if z.sparse else 0), (at.CLASS_COUNTS, "class_counts", K if z.balanced else 0),
        ))  # fmt: skip
        self.add_all("f4", (
            (at.HEAD, "head", K, self.head_width), (at.HEAD_0, "head_initial", K, self.head_width),
            (at.HEAD_S, "head_moments", z.slots, K, self.head_width), (at.BANDS, "bands", len(LEVELS) if z.bands else 0, z.bands),
        ))  # fmt: skip
        for layer in range(z.layers):
            base, rows = at.LAYER_0 + layer * at.LAYER_WORDS, self.rows(layer)
            self.add_all("f4", (
                (base + at.W, f"layer{layer}.weights", rows, G), (base + at.W_0, f"layer{layer}.weights_initial", rows, G),
                (base + at.W_S, f"layer{layer}.moments", z.slots, rows, G),
            ))  # fmt: skip
        if z.experts != 1:
            self._lay_experts()
        if z.memory:
            add_detector(self, K)

    def _lay_experts(self) -> None:
        """Add what the experts in front of the net have learned."""
        z, wide = self.sizes, self.words.get(at.N_REGRESSORS, 0)
        self.add_all("f8", (
            (at.LINEAR_W, "linear", z.outputs if wide else 0, wide), (at.LINEAR_P, "linear_gain", self.words.get(at.LINEAR_P_SIZE, 0)),
            (at.LINEAR_LOSS, "linear_loss", 4 if wide else 0),
            (at.RATES, "repeats", z.outputs if z.classes else 0, 3),
            (at.WAVE_W, "wave_weights", 2 + z.inputs if z.waves else 0, z.waves), (at.WAVE_U, "waves", z.outputs, z.waves),
            (at.WAVE_P, "wave_squares", z.waves),
        ))  # fmt: skip

    def _lay_memory(self) -> None:
        """Add what each stream has of its own: counters, running statistics, last values, window, traces, and a detector's memory."""
        z, K, T, R = self.sizes, self.sizes.outputs, self.sizes.window, self.cell.record * self.sizes.hidden
        numbers = 0 if z.classes else K
        self.add(at.AREA_HEAD, "area", "i8", 8)
        self.add_all("f8", (
            (at.X_STATS, "x_statistics", 3 * up(z.inputs, at.LANES)), (at.Y_MEAN, "y_mean", numbers), (at.Y_VAR, "y_var", numbers),
            (at.Y_COUNT, "y_count", numbers), (at.GAPS, "gaps", 3), (at.LAST, "last", z.inputs), (at.LAST_TARGETS, "last_targets", z.lasts),
            (at.USUAL, "usual_errors", 2 if z.bands else 0, z.bands),
            (at.SEASON_PLACE, "season", SEASON_WORDS if z.seasons else 0),
        ))  # fmt: skip
        self.add_all("f4", ((at.OUT, "outputs", T, K), (at.D_OUT, "output_gradients", T, K), (at.KNOWN, "known", T)))
        traced = self.cell.traced * z.hidden if z.traces else 0
        for layer in range(z.layers):
            base = at.LAYER_0 + layer * at.LAYER_WORDS
            nx = self.words[base + at.NX]
            self.add_all("f4", (
                (base + at.TRACE, f"layer{layer}.traces", self.rows(layer) if traced else 0, traced),
                (base + at.XS, f"layer{layer}.inputs", T, nx), (base + at.REC, f"layer{layer}.records", (T + 1) * R - self.past),
                (base + at.LIVE_XS, f"layer{layer}.live_inputs", int(z.live), nx),
                (base + at.LIVE_REC, f"layer{layer}.live_records", 2 * int(z.live), R),
            ))  # fmt: skip
            # Of the step before the window only what its successor reads is there: where its record would begin lies something else.
            self.words[base + at.REC] -= self.past
        self.add(at.LIVE_OUT, "live_outputs", "f4", K if z.live else 0)
        if z.experts != 1:
            tape = self.words.get(at.TAPE_SIZE, 0)
            self.add_all("f8", (
                (at.TAPE, "tape", tape), (at.LIVE_TAPE, "live_tape", tape if z.live else 0),
                (at.MIXTURE, "mixture", 4 * z.experts.bit_count(), z.mixtures),
            ))  # fmt: skip
        if z.memory:
            add_detector_area(self, K)

    def _lay_event_scratch(self) -> None:
        """Add what an event needs for a moment: its values, raw and standardised, and the statistics with them."""
        z, padded = self.sizes, up(self.sizes.inputs, at.LANES)
        self.add_all("i8", (
            (at.PREPARED, "prepared", 8), (at.RAW, "prepared_raw", z.inputs), (at.HEAD_OF, "head_of", z.groups, z.seen),
        ))  # fmt: skip
        self.add_all("f8", (
            (at.X_RAW, "prepared_x", padded), (at.TARGET, "targets", z.outputs), (at.NET_ROW, "net_row", z.inputs),
            (at.PREPARED_STATS, "prepared_statistics", 3 * padded), (at.SCALED_INPUTS, "prepared_scaled", padded),
            (at.MIXED, "mixed", z.outputs), (at.TOLD, "prepared_targets", z.told), (at.SEASON_SUMS, "season_sums", at.TARGET_SEASON + 1 if z.seasons else 0),
        ))  # fmt: skip
        self.add(at.BAND_MOVES, "band_moves", "f4", 2, z.bands)
        if z.experts != 1:
            E, wide = z.experts.bit_count(), self.words.get(at.N_REGRESSORS, 0)
            self.add(at.NONZERO, "nonzero", "i8", 1 + wide)
            self.add_all("f8", (
                (at.SAID, "said", E, z.outputs), (at.REGRESSORS, "regressors", wide),
                (at.GAIN_SCRATCH, "gain_scratch", 3 * wide), (at.ERRORS, "linear_errors", z.outputs),
                (at.WEIGHING, "weighing", E), (at.WAVES, "wave_features", z.waves), (at.WAVE_ERRORS, "wave_errors", z.outputs),
            ))  # fmt: skip

    def _lay_update_scratch(self) -> None:
        """Add what an update needs for a moment: errors, gradients, and a tile of four rows."""
        z, cell, H, T = self.sizes, self.cell, self.sizes.hidden, up(self.sizes.window, 4)
        G, traced = cell.gates * H, max(cell.traced, 1) * H
        self.add_all("f4", (
            (at.S_DH, "s_dh", up(H, 4)), (at.S_DC, "s_dc", cell.states * H), (at.S_DX, "s_dx", z.window * H), (at.S_ROW, "s_row", 4 * G),
            (at.S_A, "s_a", T * max(self.rows(layer) for layer in range(z.layers))), (at.S_LOCAL, "s_local", T * traced),
            (at.S_LATER, "s_later", traced), (at.S_DCS, "s_dcs", traced), (at.S_DO, "s_do", z.window * z.outputs),
            (at.S_STEP, "s_step", 16), (at.S_HEAD_X, "s_head_x", up(z.seen, 4)),
        ))  # fmt: skip
        if z.memory:
            add_detector_scratch(self, z.outputs, z.memory, self.phi)
        self.add(at.HEAD_GRAD, "head_gradient", "f4", z.outputs, self.head_width)
        for layer in range(z.layers):
            base = at.LAYER_0 + layer * at.LAYER_WORDS
            self.add_all("f4", (
                (base + at.DZ, f"layer{layer}.dz", T, cell.dz_blocks * H), (base + at.DC_START, f"layer{layer}.dc_start", cell.states * H),
                (base + at.GRAD, f"layer{layer}.gradient", self.rows(layer) if z.two_pass else 0, G),
            ))  # fmt: skip
            if cell.own:
                self.add(base + at.OWN_GRAD, f"layer{layer}.own_gradient", "f4", up(cell.own, 4), G)
