"""The entry for anomaly detection without labels: the next events are the targets.

One row an event, float64: ``time, if it counts | x (F) | score | expected (F) | p-value | threshold | flags | events since
the episode began | views of the first feature that decides (4) | that feature | the view that does | evidence of each feature
(F) | spread of what was expected (F) | area, if the net is keyed``. The net
sees the gap since the event before, every feature and its change since the last event (2 F inputs), and states each feature's next
change (F outputs), in units of the changes' running spread: persistence is what it knows before it has learned
anything. :mod:`~streamrnn.kernels.horizons` reads its hidden state and states each feature 2 and 8 events ahead;
:mod:`~streamrnn.kernels.novelty` compares what comes with all that has been; the largest evidence of a feature is the event's, and
:mod:`~streamrnn.kernels.alarm` says when it is an alarm.

While an alarm is fresh (``protect`` events) nothing is learned from what comes: the net is not led astray by it.
"""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np

from streamrnn.kernels import alarm, horizons, novelty
from streamrnn.kernels import layout as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import entry, kernel, reinterpret, sources_digest
from streamrnn.kernels.events import (
    absorb_inputs,
    choose_area,
    commit,
    learn_slot,
    scale_target,
    stage,
    unscale_output,
    views,
)
from streamrnn.kernels.layout import FOUND_WORDS, LANES
from streamrnn.kernels.net import update
from streamrnn.kernels.scaler import spread, usable

SCORE: Final = 1
LEARN: Final = 2
WAS_ANOMALY: Final = 4  # the user says so of this event
WAS_USUAL: Final = 8
INFORMATION: Final = 10  # words of a row between what was expected and the evidence of each feature
FAR: Final = 3.0  # standard deviations: beyond is outside the usual
SHIFT: Final = 1.25  # by which one word of the user's moves the weight of the view that decided
MOST_SHIFT: Final = 4.0


@kernel
def _expect(hd, f, d, F, expected):
    """Write what the net expects of the next event; NaN for a feature that has not been seen."""
    slot = hd[at.FILL] - 1
    for i in range(F):
        expected[i] = np.nan
        if slot >= 0:
            change = unscale_output(hd, d, i, float(f[hd[at.OUT] + slot * F + i]))
            expected[i] = d[hd[at.LAST] + hd[at.TIMED] + 2 * i] + change


@kernel
def _statistics(hd, d, i):
    """Return mean, spread and count of a feature's values."""
    j = hd[at.TIMED] + 2 * i
    block = hd[at.X_STATS] + j // LANES * 3 * LANES + j % LANES
    mean = d[block]
    return mean, spread(mean, d[block + LANES]), d[block + 2 * LANES]


@kernel
def _judge(hd, f, d, F, x):
    """Write FOUND for x: of each feature, then of the event.

    The event's: raw evidence, the feature that decides, whether a value is outside the usual, what is left of the
    evidence, threshold, flags.
    """
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    now = reinterpret(x, np.int64)
    kept = reinterpret(found, np.int64)
    same = hd[hd[at.STAGED] + at.JUDGED] != 0
    for i in range(F):
        same = same & (kept[FOUND_WORDS * i + FOUND_WORDS - 1] == now[i])
    if same:
        return
    rule, M = hd[at.RULE], hd[at.MEMORY]
    size, keeps = hd[at.WATCH_SIZE], hd[at.KEPT_SIZE]
    event = found[FOUND_WORDS * F :]
    event[0], event[1], event[2] = 0.0, 0.0, 0.0
    for i in range(F):
        own = found[FOUND_WORDS * i : FOUND_WORDS * (i + 1)]
        for j in range(FOUND_WORDS - 1):
            own[j] = 0.0
        own[FOUND_WORDS - 1] = x[i]
        if not usable(x[i]):
            continue
        w = d[hd[at.WATCH] + i * size : hd[at.WATCH] + (i + 1) * size]
        relative = x[i] - (w[novelty.ORIGIN] if w[novelty.SEEN] > 0.0 else x[i])
        memory = f[hd[at.KEPT] + i * keeps : hd[at.KEPT] + (i + 1) * keeps]
        gains = d[hd[at.GAINS] + at.GAIN_WORDS * i : hd[at.GAINS] + at.GAIN_WORDS * (i + 1)]
        novelty.compare(w, memory, M, relative, gains, own)
        if own[novelty.EVIDENCE] > event[0]:
            event[0], event[1] = own[novelty.EVIDENCE], float(i)
        if d[hd[at.ALARM] + alarm.SINCE] > 0.0:
            away = abs(x[i] - w[novelty.USUAL])
            if away > FAR * w[novelty.USUAL_SPREAD]:
                event[2] = 1.0
    a = d[hd[at.ALARM] : hd[at.ALARM] + at.ALARM_WORDS]
    event[3] = alarm.rest(a, event[0])
    event[4] = alarm.threshold(a, d[rule : rule + at.RULE_WORDS])
    event[5] = float(alarm.decide(a, d[rule : rule + at.RULE_WORDS], event[3], event[4], event[2]))
    hd[hd[at.STAGED] + at.JUDGED] = 1


