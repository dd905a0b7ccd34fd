"""The entry for learning y from x: predict, learn, or both, over a block of events.

One row an event, float64: ``x (I) | y (K) | outputs (K) | hidden state (H), if asked for | what is told of the targets before and what
the experts stated (A), if a state runs ahead | weight of the event, if the net heeds it | area, if the net is keyed``. A weight that is not given (NaN) is 1; at 0 time passes, the
targets are told, and nothing is learned.
The call for one event is the call for a block with one row.

With delayed labels two hidden states run: a row in mode ``ADVANCE`` moves the live one on and predicts from it, and leaves
the standardised inputs in the place of x, and what was told of the targets before and what the experts stated in their own; later a row in mode
``ALREADY_SCALED | LEARN`` brings these back, with y, and the state that learns follows. Experts are weighed by what they stated then: by now they have learned
from labels that were not known yet.

Where the next event is the target (``NEXT``), an event is the target of the one before it: each feature's change. The newest event
waits in the window without a target. An update is made over those before it, so it reaches one event less far back.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import ask_for, choose_area_of, move_on, swap_live, views
from streamrnn.kernels.net.events import absorb_inputs, commit, place_inputs, prepare_inputs
from streamrnn.kernels.net.forward import forward
from streamrnn.kernels.net.front.mixture import consult, teach_experts, weigh_experts
from streamrnn.kernels.net.front.regressors import wind_tape
from streamrnn.kernels.net.front.stated import hand_out_stated, keep_answer, put_back_stated, repeat
from streamrnn.kernels.net.front.table import NET_BIT
from streamrnn.kernels.net.losses.table import link
from streamrnn.kernels.net.next_event import hold_newest, learn_changes, learn_nothing, put_newest
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.kernels.net.target_inputs import count_event, keep_targets
from streamrnn.kernels.net.targets import learn_slot, scale_target, unscale_output
from streamrnn.kernels.net.trust import trust
from streamrnn.kernels.net.update import update
from streamrnn.kernels.net.usual_errors import learn_errors

PREDICT: Final = 1
LEARN: Final = 2
LINK: Final = 4  # outputs in the target's own terms: probabilities, rates, standard deviations
ADVANCE: Final = 8
ALREADY_SCALED: Final = 16
WITH_HIDDEN: Final = 32
NEXT: Final = 64  # the targets are the next event's changes
COUNT_FORGET: Final = 0.999  # classes are as frequent as they were in the last thousand labels
MOST_BALANCE: Final = 20.0  # what a label weighs at most, for being rare


@kernel
def _answer(hd, f, d, o, mode):
    """Write the outputs of slot ``fill`` into o (K)."""
    K = o.size
    for k in range(K):
        o[k] = unscale_output(hd, d, k, float(f[hd[at.OUT] + hd[at.FILL] * K + k]))
    if mode & LINK:
        link(hd[at.LOSS], hd, d, o)


@kernel
def _respond(hd, f, d, o, due, front, mode):
    """Write what is answered for the event in slot ``fill`` into o (K), and keep it where its error will be followed; ``due``: it is another event than before."""
    followed = front or hd[at.N_BANDS] > 0
    if followed and not due:  # predicted already: the experts have stated theirs
        repeat(hd, d, o)
    elif mode & PREDICT or followed:
        _answer(hd, f, d, o, mode | LINK if followed else mode)
        if front:
            consult(hd, d, o)
        if followed:
            keep_answer(hd, d, o)


@kernel
def _n_told(hd, waits):
    """Return how much of what waits with an event says what was known of the targets before; the rest is what was stated."""
    return min(hd[at.TARGET_INPUTS] + hd[at.LASTS] + hd[at.SEASONS], waits.size)


@kernel
def _put_back(hd, f, d, x, told):
    """Take the inputs of an event that has waited, as they were handed out: x (I) standardised, told. A step forward is due."""
    for i in range(x.size):
        d[hd[at.SCALED_INPUTS] + i] = x[i]
    for i in range(told.size):
        d[hd[at.TOLD] + i] = told[i]
    place_inputs(hd, f, d)
    hd[hd[at.PREPARED]] = 0
    return True


@kernel
def _hand_out(hd, d, x, waits, front):
    """Write the inputs of an event that is to wait into its row, and count it for the state that runs ahead."""
    for i in range(x.size):
        x[i] = d[hd[at.SCALED_INPUTS] + i]
    told = waits[: _n_told(hd, waits)]
    for i in range(told.size):
        told[i] = d[hd[at.TOLD] + i]
    count_event(hd, 1, 0)
    hand_out_stated(hd, d, waits[told.size :])
    if front:
        wind_tape(hd, d)


@kernel
def _balanced(hd, d, y):
    """Count a label and return what its class weighs, so that all of them weigh as much; 1 where it is none."""
    K, counts, learning = hd[at.OUTPUTS], hd[at.CLASS_COUNTS], hd[at.FROZEN] == 0
    if not (y[0] >= 0.0 and y[0] < K):
        return 1.0
    whole, seen = 0.0, 0
    for k in range(K):
        if learning:
            d[counts + k] = d[counts + k] * COUNT_FORGET + (1.0 if k == int(y[0]) else 0.0)
        whole += d[counts + k]
        seen += 1 if d[counts + k] > 0.0 else 0
    own = d[counts + int(y[0])]
    return min(whole / (seen * own), MOST_BALANCE) if own > 0.0 else 1.0


@kernel
def _learn_labels(hd, f, d, slot, y, w, stated, front):
    """Learn the targets y (K) of the event in a slot, of weight w, for which stated was handed out if it has waited; keep them as the last."""
    targets, K = d[hd[at.TARGET] : hd[at.TARGET] + y.size], y.size
    w = w if w >= 0.0 else 1.0
    if hd[at.BALANCED] != 0 and w > 0.0 and K > 0:
        w *= _balanced(hd, d, y)
    for k in range(K):
        targets[k] = scale_target(hd, d, k, y[k]) if w > 0.0 else np.nan
    known, loss = learn_slot(hd, f, d, slot, targets)
    shared = w * trust(hd, d, loss) if known > 0 else w
    if shared != 1.0:
        for k in range(K):
            f[hd[at.D_OUT] + slot * K + k] *= np.float32(shared)
    if front:
        teach_experts(hd, d, y, targets, shared)
    put_back_stated(hd, d, stated, K)
    if front:
        weigh_experts(hd, d, y, w)
        wind_tape(hd, d)
    learn_errors(hd, f, d, y, w)
    keep_targets(hd, d, y)


@functools.cache
def supervised(cell: str, hidden: int) -> Any:
    """Return ``run(slab, rows, n, mode)`` for one cell and one hidden size."""
    stamp = stamp_of(CELLS[cell])
    size, h_at = CELLS[cell].record * hidden, CELLS[cell].h * hidden

    def run(slab, rows, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        I, K, H = hd[at.INPUTS], hd[at.OUTPUTS], hidden if mode & WITH_HIDDEN else 0
        A, weight = hd[at.TARGET_ROWS], hd[at.WEIGHTED]
        width = I + 2 * K + H + A + weight + hd[at.KEYED]
        for e in range(n):
            row = rows[e * width : (e + 1) * width]
            x, y, o = row[:I], row[I : I + K], row[I + K : I + 2 * K]
            waits = row[I + 2 * K + H : I + 2 * K + H + A]
            n_told = _n_told(hd, waits)
            later = choose_area_of(hd, d, rows, e, n, width) if hd[at.KEYED] != 0 else -1
            if mode & NEXT:
                learn_changes(hd, f, d, x)
            if mode & ADVANCE:
                swap_live(hd)
            due = _put_back(hd, f, d, x, waits[:n_told]) if mode & ALREADY_SCALED else prepare_inputs(hd, f, d, x)
            if due:
                forward(cell, hidden, hd, f)
            slot = hd[at.FILL]
            front = hd[at.EXPERT_BITS] != NET_BIT and K > 0 and mode & NEXT == 0
            _respond(hd, f, d, o, due, front, mode)
            ask_for(hd, later, 1)
            if mode & WITH_HIDDEN:
                top = hd[at.LAYER_0 + (hd[at.LAYERS] - 1) * at.LAYER_WORDS + at.REC] + (slot + 1) * size + h_at
                for i in range(H):
                    row[I + 2 * K + i] = f[top + i]
            if mode & ADVANCE:
                absorb_inputs(hd, d)
                _hand_out(hd, d, x, waits, front)
                move_on(hd, f, size)
                swap_live(hd)
            elif mode & LEARN:
                if not mode & ALREADY_SCALED:
                    absorb_inputs(hd, d)
                commit(hd)
                count_event(hd, 0 if mode & ALREADY_SCALED else 1, 1)
                if mode & NEXT:
                    learn_nothing(hd, f, slot)
                    due = hd[at.FRESH] > min(hd[at.STRIDE], hd[at.WINDOW] - 1) or hd[at.FILL] >= hd[at.WINDOW]
                else:
                    w = row[I + 2 * K + H + A] if weight != 0 else 1.0
                    _learn_labels(hd, f, d, slot, y, w, waits[n_told if mode & ALREADY_SCALED else A :], front)
                    due = hd[at.FRESH] >= hd[at.STRIDE]
                ask_for(hd, later, 2)
                if due:
                    if mode & NEXT:
                        hold_newest(hd)
                    update(cell, hidden, hd, f, d)
                    if mode & NEXT:
                        put_newest(hd, f, size, slot)

    return entry(run)
