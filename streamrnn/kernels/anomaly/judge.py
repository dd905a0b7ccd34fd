"""What a detector finds out about an event: what was expected, its score, and the row that reports both."""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.anomaly import alarm, expectation, novelty, outlook, policy, sticking, surprise
from streamrnn.kernels.anomaly.feedback import BY_VIEW, RANGE, RESIDUAL, STICKING, SURPRISE, deciding_view
from streamrnn.kernels.anomaly.size import SETTLED, conditional_size
from streamrnn.kernels.anomaly.views import INFORMATION, VIEWS
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.scaler import spread
from streamrnn.kernels.net.targets import unscale_output
from streamrnn.kernels.net.words import FOUND_WORDS, LANES
from streamrnn.kernels.reinterpret import reinterpret

FAR: Final = 3.0  # standard deviations: beyond is outside the usual
LARGEST_COMPARED: Final = 1e100  # its square is a float64


@kernel
def number(o, v):
    """Return value v of a feature with this outlook: infinity is the largest number there is, and missing while nothing is known. NaN stays NaN."""
    if v != v or (abs(v) == np.inf and not o[outlook.COUNTED] > SETTLED):  # noqa: PLR0124  NaN
        return np.nan
    return min(max(v, -LARGEST_COMPARED), LARGEST_COMPARED)


@kernel
def observed(hd, d, i, x):
    """Return value x of feature i as it is compared and learned: NaN where it is not valid, and where nothing is learned from the event."""
    po = d[hd[at.POLICY] + at.POLICY_WORDS * i : hd[at.POLICY] + at.POLICY_WORDS * (i + 1)]
    if hd[hd[at.PREPARED] + at.PAUSED] != 0 or not policy.is_valid(po, x):
        return np.nan
    return number(d[hd[at.OUTLOOK] + i * hd[at.OUTLOOK_SIZE] : hd[at.OUTLOOK] + (i + 1) * hd[at.OUTLOOK_SIZE]], x)


@kernel
def expect(hd, d, F, expected):
    """Write what is expected of the next event into ``expected`` (F); NaN for a feature that has not been seen."""
    for i in range(F):
        o = d[hd[at.OUTLOOK] + i * hd[at.OUTLOOK_SIZE] : hd[at.OUTLOOK] + (i + 1) * hd[at.OUTLOOK_SIZE]]
        expected[i] = o[outlook.EXPECTED] if o[outlook.AGE] > 0.0 else np.nan


@kernel
def net_forecast(hd, f, d, F, i):
    """Return what the net alone expects of a feature next; NaN before it has seen it."""
    slot = hd[at.FILL] - 1
    change = unscale_output(hd, d, i, float(f[hd[at.OUT] + slot * F + i]))
    return d[hd[at.LAST] + hd[at.TIMED] + 2 * i] + change


@kernel
def statistics(hd, d, i):
    """Return mean, spread and count of a feature's values."""
    j = hd[at.TIMED] + 2 * i
    block = hd[at.X_STATS] + j // LANES * 3 * LANES + j % LANES
    mean = d[block]
    return mean, spread(mean, d[block + LANES]), d[block + 2 * LANES]


@kernel
def _surprise(o, po, gain, away, taken, expected, level, own):
    """Write how rare it is that a value is as far ``away`` from what was expected, and values of late with it (``taken``: as it is learned); and whether one exceeds."""
    if not (o[outlook.AGE] > 0.0 and away == away):  # noqa: PLR0124  NaN
        return
    one = o[outlook.ONE_STEP : outlook.ONE_STEP + outlook.LOOK_WORDS]
    mean = o[outlook.SMOOTHED : outlook.SMOOTHED + outlook.LOOK_WORDS]
    far = o[outlook.COURSE : outlook.COURSE + outlook.LOOK_WORDS]
    drift, course = surprise.smoothed(o, taken - expected), expectation.course(o, taken)
    more = (1.0 + gain) / conditional_size(o)
    v, m, c = (
        more * surprise.size_of(one, abs(away)),
        more * surprise.size_of(mean, abs(policy.on_side(po, drift))),
        more * surprise.course_size(o, policy.on_side(po, course)),
    )
    p, q, r = surprise.tail(one, v), surprise.tail(mean, m), surprise.tail(far, c)
    least = min(p, q, r)
    own[novelty.SURPRISE_P], own[novelty.SURPRISE_VIEW] = least, -np.log10(least)
    if surprise.exceeds(v, p, level) or surprise.exceeds(m, q, level) or surprise.exceeds(c, r, level):
        own[novelty.SURPRISED] = alarm.NEWLY_SURPRISED if surprise.begins(o, least) else alarm.STILL_SURPRISED


