"""The nets: one output for each channel and step ahead, trained by a pointer that follows H events behind.

Two hidden states run (:func:`streamrnn.kernels.net.areas.swap_live`). The live one takes every event in and states by how much each
channel will have changed after 1 ... H steps, in units of those changes' running spread. The other follows H events later, over the same
standardised inputs, and learns: all the values that were spoken of have come, and each is learned once.

A net sees each channel from its first value on, turned so that its first change is upwards: a series that is scaled, shifted
or turned upside down is forecast as the series itself, scaled, shifted or turned.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.bounds import place
from streamrnn.kernels.forecast.experts.contract import Expert
from streamrnn.kernels.net import words as net_at
from streamrnn.kernels.net.areas import move_on, swap_live
from streamrnn.kernels.net.events import absorb_inputs, commit, place_inputs, stage
from streamrnn.kernels.net.forward import forward
from streamrnn.kernels.net.targets import learn_slot, scale_target, unscale_output
from streamrnn.kernels.net.update import update

NET: Final = 5
NET_ROW: Final = Expert("lstm", NET, prior=2.0, rate=0.2, init="classic")
NET_FAST_ROW: Final = Expert("lstm_fast", NET, prior=0.5, rate=0.6, init="timescales", stride=1)

# What an input is: 3 * (channel or feature) + one of these, or TIME.
VALUE, CHANGE, FEATURE = range(3)
TIME: Final = -1


@kernel
def inputs(hd, d, t, row):
    """Write the nets' inputs for the event at t, whose row begins with [time] y (C) | x (F)."""
    C, H, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.TIMED]
    slot, before = t % (H + 1), (t - 1) % (H + 1)
    for i in range(hd[at.INPUTS]):
        code = hd[hd[at.INPUT_OF] + i]
        c, kind = code // 3, code % 3
        if code < 0:
            v = row[0]
        elif kind == FEATURE:
            v = row[T + C + c]
        else:
            v = d[hd[at.RAW] + c * (H + 1) + slot]
            v -= d[hd[at.FIRST] + c] if kind == VALUE else (d[hd[at.BASE] + c * (H + 1) + before] if t > 0 else np.nan)
            v *= d[hd[at.SIGN] + c]
        d[hd[at.ROW] + i] = v


@chosen_by_cell
def ahead(cell, hidden):
    """Let the live state take the event in, and keep its standardised inputs for the one that follows."""
    size = CELLS[cell].record * hidden

    @kernel
    def run(hd, d, nh, nf, nd, k, t):
        I = hd[at.INPUTS]
        swap_live(nh)
        stage(cell, hidden, nh, nf, nd, d[hd[at.ROW] : hd[at.ROW] + I])
        absorb_inputs(nh, nd)
        kept = hd[at.PENDING] + (k * (hd[at.HORIZON] + 1) + t % (hd[at.HORIZON] + 1)) * I
        for i in range(I):
            d[kept + i] = nd[nh[net_at.SCALED] + i]
        move_on(nh, nf, size)
        swap_live(nh)

    return run


@chosen_by_cell
def follow(cell, hidden):
    """Let the other state take in the event at t - H, and learn what was said then."""

    @kernel
    def run(hd, d, nh, nf, nd, k, t):
        I, H, C = hd[at.INPUTS], hd[at.HORIZON], hd[at.CHANNELS]
        kept = hd[at.PENDING] + (k * (H + 1) + (t - H) % (H + 1)) * I
        for i in range(I):
            nd[nh[net_at.SCALED] + i] = d[kept + i]
        place_inputs(nh, nf, nd)
        forward(cell, hidden, nh, nf)
        nh[nh[net_at.STAGED]] = 0
        slot = nh[net_at.FILL]
        commit(nh)
        targets = nh[net_at.TARGET]
        for c in range(C):
            raw, sign = hd[at.RAW] + c * (H + 1), d[hd[at.SIGN] + c]
            base = d[hd[at.BASE] + c * (H + 1) + (t - H) % (H + 1)]
            place = (t - H) % (H + 1)
            for h in range(H):
                place = place + 1 if place < H else 0
                change = sign * (d[raw + place] - base)
                nd[targets + c * H + h] = scale_target(nh, nd, c * H + h, change)
        learn_slot(nh, nf, nd, slot, nd[targets : targets + C * H])
        if nh[net_at.FRESH] >= nh[net_at.STRIDE]:
            update(cell, hidden, nh, nf, nd)

    return run


@kernel
def net(hd, d, nh, nf, nd, c, e, value):
    """State the forecasts that the live state made."""
    H = hd[at.HORIZON]
    into = place(hd, c, e)
    for h in range(H):
        change = unscale_output(nh, nd, c * H + h, float(nf[nh[net_at.LIVE_OUT] + c * H + h]))
        d[into + h] = value + d[hd[at.SIGN] + c] * change
