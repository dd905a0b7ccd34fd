"""The entry for anomaly detection without labels: the next events are the targets.

The net sees the gap since the event before, every feature and its change since the last event (2 F inputs), and forecasts each
feature's next change (F outputs), in units of the changes' running spread: before it has learned anything it forecasts persistence.
:mod:`~streamrnn.kernels.anomaly.expectation` mixes it with the last value and the shape of the season;
:mod:`~streamrnn.kernels.anomaly.surprise` says how rare an error of that is.
:mod:`~streamrnn.kernels.anomaly.horizons` reads its hidden state and forecasts each feature 2 and 8 events ahead;
:mod:`~streamrnn.kernels.anomaly.novelty` compares an event with all remembered ones; the largest score of a feature is the event's, and
:mod:`~streamrnn.kernels.anomaly.alarm` decides whether it alarms. :mod:`~streamrnn.kernels.anomaly.views` describes a row.

For ``protect`` events after an alarm nothing is learned: the net is not led astray by an anomaly.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from streamrnn.kernels.anomaly import (
    alarm,
    counter,
    expectation,
    horizons,
    novelty,
    outlook,
    policy,
    sticking,
    surprise,
)
from streamrnn.kernels.anomaly.feedback import apply_feedback
from streamrnn.kernels.anomaly.judge import answer, expect, judge, net_forecast, observed, pause, statistics
from streamrnn.kernels.anomaly.views import IN_MAINTENANCE, INFORMATION, LEARN, SCORE, WAS_ANOMALY, WAS_USUAL
from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import ask_for, choose_area_of, learns_statistics, views
from streamrnn.kernels.net.events import absorb_inputs, commit, prepare_step
from streamrnn.kernels.net.scaler import usable
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.kernels.net.targets import learn_slot, scale_target
from streamrnn.kernels.net.update import update
from streamrnn.kernels.net.words import FOUND_WORDS


@kernel
def _read_counters(hd, d, F, row, learns):
    """Put in place of the reading of each counter in a row how fast it has grown."""
    T = hd[at.TIMED]
    for i in range(F):
        if d[hd[at.POLICY] + at.POLICY_WORDS * i + policy.IS_COUNTER] != 0.0:
            o = d[hd[at.OUTLOOK] + i * hd[at.OUTLOOK_SIZE] : hd[at.OUTLOOK] + (i + 1) * hd[at.OUTLOOK_SIZE]]
            v = row[T + i]
            row[T + i] = counter.rate_of(o, v, T != 0, row[0])
            if learns:
                counter.follow_reading(o, v, T != 0, row[0])


@kernel
def _follow(hd, d, F, x, expected):
    """Take the judgement into the memories: of the alarm rule, and of what is expected how well."""
    found = d[hd[at.FOUND] : hd[at.FOUND] + FOUND_WORDS * (F + 1)]
    event = found[FOUND_WORDS * F :]
    a, rule = d[hd[at.ALARM] : hd[at.ALARM] + hd[at.ALARM_SIZE]], d[hd[at.RULE] : hd[at.RULE] + at.RULE_WORDS]
    in_episode = a[alarm.EPISODE_EVENTS] > 0.0
    of_all = alarm.rate_of(rule, d[hd[at.GAPS]])
    begins = alarm.follow(a, rule, of_all, event[0], event[3], int(event[5]), event[2])
    warm, rate = int(event[5]) & alarm.FLAG_WARM != 0, alarm.SURPRISE_SHARE * of_all
    a[alarm.FREE_EPISODES] *= 1.0 - 1.0 / surprise.REMEMBERED
    cost, free = surprise.price(a[alarm.FREE_EPISODES], rate), 0.0
    both = alarm.FLAG_ALARM | alarm.FLAG_NOVEL
    charge = 1.0 if int(event[5]) & both == both else 0.0
    for i in range(F):
        w = d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] : hd[at.WATCH] + (i + 1) * hd[at.WATCH_SIZE]]
        if begins:
            w[novelty.USUAL_MEAN], w[novelty.USUAL_SPREAD], _ = statistics(hd, d, i)
        o = d[hd[at.OUTLOOK] + i * hd[at.OUTLOOK_SIZE] : hd[at.OUTLOOK] + (i + 1) * hd[at.OUTLOOK_SIZE]]
        po = d[hd[at.POLICY] + at.POLICY_WORDS * i : hd[at.POLICY] + at.POLICY_WORDS * (i + 1)]
        v = observed(hd, d, i, x[i])
        taken = expectation.taken(o, v) if v == v else v  # noqa: PLR0124  NaN
        own = found[FOUND_WORDS * i : FOUND_WORDS * (i + 1)]
        own[novelty.TAKEN_VALUE] = taken
        o[outlook.INVALID_LEFT] = policy.follow_wrong(o[outlook.INVALID_LEFT], int(own[novelty.WRONG]))
        if v == v and o[outlook.AGE] > 0.0:  # noqa: PLR0124  NaN
            n, error = w[novelty.SEEN], taken - expected[i]
            w[novelty.SPREAD] = novelty.clipped(w[novelty.SPREAD], error * error, n)
            due, is_free = surprise.follow(
                o,
                v - expected[i],
                error,
                expectation.course(o, taken),
                own[novelty.SURPRISE_P],
                own[novelty.SURPRISED] != 0.0,
                cost,
            )
            charge, free = max(charge, due), max(free, is_free)
            flags = int(event[5])
            sticking.follow_run(o, v, own[novelty.STICKS] != 0.0, flags & alarm.FLAG_ALARM != 0 or in_episode)
            policy.follow_ignored(po, o, v, expected[i], rule[alarm.PATIENCE])
    if warm:
        a[alarm.SURPRISE_DEBT] = surprise.paid(a[alarm.SURPRISE_DEBT], rate, charge)
    a[alarm.FREE_EPISODES] += free


@kernel
def _next_targets(hd, d, net_row, guarded):
    """Write each feature's value and change into the net's row and, scaled, into the targets of the event before (NaN if ``guarded``)."""
    T, last, targets = hd[at.TIMED], hd[at.LAST], hd[at.TARGET]
    for i in range(hd[at.OUTPUTS]):
        v = d[hd[at.FOUND] + FOUND_WORDS * i + novelty.TAKEN_VALUE]
        change = v - d[last + T + 2 * i] if usable(v) else np.nan
        net_row[T + 2 * i] = v
        net_row[T + 2 * i + 1] = change
        d[targets + i] = np.nan if guarded else scale_target(hd, d, i, change)


@kernel
def _remember(hd, f, d, i, hidden_at, hidden, guarded):
    """Take the value of feature i into its memory, let its forecasts for 2 and 8 steps learn, and make the next ones."""
    F, T, phi = hd[at.OUTPUTS], hd[at.TIMED], hd[at.PHI]
    persistence = phi == 0 or d[hd[at.RULE] + alarm.PERSISTENCE] != 0.0
    found = d[hd[at.FOUND] + FOUND_WORDS * i : hd[at.FOUND] + FOUND_WORDS * (i + 1)]
    v = found[novelty.TAKEN_VALUE]
    d[hd[at.LAST] + T + 2 * i] = v
    w = d[hd[at.WATCH] + i * hd[at.WATCH_SIZE] : hd[at.WATCH] + (i + 1) * hd[at.WATCH_SIZE]]
    kept = f[hd[at.KEPT] + i * hd[at.KEPT_SIZE] : hd[at.KEPT] + (i + 1) * hd[at.KEPT_SIZE]]
    head = d[hd[at.HEADS] + i * hd[at.HEAD_SIZE] : hd[at.HEADS] + (i + 1) * hd[at.HEAD_SIZE]]
    lines = kept[hd[at.KEPT_SIZE] - at.DEPTH * phi :]
    if not w[novelty.SEEN] > 0.0:
        w[novelty.ORIGIN] = v
    if phi > 0 and not head[0] > 0.0:
        horizons.start(head, phi)
    novelty.remember(w, kept, hd[at.MEMORY], v - w[novelty.ORIGIN], found, hd[hd[at.ORDER] :])
    seen = int(w[novelty.SEEN]) - 1
    if not persistence:
        for j in range(hidden):
            lines[seen % at.DEPTH * phi + j] = f[hidden_at + j]
        echo = f[hd[at.ECHO] : hd[at.ECHO] + 2 * at.ECHO_UNITS]
        horizons.write_features(w, lines, echo, phi, hidden, d[hd[at.SCALED_INPUTS] + T + 2 * i])
        if not guarded and hd[at.FROZEN] == 0:
            scratch = hd[at.FOUND] + FOUND_WORDS * (F + 1)
            horizons.learn(w, head, lines, phi, d[scratch : scratch + 3 * phi])
    if phi > 0:
        _, unit, _ = statistics(hd, d, i)
        horizons.forecast(w, head, lines, phi, unit, persistence)


@kernel
def _look_ahead(hd, f, d, F, i, x):
    """Let what is expected of feature i learn its value x, which may be missing, and expect the next."""
    o = d[hd[at.OUTLOOK] + i * hd[at.OUTLOOK_SIZE] : hd[at.OUTLOOK] + (i + 1) * hd[at.OUTLOOK_SIZE]]
    scratch = d[hd[at.FOUND] + FOUND_WORDS * (F + 1) : hd[at.FOUND] + FOUND_WORDS * (F + 1) + at.OUTLOOK_SCRATCH]
    v = d[hd[at.FOUND] + FOUND_WORDS * i + novelty.TAKEN_VALUE]
    expectation.learn(o, v, x, v == v, v != x, learns_statistics(hd), scratch)  # noqa: PLR0124  NaN
    net = np.nan
    if d[hd[at.RULE] + alarm.PERSISTENCE] == 0.0:
        net = net_forecast(hd, f, d, F, i)
    expectation.forecast(o, d[hd[at.LAST] + hd[at.TIMED] + 2 * i], net, scratch)


@functools.cache
def detector(cell: str, hidden: int) -> Any:
    """Return ``run(slab, rows, n, mode)`` for one cell and one hidden size."""
    stamp = stamp_of(CELLS[cell])
    R, h_at = CELLS[cell].record * hidden, CELLS[cell].h * hidden

    def run(slab, rows, n, mode):
        stamp  # noqa: B018  part of the cache's key
        hd, f, d = views(slab)
        F, T = hd[at.OUTPUTS], hd[at.TIMED]
        width = T + 4 * F + 1 + INFORMATION + hd[at.KEYED]
        net_row = d[hd[at.NET_ROW] : hd[at.NET_ROW] + T + 2 * F]
        top = at.LAYER_0 + (hd[at.LAYERS] - 1) * at.LAYER_WORDS
        for e in range(n):
            row = rows[e * width : (e + 1) * width]
            x, expected = row[T : T + F], row[T + F + 1 : T + 2 * F + 1]
            later = choose_area_of(hd, d, rows, e, n, width) if hd[at.KEYED] != 0 else -1
            if T > 0:
                net_row[0] = row[0]
            _read_counters(hd, d, F, row, mode & LEARN != 0)
            expect(hd, d, F, expected)
            judge(hd, f, d, F, x, expected)
            ask_for(hd, later, 1)
            if mode & IN_MAINTENANCE:
                pause(hd, d, F)
            if mode & SCORE:
                answer(hd, d, F, row[T:])
            if mode & LEARN:
                if mode & IN_MAINTENANCE:
                    hd[hd[at.PREPARED] + at.PAUSED] = 1
                    judge(hd, f, d, F, x, expected)
                if mode & (WAS_ANOMALY | WAS_USUAL):
                    apply_feedback(hd, d, F, mode)
                _follow(hd, d, F, x, expected)
                guarded = d[hd[at.ALARM] + alarm.GUARD] > 0.0 or mode & WAS_ANOMALY != 0
                _next_targets(hd, d, net_row, guarded)
                if hd[at.FILL] > 0:
                    learn_slot(hd, f, d, hd[at.FILL] - 1, d[hd[at.TARGET] : hd[at.TARGET] + F])
                    if hd[at.FRESH] >= hd[at.STRIDE]:
                        update(cell, hidden, hd, f, d)
                ask_for(hd, later, 2)
                prepare_step(cell, hidden, hd, f, d, net_row)
                absorb_inputs(hd, d)
                commit(hd)
                hidden_at = hd[top + at.REC] + hd[at.FILL] * R + h_at
                for i in range(F):
                    if usable(d[hd[at.FOUND] + FOUND_WORDS * i + novelty.TAKEN_VALUE]):
                        _remember(hd, f, d, i, hidden_at, hidden, guarded)
                    _look_ahead(hd, f, d, F, i, x[i])
                hd[hd[at.PREPARED] + at.JUDGED], hd[hd[at.PREPARED] + at.PAUSED] = 0, 0

    return entry(run)