@kernel
def judge(hd, f, d, F, x, expected):
    """Write FOUND for x: of each feature, then of the event.

    The event's: raw score, deciding feature, whether a value is outside the usual, score after habituation, threshold,
    flags, p-value, and the view that decides.
    """
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    now, kept = reinterpret(x, np.int64), reinterpret(found, np.int64)
    same = hd[hd[at.PREPARED] + at.JUDGED] != 0
    for i in range(F):
        same = same & (kept[FOUND_WORDS * i + FOUND_WORDS - 1] == now[i])
    if same:
        return
    rule, M = hd[at.RULE], hd[at.MEMORY]
    size, keeps = hd[at.WATCH_SIZE], hd[at.KEPT_SIZE]
    event = found[FOUND_WORDS * F :]
    event[0], event[1], event[2] = 0.0, 0.0, 0.0
    a = d[hd[at.ALARM] : hd[at.ALARM] + hd[at.ALARM_SIZE]]
    warm = a[alarm.ALARM_EVENTS] >= d[rule + alarm.WARM_UP]
    rate = alarm.rate_of(d[rule : rule + at.RULE_WORDS], d[hd[at.GAPS]])
    level = surprise.level(a[alarm.SURPRISE_DEBT], alarm.SURPRISE_SHARE * rate / F) if warm else 0.0
    most, surprised, missed, residual = 0, 0.0, 0, 0.0
    for i in range(F):
        own = found[FOUND_WORDS * i : FOUND_WORDS * (i + 1)]
        for j in range(FOUND_WORDS - 1):
            own[j] = 0.0
        own[FOUND_WORDS - 1], own[novelty.SURPRISE_P] = x[i], 1.0
        o = d[hd[at.OUTLOOK] + i * hd[at.OUTLOOK_SIZE] : hd[at.OUTLOOK] + (i + 1) * hd[at.OUTLOOK_SIZE]]
        po = d[hd[at.POLICY] + at.POLICY_WORDS * i : hd[at.POLICY] + at.POLICY_WORDS * (i + 1)]
        v = observed(hd, d, i, x[i])
        if hd[hd[at.PREPARED] + at.PAUSED] == 0 and not policy.is_valid(po, x[i]):
            own[novelty.WRONG], own[novelty.RANGE_VIEW] = policy.kind_of(o[outlook.INVALID_LEFT] > 0.0), 1.0
        if v != v:  # noqa: PLR0124  NaN
            continue
        p = sticking.p_of_run(o, sticking.run_with(o, v), rate) if warm else 1.0
        if p < 1.0:
            going_on = o[outlook.IS_STUCK] != 0.0 or a[alarm.EPISODE_EVENTS] > 0.0
            own[novelty.STICKS], own[novelty.STICKING_VIEW] = policy.kind_of(going_on), -np.log10(p)
        w = d[hd[at.WATCH] + i * size : hd[at.WATCH] + (i + 1) * size]
        relative = v - (w[novelty.ORIGIN] if w[novelty.SEEN] > 0.0 else v)
        memory = f[hd[at.KEPT] + i * keeps : hd[at.KEPT] + (i + 1) * keeps]
        gains = d[hd[at.GAINS] + at.GAIN_WORDS * i : hd[at.GAINS] + at.GAIN_WORDS * (i + 1)]
        novelty.compare(w, memory, M, relative, gains, own)
        away = policy.deviation(po, o, v, expected[i])
        if policy.counts(po, o, away, expected[i]):
            _surprise(o, po, gains[3], away, expectation.taken(o, v), expected[i], level, own)
            if (1.0 + gains[2]) * own[novelty.RESIDUAL_VIEW] > residual:
                missed, residual = i, (1.0 + gains[2]) * own[novelty.RESIDUAL_VIEW]
        else:
            own[novelty.FEATURE_SCORE] = 0.0
        if own[novelty.FEATURE_SCORE] > event[0]:
            event[0], event[1] = own[novelty.FEATURE_SCORE], float(i)
        surprised = max(surprised, own[novelty.SURPRISED])
        if own[novelty.SURPRISE_P] < d[hd[at.FOUND] + FOUND_WORDS * most + novelty.SURPRISE_P]:
            most = i
        if d[hd[at.ALARM] + alarm.EPISODE_EVENTS] > 0.0:
            away = abs(v - w[novelty.USUAL_MEAN])
            if away > FAR * w[novelty.USUAL_SPREAD]:
                event[2] = 1.0
    _habituate(a, event, missed, min(residual, 1.0))
    event[4] = alarm.threshold(a, rate) if M >= alarm.LEAST_NOVEL else alarm.NO_THRESHOLD
    flags = alarm.decide(a, d[rule : rule + at.RULE_WORDS], event[3], event[4], event[2], int(surprised))
    _choose(a, event, most, found[FOUND_WORDS * most + novelty.SURPRISE_P])
    event[5] = float(_with_wrong(a, F, found, event, flags))
    hd[hd[at.PREPARED] + at.JUDGED] = 1


