"""The nets: one output for each channel and step ahead, trained by a pointer that follows H events behind.

Two hidden states run (:func:`streamrnn.kernels.net.areas.swap_live`). The live one takes every event in and forecasts by how much each
channel will have changed after 1 ... H steps, in units of those changes' running spread. The other follows H events later, over the same
standardised inputs, and learns: all values that were forecast have come, and each is learned once.

A net sees each channel from its first value on, turned so that its first change is upwards: a series that is scaled, shifted
or turned upside down is forecast as the series itself, scaled, shifted or turned. Not turned is what aims at a quantile other than the median.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import F32
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import chosen_by_cell, kernel
from streamrnn.kernels.forecast import words as at
from streamrnn.kernels.forecast.experts.contract import Expert, place
from streamrnn.kernels.net import words as net_at
from streamrnn.kernels.net.areas import move_on, swap_live
from streamrnn.kernels.net.events import absorb_inputs, commit, place_inputs, prepare_step
from streamrnn.kernels.net.forward import forward
from streamrnn.kernels.net.targets import learn_slot, scale_target, unscale_output
from streamrnn.kernels.net.update import update

NET_CODE: Final = 5
LSTM_ROW: Final = Expert("lstm", NET_CODE, prior=2.0, rate=0.4, init="classic")
LSTM_FAST_ROW: Final = Expert("lstm_fast", NET_CODE, prior=0.5, rate=0.6, init="timescales", stride=1)

NEAR_STEPS: Final = F32(
    3.0
)  # a step's error counts 1 / (1 + h / 3): were all alike, the first of 24 would be up to 14 % worse

# What an input is: 3 * (channel or feature) + one of these, or TIME_INPUT.
VALUE_INPUT, CHANGE_INPUT, FEATURE_INPUT = range(3)
TIME_INPUT: Final = -1


@kernel
def write_inputs(hd, d, t, row):
    """Write the nets' inputs for the event at t, whose row begins with [time] y (C) | x (F)."""
    C, H, T = hd[at.CHANNELS], hd[at.HORIZON], hd[at.HAS_TIME]
    slot, before = t % (H + 1), (t - 1) % (H + 1)
    for i in range(hd[at.N_INPUTS]):
        code = hd[hd[at.INPUT_OF] + i]
        c, kind = code // 3, code % 3
        if code < 0:
            v = row[0]
        elif kind == FEATURE_INPUT:
            v = row[T + C + c]
        else:
            v = d[hd[at.RAW_VALUES] + c * (H + 1) + slot]
            v -= (
                d[hd[at.FIRST_VALUE] + c]
                if kind == VALUE_INPUT
                else (d[hd[at.BASE] + c * (H + 1) + before] if t > 0 else np.nan)
            )
            v *= d[hd[at.SIGN] + c]
        d[hd[at.ROW] + i] = v


@chosen_by_cell
def advance_live(cell, hidden):
    """Let the live state take the event in, and keep its standardised inputs for the state that learns."""
    size = CELLS[cell].record * hidden

    @kernel
    def run(hd, d, nh, nf, nd, k, t):
        I = hd[at.N_INPUTS]
        swap_live(nh)
        prepare_step(cell, hidden, nh, nf, nd, d[hd[at.ROW] : hd[at.ROW] + I])
        absorb_inputs(nh, nd)
        kept = hd[at.PENDING] + (k * (hd[at.HORIZON] + 1) + t % (hd[at.HORIZON] + 1)) * I
        for i in range(I):
            d[kept + i] = nd[nh[net_at.SCALED_INPUTS] + i]
        move_on(nh, nf, size)
        swap_live(nh)

    return run


@kernel
def _weigh_steps(hd, nh, nf, slot):
    """Let the errors of far steps count for less: the hidden units serve all of them, and what is near can be known best."""
    H = hd[at.HORIZON]
    for c in range(hd[at.CHANNELS]):
        first = nh[net_at.D_OUT] + (slot * hd[at.CHANNELS] + c) * H
        errors = nf[first : first + H]
        for h in range(H):
            errors[h] *= NEAR_STEPS / (NEAR_STEPS + F32(h))


@chosen_by_cell
def learn_behind(cell, hidden):
    """Let the state that learns take in the event at t - H, and learn from its forecasts."""

    @kernel
    def run(hd, d, nh, nf, nd, k, t):
        I, H, C = hd[at.N_INPUTS], hd[at.HORIZON], hd[at.CHANNELS]
        kept = hd[at.PENDING] + (k * (H + 1) + (t - H) % (H + 1)) * I
        for i in range(I):
            nd[nh[net_at.SCALED_INPUTS] + i] = d[kept + i]
        place_inputs(nh, nf, nd)
        forward(cell, hidden, nh, nf)
        nh[nh[net_at.PREPARED]] = 0
        slot = nh[net_at.FILL]
        commit(nh)
        targets = nh[net_at.TARGET]
        for c in range(C):
            raw, sign = hd[at.RAW_VALUES] + c * (H + 1), d[hd[at.SIGN] + c]
            base = d[hd[at.BASE] + c * (H + 1) + (t - H) % (H + 1)]
            place = (t - H) % (H + 1)
            for h in range(H):
                place = place + 1 if place < H else 0
                change = sign * (d[raw + place] - base)
                nd[targets + c * H + h] = scale_target(nh, nd, c * H + h, change)
        learn_slot(nh, nf, nd, slot, nd[targets : targets + C * H])
        _weigh_steps(hd, nh, nf, slot)
        if nh[net_at.FRESH] >= nh[net_at.STRIDE]:
            update(cell, hidden, nh, nf, nd)

    return run


@kernel
def forecast_net(hd, d, nh, nf, nd, c, e, value):
    """Write the forecasts that the live state made."""
    H = hd[at.HORIZON]
    into = place(hd, c, e)
    for h in range(H):
        change = unscale_output(nh, nd, c * H + h, float(nf[nh[net_at.LIVE_OUT] + c * H + h]))
        d[into + h] = value + d[hd[at.SIGN] + c] * change
