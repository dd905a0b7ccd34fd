"""What a detector finds out about an event: what was expected, its score, and the row that reports both."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import alarm, novelty
from streamrnn.kernels.anomaly.feedback import deciding_view
from streamrnn.kernels.anomaly.views import INFORMATION
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.scaler import spread, usable
from streamrnn.kernels.net.targets import unscale_output
from streamrnn.kernels.net.words import FOUND_WORDS, LANES
from streamrnn.kernels.reinterpret import reinterpret

FAR: Final = 3.0  # standard deviations: beyond is outside the usual


@kernel
def expect(hd, f, d, F, expected):
    """Write what the net forecasts for the next event into ``expected`` (F); NaN for a feature that has not been seen."""
    slot = hd[at.FILL] - 1
    for i in range(F):
        expected[i] = np.nan
        if slot >= 0:
            change = unscale_output(hd, d, i, float(f[hd[at.OUT] + slot * F + i]))
            expected[i] = d[hd[at.LAST] + hd[at.TIMED] + 2 * i] + change


@kernel
def statistics(hd, d, i):
    """Return mean, spread and count of a feature's values."""
    j = hd[at.TIMED] + 2 * i
    block = hd[at.X_STATS] + j // LANES * 3 * LANES + j % LANES
    mean = d[block]
    return mean, spread(mean, d[block + LANES]), d[block + 2 * LANES]


@kernel
def judge(hd, f, d, F, x):
    """Write FOUND for x: of each feature, then of the event.

    The event's: raw score, deciding feature, whether a value is outside the usual, score after habituation, threshold,
    flags.
    """
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    now = reinterpret(x, np.int64)
    kept = reinterpret(found, np.int64)
    same = hd[hd[at.PREPARED] + at.JUDGED] != 0
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
        if own[novelty.FEATURE_SCORE] > event[0]:
            event[0], event[1] = own[novelty.FEATURE_SCORE], float(i)
        if d[hd[at.ALARM] + alarm.EPISODE_EVENTS] > 0.0:
            away = abs(x[i] - w[novelty.USUAL_MEAN])
            if away > FAR * w[novelty.USUAL_SPREAD]:
                event[2] = 1.0
    a = d[hd[at.ALARM] : hd[at.ALARM] + at.ALARM_WORDS]
    event[3] = alarm.after_habituation(a, event[0])
    event[4] = alarm.threshold(a, d[rule : rule + at.RULE_WORDS])
    event[5] = float(alarm.decide(a, d[rule : rule + at.RULE_WORDS], event[3], event[4], event[2]))
    hd[hd[at.PREPARED] + at.JUDGED] = 1


@kernel
def answer(hd, d, F, row):
    """Write the judgement into a row that begins with x: score, and all that stands behind what was expected."""
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    event = found[FOUND_WORDS * F :]
    a = d[hd[at.ALARM] : hd[at.ALARM] + at.ALARM_WORDS]
    row[F] = event[3]
    out = row[2 * F + 1 :]
    least = max(event[4], alarm.floor(d[hd[at.RULE] : hd[at.RULE] + at.RULE_WORDS]))
    out[0], out[1], out[2] = alarm.p_value(a, event[3]), least, event[5]
    out[3] = a[alarm.EPISODE_EVENTS]
    first = int(event[1])
    for j in range(4):
        out[4 + j] = found[FOUND_WORDS * first + novelty.VALUE_VIEW + j]
    out[8] = float(first)
    out[9] = float(deciding_view(hd, d, F))
    for i in range(F):
        out[INFORMATION + i] = found[FOUND_WORDS * i + novelty.FEATURE_SCORE]
        out[INFORMATION + F + i] = np.sqrt(d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] + novelty.SPREAD])
