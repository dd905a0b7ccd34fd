"""The memories of streams on one slab: views of it, and which area is bound."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.prefetch import AHEAD, LINE, fetch
from streamrnn.kernels.reinterpret import reinterpret

SHARES: Final = 3  # parts in which an area is asked for, between the stages of an event; with two it takes a tenth longer, four are no faster
LINE_WORDS: Final = LINE // 8


@kernel
def views(slab):
    """Return the slab as int64 (the header comes first), float32 and float64."""
    return reinterpret(slab, np.int64), reinterpret(slab, np.float32), reinterpret(slab, np.float64)


@kernel
def bind(hd, area):
    """Make another area the one that all offsets mean. Nothing is copied but the counters."""
    if area == hd[at.AREA]:
        return
    head = hd[at.AREA_HEAD]
    hd[head + at.A_FILL], hd[head + at.A_FRESH] = hd[at.FILL], hd[at.FRESH]
    by = (area - hd[at.AREA]) * hd[at.AREA_BYTES]
    for word in (
        at.AREA_HEAD,
        at.X_STATS,
        at.Y_MEAN,
        at.Y_VAR,
        at.Y_COUNT,
        at.GAPS,
        at.LAST,
        at.LAST_TARGETS,
        at.USUAL,
    ):
        hd[word] += by // 8
    for word in (at.OUT, at.D_OUT, at.KNOWN, at.LIVE_OUT):
        hd[word] += by // 4
    if hd[at.EXPERT_BITS] != 1:
        hd[at.TAPE] += by // 8
        hd[at.LIVE_TAPE] += by // 8
        hd[at.MIXTURE] += by // 8
    if hd[at.MEMORY] > 0:
        hd[at.ALARM] += by // 8
        hd[at.WATCH] += by // 8
        hd[at.OUTLOOK] += by // 8
        hd[at.KEPT] += by // 4
    for layer in range(hd[at.LAYERS]):
        for word in (at.TRACE, at.XS, at.REC, at.LIVE_XS, at.LIVE_REC):
            hd[at.LAYER_0 + layer * at.LAYER_WORDS + word] += by // 4
    head = hd[at.AREA_HEAD]
    hd[at.FILL], hd[at.FRESH] = hd[head + at.A_FILL], hd[head + at.A_FRESH]
    hd[at.AREA] = area
    hd[hd[at.PREPARED]] = 0
    hd[hd[at.PREPARED] + at.JUDGED] = 0


@kernel
def learns_statistics(hd):
    """Tell whether running statistics follow the stream: those of a key are its own, and do even where the net is frozen."""
    return hd[at.FROZEN] == 0 or hd[at.KEYED] != 0


@kernel
def clear(hd, d):
    """Put the bound area back to before its first event."""
    start = hd[at.AREA_HEAD]
    for i in range(hd[at.AREA_BYTES] // 8):
        hd[start + i] = 0
    for i in range(hd[at.INPUTS]):
        d[hd[at.LAST] + i] = np.nan
    for i in range(hd[at.LASTS]):
        d[hd[at.LAST_TARGETS] + i] = np.nan
    d[start + at.A_CLOCK] = np.nan
    hd[at.FILL], hd[at.FRESH] = 0, 0
    hd[hd[at.PREPARED]] = 0
    hd[hd[at.PREPARED] + at.JUDGED] = 0


@kernel
def choose_area(hd, d, code):
    """Bind the area that a keyed row names: ``area``, or ``-area`` to begin it anew."""
    area = int(abs(code))
    bind(hd, area)
    if code < 0.0:
        clear(hd, d)


@kernel
def ask_for(hd, start, share):
    """Ask for one of ``SHARES`` parts of the area that begins at ``start``: every third line.

    A processor waits for some 16 lines at a time, and an area has 42 and more: asked for all at once it would stand still, and while it works on an event the rest of the way is free.
    """
    if start >= 0:
        for i in range(start + share * LINE_WORDS, start + (hd[at.AREA_BYTES] >> 3), SHARES * LINE_WORDS):
            fetch(hd, i)


@kernel
def choose_area_of(hd, d, rows, e, n, width):
    """Bind the area that row e of n names, ask for the first part of that of the row some rows later, and return where it begins; -1 where there is none to ask for.

    At random among many it lies in no cache.
    """
    now, later = (e + 1) * width - 1, (e + AHEAD + 1) * width - 1
    choose_area(hd, d, rows[now])
    if e + AHEAD >= n or rows[later] == rows[now]:
        return -1
    start = hd[at.AREA_HEAD] + (int(abs(rows[later])) - hd[at.AREA]) * (hd[at.AREA_BYTES] // 8)
    ask_for(hd, start, 0)
    return start


@kernel
def swap_live(hd):
    """Exchange the state that learns and the one that runs ahead; twice is nothing."""
    hd[at.OUT], hd[at.LIVE_OUT] = hd[at.LIVE_OUT], hd[at.OUT]
    hd[at.FILL], hd[at.LIVE_FILL] = hd[at.LIVE_FILL], hd[at.FILL]
    hd[at.TAPE], hd[at.LIVE_TAPE] = hd[at.LIVE_TAPE], hd[at.TAPE]
    for layer in range(hd[at.LAYERS]):
        b = at.LAYER_0 + layer * at.LAYER_WORDS
        hd[b + at.XS], hd[b + at.LIVE_XS] = hd[b + at.LIVE_XS], hd[b + at.XS]
        hd[b + at.REC], hd[b + at.LIVE_REC] = hd[b + at.LIVE_REC], hd[b + at.REC]
    hd[hd[at.PREPARED]] = 0


@kernel
def move_on(hd, f, size):
    """Make the step in slot 0 the past of the next one, in every layer: records of ``size``. For the live state."""
    for layer in range(hd[at.LAYERS]):
        rec = hd[at.LAYER_0 + layer * at.LAYER_WORDS + at.REC]
        for i in range(size):
            f[rec + i] = f[rec + size + i]
    hd[hd[at.PREPARED]] = 0
