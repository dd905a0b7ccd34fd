"""The expert for what bends: a linear model on random Fourier features of the event alone, a rate for each weight; of numbers it learns what the linear expert leaves.

    f_j = cos(w_j . x FOURIER_SCALE / sqrt(n) + b_j),   w normal, b uniform

for the n features of the first event, approximate a Gaussian kernel of width sqrt(n) / FOURIER_SCALE (A. Rahimi, B. Recht, Random features for large-scale kernel machines, NIPS 2007). The step is AdaGrad's with
squares that are forgotten, so that a change of concept is followed within a hundred events: without a past, nothing stands in the way.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.front.table import FOURIER
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY

MOST_INPUT: Final = 5.0  # standard deviations; beyond, all is far away
WAVE_RATE: Final = 0.2  # 0.1 learns noisy rows better, 0.3 changes
SQUARES_FORGET: Final = 0.9995  # 2000 events
SMALLEST_SQUARE: Final = 1e-8
MOST_OUTPUT: Final = 10.0  # standard deviations
TURN: Final = 1.0 / (2.0 * np.pi)


@kernel
def _write_features(hd, d):
    """Write f (D) of the prepared event."""
    I, D = hd[at.INPUTS], FOURIER
    f, w = d[hd[at.WAVES] : hd[at.WAVES] + D], hd[at.WAVE_W]
    for j in range(D):
        f[j] = d[w + j]
    for i in range(I):
        v = min(max(d[hd[at.SCALED_INPUTS] + i], -MOST_INPUT), MOST_INPUT)
        of_input = d[w + (i + 2) * D : w + (i + 3) * D]
        for j in range(D):
            f[j] += v * of_input[j]
    for j in range(
        D
    ):  # cos(2 pi t) by its series, around the nearest half turn: it runs in vector lanes, as the library's does not
        t = f[j] - np.floor(f[j] + 0.5)
        s = (0.25 - abs(t)) * 2.0 * np.pi  # the cosine is sin(s), and s lies within a quarter turn
        q = s * s
        f[j] = s * (1.0 + q * (-1.0 / 6.0 + q * (1.0 / 120.0 + q * (-1.0 / 5040.0 + q / 362880.0))))


@kernel
def state_fourier(hd, d, o):
    """Write the outputs o (K): standardised numbers, or logits; NaN where the event has too many features for it."""
    K, D, u = o.size, FOURIER, hd[at.WAVE_U]
    if hd[at.N_WAVES] == 0:
        for k in range(K):
            o[k] = np.nan
        return
    _write_features(hd, d)
    f = d[hd[at.WAVES] : hd[at.WAVES] + D]
    for k in range(K):
        of_output = d[u + k * D : u + (k + 1) * D]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for j in range(0, D, 4):
            s0 += of_output[j] * f[j]
            s1 += of_output[j + 1] * f[j + 1]
            s2 += of_output[j + 2] * f[j + 2]
            s3 += of_output[j + 3] * f[j + 3]
        s = (s0 + s1) + (s2 + s3)
        o[k] = s if hd[at.LOSS] == CROSS_ENTROPY else min(max(s, -MOST_OUTPUT), MOST_OUTPUT)


@kernel
def learn_fourier(hd, d, e):
    """Learn from the errors e (K; 0 where not known), at the features that are written."""
    if hd[at.N_WAVES] == 0:
        return
    D, square = FOURIER, 0.0
    f, P = d[hd[at.WAVES] : hd[at.WAVES] + D], d[hd[at.WAVE_P] : hd[at.WAVE_P] + D]
    for k in range(e.size):
        square += e[k] * e[k]
    for j in range(D):
        P[j] = SQUARES_FORGET * P[j] + square * f[j] * f[j]
        f[j] *= WAVE_RATE / np.sqrt(P[j] + SMALLEST_SQUARE)
    for k in range(e.size):
        of_output = d[hd[at.WAVE_U] + k * D : hd[at.WAVE_U] + (k + 1) * D]
        for j in range(D):
            of_output[j] += e[k] * f[j]