@kernel
def _habituate(a, event, missed, residual):
    """Write the event's score: of what remains after habituation and of its largest residual, which is of feature ``missed``, the higher."""
    event[3], event[BY_VIEW] = alarm.after_habituation(a, event[0]), 0.0
    if residual > event[3]:
        event[1], event[3], event[BY_VIEW] = float(missed), residual, float(RESIDUAL)


@kernel
def _with_wrong(a, F, found, event, flags):
    """Return the flags of an event with what is outside its range, or sticks; let that decide: what is new, else what was before if nothing alarms."""
    for kind in range(policy.NEWLY_WRONG, policy.FINE, -1):
        if kind == policy.STILL_WRONG and flags & alarm.FLAG_ALARM:
            event = found[:0]  # another feature alarms
        for i in range(F):
            own = found[FOUND_WORDS * i : FOUND_WORDS * (i + 1)]
            outside = own[novelty.WRONG] == kind
            if not (outside or own[novelty.STICKS] == kind):
                continue
            flags |= alarm.FLAG_WRONG
            if kind == policy.NEWLY_WRONG and (outside or alarm.free(a)):
                flags |= alarm.FLAG_ALARM
            p, view = (policy.CERTAIN, RANGE) if outside else (10.0 ** -own[novelty.STICKING_VIEW], STICKING)
            if len(event) and p < event[6]:
                event[1], event[6], event[BY_VIEW] = float(i), p, float(view)
    return flags


@kernel
def pause(hd, d, F):
    """Leave of the judgement what is no alarm: the event is one of a maintenance."""
    place = hd[at.FOUND] + FOUND_WORDS * F + 5
    d[place] = float(int(d[place]) & alarm.FLAG_WARM)
    hd[hd[at.PREPARED] + at.JUDGED] = 0


@kernel
def _choose(a, event, most, p):
    """Write the event's p-value, and which feature and kind of view decides: the rarer; novelty below its floor counts for nothing.

    ``most``, p: the feature that surprises most, and its p-value.
    """
    rank = alarm.p_value(a, event[3])
    event[6] = rank
    if p < (rank if event[3] >= alarm.SCORE_FLOOR else 1.0):
        event[1], event[6], event[BY_VIEW] = float(most), p, float(SURPRISE)


@kernel
def answer(hd, d, F, row):
    """Write the judgement into a row that begins with x: score, and all that stands behind what was expected."""
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    event = found[FOUND_WORDS * F :]
    a = d[hd[at.ALARM] : hd[at.ALARM] + hd[at.ALARM_SIZE]]
    flags = int(event[5])
    row[F] = 1.0 if event[BY_VIEW] == RANGE else event[3]
    out = row[2 * F + 1 :]
    out[0], out[1], out[2] = event[6], max(event[4], alarm.SCORE_FLOOR), event[5]
    out[3] = alarm.since(a, flags)
    first = int(event[1])
    for j in range(len(VIEWS)):
        out[4 + j] = found[FOUND_WORDS * first + novelty.VALUE_VIEW + j]
    behind = out[4 + len(VIEWS) :]
    behind[0], behind[1], behind[2] = float(first), float(deciding_view(hd, d, F)), alarm.episode(a, flags)
    for i in range(F):
        out[INFORMATION + i] = found[FOUND_WORDS * i + novelty.FEATURE_SCORE]
        out[INFORMATION + F + i] = np.sqrt(d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] + novelty.SPREAD])