@kernel
def corrected(gain, is_anomaly):
    """Return what a view counts more than once, after one word of the user's on an event that it decided."""
    by = SHIFT if is_anomaly else 1.0 / SHIFT
    return min(max((1.0 + gain) * by, 1.0 / MOST_SHIFT), MOST_SHIFT) - 1.0


@kernel
def _decider(hd, d, F):
    """Return the view that decides the event that was judged, in the feature that does."""
    first = int(d[hd[at.FOUND] + FOUND_WORDS * F + 1])
    gains = d[hd[at.GAINS] + at.GAIN_WORDS * first : hd[at.GAINS] + at.GAIN_WORDS * (first + 1)]
    return novelty.decider(gains, d[hd[at.FOUND] + FOUND_WORDS * first : hd[at.FOUND] + FOUND_WORDS * (first + 1)])


@kernel
def _answer(hd, d, F, row):
    """Write the judgement into a row that begins with x: score, and all that stands behind what was expected."""
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    event = found[FOUND_WORDS * F :]
    a = d[hd[at.ALARM] : hd[at.ALARM] + at.ALARM_WORDS]
    row[F] = event[3]
    out = row[2 * F + 1 :]
    least = max(event[4], alarm.floor(d[hd[at.RULE] : hd[at.RULE] + at.RULE_WORDS]))
    out[0], out[1], out[2] = alarm.p_value(a, event[3]), least, event[5]
    out[3] = a[alarm.SINCE]
    first = int(event[1])
    for j in range(4):
        out[4 + j] = found[FOUND_WORDS * first + novelty.VALUE + j]
    out[8] = float(first)
    out[9] = float(_decider(hd, d, F))
    for i in range(F):
        out[INFORMATION + i] = found[FOUND_WORDS * i + novelty.EVIDENCE]
        out[INFORMATION + F + i] = np.sqrt(d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] + novelty.SPREAD])


@kernel
def _hear(hd, d, F, mode):
    """Let the user's word on an event move the weight of the view that decided it, in the feature that did."""
    view = _decider(hd, d, F)
    if view >= 0:
        first = int(d[hd[at.FOUND] + FOUND_WORDS * F + 1])
        place = hd[at.GAINS] + at.GAIN_WORDS * first + max(view - 1, 0)  # value and expectation count together
        d[place] = corrected(d[place], mode & WAS_ANOMALY != 0)


@kernel
def _follow(hd, d, F, x, expected):
    """Take the judgement into the memories: of the alarm rule, and of what is expected how well."""
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    event = found[FOUND_WORDS * F :]
    a, rule = d[hd[at.ALARM] : hd[at.ALARM] + at.ALARM_WORDS], d[hd[at.RULE] : hd[at.RULE] + at.RULE_WORDS]
    begins = alarm.follow(a, rule, event[0], event[3], int(event[5]), event[2])
    for i in range(F):
        w = d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] : hd[at.WATCH] + (i + 1) * hd[at.WATCH_SIZE]]
        if begins:
            w[novelty.USUAL], w[novelty.USUAL_SPREAD], _ = _statistics(hd, d, i)
        if usable(x[i]) and usable(expected[i]):
            n, error = w[novelty.SEEN], x[i] - expected[i]
            w[novelty.SPREAD] = novelty.clipped(w[novelty.SPREAD], error * error, n)


