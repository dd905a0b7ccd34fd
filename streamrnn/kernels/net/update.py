"""When and how the weights learn. Generic over cells, compiled for one cell and one hidden size.

How an event passes::

    forward     x (scaled) -> records of all layers at slot ``fill`` -> outputs            (changes nothing committed)
    commit      fill += 1: the hidden state has advanced
    learn_slot  target -> dL/d(outputs) of a slot
    update      every ``stride`` events: backward over the window, one optimiser step, window moves on

**Truncated BPTT(T; S).** Of the ``fill`` <= T slots the newest S (``fresh``) bring errors; the errors flow back through
the stored activations to the start of the window (Williams & Peng, 1990). Each target is learned once.

**Carried traces.** At the window's start the error dL/dc does not stop: it meets e = dc/dW, the eligibility trace of
all events before the window, so that grad += dc * e. As the window moves on over its oldest S steps, e <- (prod f) e
+ sum of the steps' own terms. With T = 1 this is the truncated gradient of Hochreiter & Schmidhuber (1997), with T
beyond the stream's length it is full BPTT.
"""

from __future__ import annotations

import numpy as np

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.backward import backward
from streamrnn.kernels.net.gradient import head_gradient, head_step, pass_over_rows, stored_step
from streamrnn.kernels.net.optimizers import table as optimizers
from streamrnn.kernels.net.optimizers.schedules import learning_rate, quicken
from streamrnn.kernels.reinterpret import reinterpret

# Exponent bits of 2^40. Larger errors or factors are refused: their squares, summed, would leave float32.
TOO_BIG = np.uint32((127 + 40) << 23)
MAGNITUDE = np.uint32(0x7FFFFFFF)


@kernel
def finite(f, start, n):
    """Tell whether n values are finite and below 2^40, by their bits: no float comparison, nothing to optimise away."""
    bits = reinterpret(f[start : start + n], np.uint32)
    worst = np.uint32(0)
    for i in range(n):
        worst = max(worst, np.uint32(bits[i] & MAGNITUDE))  # numba widens what & gives: half the speed
    return worst < TOO_BIG


@kernel
def _scale_errors(hd, f):
    """Write S_DO: the errors of the fresh slots over the number of known targets.

    Returns that number and the mean absolute error signal.
    """
    fill, fresh, K = hd[at.FILL], hd[at.FRESH], hd[at.OUTPUTS]
    known = ZERO
    for t in range(fill - fresh, fill):
        known += f[hd[at.KNOWN] + t]
    share = np.float32(1.0) / known if known > ZERO else ZERO
    total = ZERO
    for i in range((fill - fresh) * K, fill * K):
        e = f[hd[at.D_OUT] + i] * share
        f[hd[at.S_DO] + i] = e
        total += abs(e)
    return known, total


@kernel
def _learned_events(hd, f):
    """Return how many of the fresh slots have a known target."""
    n = 0
    for t in range(hd[at.FILL] - hd[at.FRESH], hd[at.FILL]):
        if f[hd[at.KNOWN] + t] > ZERO:
            n += 1
    return n


@kernel
def _gradient_scale(hd, d, sum_1, sum_2, error):
    """Return the factor on a stored gradient: clipping by global norm, and the optimiser's own bound."""
    hyper = hd[at.HYPER]
    scale = 1.0
    clip = d[hyper + at.CLIP]
    if clip > 0.0 and sum_2 > clip * clip:
        scale = clip / np.sqrt(sum_2)
    if error > 0.0:
        settings = d[hyper : hyper + at.N_HYPER]
        lr = learning_rate(hd, settings, float(hd[at.UPDATES]))
        scale = optimizers.bound(hd[at.OPTIMIZER], settings, lr, error, sum_1, scale)
    return scale