@functools.cache
def detector(cell: str, hidden: int) -> Any:
    """Return ``run(slab, rows, n, mode)`` for one cell and one hidden size."""
    stamp = sources_digest(CELLS[cell])
    R, h_at = CELLS[cell].record * hidden, CELLS[cell].h * hidden

    def run(slab, rows, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        F, T = hd[at.OUTPUTS], hd[at.TIMED]
        width = T + 4 * F + 1 + INFORMATION + hd[at.KEYED]
        targets, net_row = hd[at.TARGET], d[hd[at.NET_ROW] : hd[at.NET_ROW] + T + 2 * F]
        M, phi = hd[at.MEMORY], hd[at.PHI]
        gain = d[hd[at.FOUND] + FOUND_WORDS * (F + 1) : hd[at.FOUND] + FOUND_WORDS * (F + 1) + 3 * phi]
        echo = f[hd[at.ECHO] : hd[at.ECHO] + 2 * at.ECHO_UNITS]
        top = at.LAYER_0 + (hd[at.LAYERS] - 1) * at.LAYER_WORDS
        persistence = d[hd[at.RULE] + alarm.PERSISTENCE] != 0.0
        last = hd[at.LAST]
        for e in range(n):
            row = rows[e * width : (e + 1) * width]
            x, expected = row[T : T + F], row[T + F + 1 : T + 2 * F + 1]
            if hd[at.KEYED] != 0:
                choose_area(hd, d, row[width - 1])
                last = hd[at.LAST]
            if T > 0:
                net_row[0] = row[0]
            _expect(hd, f, d, F, expected)
            _judge(hd, f, d, F, x)
            if mode & SCORE:
                _answer(hd, d, F, row[T:])
            if mode & LEARN:
                if mode & (WAS_ANOMALY | WAS_USUAL):
                    _hear(hd, d, F, mode)
                _follow(hd, d, F, x, expected)
                guarded = d[hd[at.ALARM] + alarm.GUARD] > 0.0 or mode & WAS_ANOMALY != 0
                # the last event learns what followed it
                for i in range(F):
                    change = x[i] - d[last + T + 2 * i] if usable(x[i]) else np.nan
                    net_row[T + 2 * i] = x[i]
                    net_row[T + 2 * i + 1] = change
                    d[targets + i] = np.nan if guarded else scale_target(hd, d, i, change)
                if hd[at.FILL] > 0:
                    learn_slot(hd, f, d, hd[at.FILL] - 1, d[targets : targets + F])
                    if hd[at.FRESH] >= hd[at.STRIDE]:
                        update(cell, hidden, hd, f, d)
                stage(cell, hidden, hd, f, d, net_row)
                absorb_inputs(hd, d)
                commit(hd)
                hidden_at = hd[top + at.REC] + hd[at.FILL] * R + h_at
                for i in range(F):
                    if not usable(x[i]):
                        continue
                    d[last + T + 2 * i] = x[i]
                    w = d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] : hd[at.WATCH] + (i + 1) * hd[at.WATCH_SIZE]]
                    kept = f[hd[at.KEPT] + i * hd[at.KEPT_SIZE] : hd[at.KEPT] + (i + 1) * hd[at.KEPT_SIZE]]
                    head = d[hd[at.HEADS] + i * hd[at.HEAD_SIZE] : hd[at.HEADS] + (i + 1) * hd[at.HEAD_SIZE]]
                    lines = kept[hd[at.KEPT_SIZE] - at.DEPTH * phi :]
                    if not w[novelty.SEEN] > 0.0:
                        w[novelty.ORIGIN] = x[i]
                    if not head[0] > 0.0:
                        horizons.start(head, phi)
                    found = d[hd[at.FOUND] + FOUND_WORDS * i : hd[at.FOUND] + FOUND_WORDS * (i + 1)]
                    novelty.remember(w, kept, M, found, hd[hd[at.ORDER] :])
                    seen = int(w[novelty.SEEN]) - 1
                    if not persistence:
                        for j in range(hidden):
                            lines[seen % at.DEPTH * phi + j] = f[hidden_at + j]
                        horizons.look(w, lines, echo, phi, hidden, d[hd[at.SCALED] + T + 2 * i])
                        if not guarded and hd[at.FROZEN] == 0:
                            horizons.learn(w, head, lines, phi, gain)
                    _, unit, _ = _statistics(hd, d, i)
                    horizons.forecast(w, head, lines, phi, unit, persistence)
                hd[hd[at.STAGED] + at.JUDGED] = 0

    return entry(run)