@chosen_by_cell
def _learn_window(cell, hidden):
    """Take one optimiser step from the errors of the fresh slots. Return whether the traces have moved on by ``drop`` slots."""
    states, Z = CELLS[cell].states * hidden, CELLS[cell].dz_blocks * hidden

    @kernel
    def run(hd, f, d, drop):
        fill, fresh, K = hd[at.FILL], hd[at.FRESH], hd[at.OUTPUTS]
        known, error = _scale_errors(hd, f)
        if not known > ZERO or hd[at.FROZEN] != 0:
            return False
        backward(cell, hidden, hd, f)
        good = finite(f, hd[at.S_DO] + (fill - fresh) * K, fresh * K)
        for layer in range(hd[at.LAYERS]):
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            good = good and finite(f, hd[b + at.DZ], fill * Z) and finite(f, hd[b + at.DC_START], states)
            good = good and finite(f, hd[b + at.XS], fill * hd[b + at.NX])
        if not good:
            hd[at.REFUSED] += 1
            return False
        hyper = d[hd[at.HYPER] : hd[at.HYPER] + at.N_HYPER]
        c = f[hd[at.S_STEP] : hd[at.S_STEP] + 16]
        optimizers.prepare(hd, hyper, c)
        quicken(hd, c, _learned_events(hd, f))
        pull = np.float32(min(hyper[at.PULL] * known, 1.0))
        sum_1, sum_2 = head_gradient(cell, hidden, hd, f)
        once = hd[at.TWO_PASS] == 0
        for layer in range(hd[at.LAYERS]):
            more_1, more_2 = pass_over_rows(cell, hidden, hd, f, layer, good, once, drop, pull)
            sum_1 += more_1
            sum_2 += more_2
        if not once:
            scale = _gradient_scale(hd, d, float(sum_1), float(sum_2), float(error))
            c[8] = scale
            if not scale < 1e30 or not sum_2 < 1e30:
                hd[at.REFUSED] += 1
                return True
            for layer in range(hd[at.LAYERS]):
                stored_step(cell, hidden, hd, f, layer, pull)
        head_step(hd, f, pull)
        hd[at.UPDATES] += 1
        return True

    return run


@chosen_by_cell
def update(cell, hidden):
    """Learn from the fresh slots, move the traces and the window on. Call when ``fresh`` has reached the stride."""
    R, Q = CELLS[cell].record * hidden, CELLS[cell].traced * hidden
    past = CELLS[cell].past * hidden

    @kernel
    def run(hd, f, d):
        fill, K = hd[at.FILL], hd[at.OUTPUTS]
        drop = max(fill + hd[at.STRIDE] - hd[at.WINDOW], 0)
        drop = min(drop, fill)
        moved = _learn_window(cell, hidden, hd, f, d, drop)
        if not moved and hd[at.TRACES] != 0 and Q > 0 and drop > 0:
            for layer in range(hd[at.LAYERS]):
                pass_over_rows(cell, hidden, hd, f, layer, moved, not moved, drop, ZERO)
        hd[at.FRESH] = 0
        if drop == 0:
            return
        keep = fill - drop
        for layer in range(hd[at.LAYERS]):
            b = at.LAYER_0 + layer * at.LAYER_WORDS
            _move(f, hd[b + at.REC] + past, drop * R, (keep + 1) * R - past)
            _move(f, hd[b + at.XS], drop * hd[b + at.NX], keep * hd[b + at.NX])
        _move(f, hd[at.OUT], drop * K, keep * K)
        _move(f, hd[at.D_OUT], drop * K, keep * K)
        _move(f, hd[at.KNOWN], drop, keep)
        hd[at.FILL] = keep

    return run


@kernel
def _move(f, start, by, n):
    """Shift n values down by ``by`` places, in runs that do not overlap: those are copied in vectors. A net without outputs has 0 by 0."""
    for first in range(start, start + n, max(by, 1)):
        into = f[first : first + min(by, start + n - first)]
        source = f[first + by : first + by + into.size]
        for i in range(into.size):
            into[i] = source[i]
