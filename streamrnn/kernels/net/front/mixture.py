"""What the experts state for an event, their weighted mean, and how their weights learn.

Numbers: Bernstein online aggregation, discounted, as of the forecaster (O. Wintenberger, Machine Learning 106, 2017; its room has the formulas and their
bound): the regret is bounded against any fixed mixture over the last events. The loss is the absolute error, quadratic below the usual one. Classes: the probabilities are mixed, and the weights are those of a mixture whose log loss may follow a
sequence of experts with few changes (M. Herbster, M. Warmuth, Tracking the best expert, Machine Learning 32, 1998)::

    w_j <- w_j^DISCOUNT p_j(y),  normalised;   w_j <- (1 - SWITCH_SHARE) w_j + SWITCH_SHARE / E

Labels that come late overlap, and say one thing ``overlap`` times: DISCOUNT and p_j to the power 1 / overlap, SWITCH_SHARE / late. The best log loss
is not the fewest mistakes: where labels stay, experts that foresee changes are surer in between, and wrong more often. So mistakes are counted as well, and the
last label answers as long as the most probable class of the mixture was not the right one more often.

An expert without an opinion (NaN: no label has come) is left out, and its weight stays as it is.
The weights are a stream's own: each key has its own.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.areas import learns_statistics
from streamrnn.kernels.net.front.change import changed, start_anew
from streamrnn.kernels.net.front.fourier import learn_fourier, state_fourier
from streamrnn.kernels.net.front.last import learn_last_label, state_last_label, state_last_value
from streamrnn.kernels.net.front.linear import curvature, influence, learn_linear, state_linear
from streamrnn.kernels.net.front.regressors import write_regressors
from streamrnn.kernels.net.front.stated import errors_of
from streamrnn.kernels.net.front.table import FOURIER_BIT, LAST_BIT, LINEAR_BIT, NET_BIT
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY, softmax
from streamrnn.kernels.net.scaler import spread, usable
from streamrnn.kernels.net.target_inputs import age_of, beyond, overlap
from streamrnn.kernels.net.targets import unscale_output
from streamrnn.kernels.net.usual_errors import forget_usual_errors, is_first, usual_error

DISCOUNT: Final = 0.998
SWITCH_SHARE: Final = 0.001
MISTAKES_FORGET: Final = 0.999
STAYS: Final = (
    0.25  # mistakes of the last label, a share of the labels, below which labels are taken for ones that stay
)
HEAD_START: Final = 1.0  # by how many mistakes the mixture must be ahead there: 0 costs one or two at the first changes
LEAST_PROBABILITY: Final = 1e-3  # shared by all classes: what one sure mistake costs at most
REGRET_FORGET: Final = 0.998  # as of the forecaster
MOST_TAUGHT: Final = (
    8.0  # usual errors: the most that the linear expert learns from; 4 follows changes of the rule a hundredth worse
)
MOST_LABEL_REGRET: Final = 16.0  # squares of the usual error
PRIOR_OF_LAST: Final = (
    6.0  # as many times that of another: before any has learned, nothing is safer; 10 costs short streams a tenth
)


@kernel
def _count(hd):
    """Return how many experts there are."""
    bits = hd[at.EXPERT_BITS]
    return (bits & 1) + (bits >> 1 & 1) + (bits >> 2 & 1) + (bits >> 3 & 1)


@kernel
def lanes(hd):
    """Return how many mixtures there are: one for each number, one for all classes."""
    return min(hd[at.OUTPUTS], 1) if hd[at.LOSS] == CROSS_ENTROPY else hd[at.OUTPUTS]


@kernel
def _own_terms(hd, d, part, kept):
    """Keep what an expert states, and put it into the target's own terms."""
    for k in range(part.size):
        d[kept + k] = part[k]
    if hd[at.LOSS] == CROSS_ENTROPY:
        softmax(hd, d, part)
    else:
        for k in range(part.size):
            part[k] = unscale_output(hd, d, k, part[k])


@kernel
def _go_beyond(hd, d, part):
    """Add to the numbers of a forecast a level that nothing has been learned of: an outage is followed at once."""
    for k in range(0 if hd[at.LOSS] == CROSS_ENTROPY else part.size):
        part[k] += beyond(hd, d, k)


@kernel
def consult(hd, d, o):
    """Let each expert state its forecast of the prepared event, from the net's o (K, in the target's own terms); write the mixture's into o."""
    K, E, said = o.size, 0, hd[at.SAID]
    if hd[at.EXPERT_BITS] & NET_BIT:
        for k in range(K):
            d[said + k] = o[k]
        E += 1
    if hd[at.EXPERT_BITS] & LAST_BIT:
        part = d[said + E * K : said + (E + 1) * K]
        if hd[at.LOSS] == CROSS_ENTROPY:
            state_last_label(hd, d, part, age_of(hd, d))
        else:
            state_last_value(hd, d, part)
        E += 1
    if hd[at.EXPERT_BITS] & LINEAR_BIT:
        part = d[said + E * K : said + (E + 1) * K]
        write_regressors(hd, d)
        state_linear(hd, d, part)
        _own_terms(hd, d, part, hd[at.ERRORS])
        _go_beyond(hd, d, part)
        E += 1
    if hd[at.EXPERT_BITS] & FOURIER_BIT:
        part = d[said + E * K : said + (E + 1) * K]
        state_fourier(hd, d, part)
        adds = hd[at.EXPERT_BITS] & LINEAR_BIT and hd[at.LOSS] != CROSS_ENTROPY
        for k in range(K if adds else 0):  # what bends is learned of what the linear expert leaves
            part[k] += d[hd[at.ERRORS] + k]
        _own_terms(hd, d, part, hd[at.WAVE_ERRORS])
        if adds:
            _go_beyond(hd, d, part)
        E += 1
    _mix(hd, d, o, E)


@kernel
def _prior(hd, j):
    """Return the weight of expert j before any is known, up to a factor."""
    last = hd[at.EXPERT_BITS] & LAST_BIT and hd[at.LOSS] != CROSS_ENTROPY and j == (hd[at.EXPERT_BITS] & NET_BIT)
    return PRIOR_OF_LAST if last else 1.0


@kernel
def _mean(hd, d, k, E):
    """Return the weighted mean of what was stated of output k by those that have an opinion."""
    K, n = hd[at.OUTPUTS], lanes(hd)
    said, weights, lane = hd[at.SAID], hd[at.MIXTURE] + 3 * E * n, min(k, n - 1)
    whole, total, share = 0.0, 0.0, 0.0
    for j in range(E):
        whole += d[weights + j * n + lane]
    for j in range(E):
        v = d[said + j * K + k]
        w = d[weights + j * n + lane] if whole > 0.0 else _prior(hd, j)
        if usable(v):
            total += w * v
            share += w
    return total / share if share > 0.0 else 0.0


@kernel
def _prefers_last(hd, d):
    """Tell whether the last label answers: it has an opinion, and was wrong less often than the mixture; without delays only where labels stay."""
    if hd[at.LOSS] != CROSS_ENTROPY or hd[at.EXPERT_BITS] & LAST_BIT == 0 or hd[at.OUTPUTS] == 0:
        return False
    ours, its, labels = d[hd[at.MIXTURE]], d[hd[at.MIXTURE] + 1], d[hd[at.MIXTURE] + 2]
    age = age_of(hd, d)
    preferred = ours + HEAD_START * age > its if its < STAYS * labels else ours > its and age > 1.0
    return preferred and usable(d[hd[at.SAID] + (hd[at.EXPERT_BITS] & NET_BIT) * hd[at.OUTPUTS]])


@kernel
def _count_mistakes(hd, d, label, w_y, E, kept):
    """Count how often the most probable class was wrong: the mixture's, and that of the last label."""
    K, said, mistakes = hd[at.OUTPUTS], hd[at.SAID], hd[at.MIXTURE]
    last = hd[at.EXPERT_BITS] & NET_BIT
    if hd[at.EXPERT_BITS] & LAST_BIT == 0 or not usable(d[said + last * K]):
        return
    top, best, top_last, best_last = -1.0, 0, -1.0, 0
    for k in range(K):
        p = _mean(hd, d, k, E)
        if p > top:
            top, best = p, k
        if d[said + last * K + k] > top_last:
            top_last, best_last = d[said + last * K + k], k
    d[mistakes] = d[mistakes] * kept + (w_y if best != label else 0.0)
    d[mistakes + 1] = d[mistakes + 1] * kept + (w_y if best_last != label else 0.0)
    d[mistakes + 2] = d[mistakes + 2] * kept + w_y


@kernel
def _mix(hd, d, o, E):
    """Write the weighted mean of those that have an opinion into o (K), and for numbers give it to those that have none."""
    K = o.size
    for k in range(K):
        o[k] = _mean(hd, d, k, E)
    if _prefers_last(hd, d):
        for k in range(K):
            o[k] = d[hd[at.SAID] + (hd[at.EXPERT_BITS] & NET_BIT) * K + k]


@kernel
def _slope(hd, d, k, e):
    """Return the slope of the loss at the error e of number k, and the most that a regret counts."""
    usual = usual_error(hd, d, k)
    return (min(max(e, -usual), usual), MOST_LABEL_REGRET * usual * usual) if usual > 0.0 else (e, 1e300)


@kernel
def _weigh_numbers(hd, d, y, w_y, E):
    """Move the weights after the targets y (n, raw; NaN: not known) of weight w_y, for what was stated."""
    n, said = y.size, hd[at.SAID]
    R, V = hd[at.MIXTURE], hd[at.MIXTURE] + E * n
    B, w = V + E * n, V + 2 * E * n
    rate = hd[at.WEIGHING]
    log_E = np.log(float(E))
    for k in range(n):
        if not usable(y[k]) or is_first(hd, d, k):
            continue
        p = d[hd[at.MIXED] + k]
        g, limit = _slope(hd, d, k, p - y[k])
        g *= w_y
        most_bound, most_square = 0.0, 0.0
        for j in range(E):
            f, i = d[said + j * n + k], j * n + k
            r = min(max(g * (p - f), -limit), limit) if usable(f) else 0.0
            d[rate + j] = r
            d[B + i] = max(d[B + i] * REGRET_FORGET, abs(r))
            d[V + i] = d[V + i] * REGRET_FORGET + r * r
            most_bound, most_square = max(most_bound, d[B + i]), max(most_square, d[V + i])
        if not (most_square > 0.0 and most_square < 1e300):
            continue
        top, late, total = -1e300, overlap(hd, d), 0.0
        for j in range(E):
            i, r = j * n + k, d[rate + j]
            eta = min(0.5 / max(d[B + i], 1e-3 * most_bound), np.sqrt(log_E / max(d[V + i], 1e-6 * most_square)))
            d[R + i] = d[R + i] * REGRET_FORGET + r - eta * r * r
            d[rate + j], d[w + i] = eta, eta * d[R + i] / late
            top = max(top, d[w + i])
        for j in range(E):
            i = j * n + k
            d[w + i] = _prior(hd, j) * d[rate + j] * np.exp(d[w + i] - top)
            total += d[w + i]
        for j in range(E):
            d[w + j * n + k] /= total


@kernel
def _weigh_classes(hd, d, label, w_y, E):
    """Move the weights after a label of weight w_y."""
    K, said, weights = hd[at.OUTPUTS], hd[at.SAID], hd[at.MIXTURE] + 3 * E
    whole, late = 0.0, overlap(hd, d)
    kept, switch = DISCOUNT ** (1.0 / late), SWITCH_SHARE / late
    _count_mistakes(hd, d, label, w_y, E, MISTAKES_FORGET ** (1.0 / late))
    for j in range(E):
        whole += d[weights + j]
    total = 0.0
    for j in range(E):
        w = d[weights + j] if whole > 0.0 else 1.0 / E
        v = d[said + j * K + label]
        v = v if usable(v) else d[hd[at.MIXED] + label]
        gain = w_y * np.log(v * (1.0 - LEAST_PROBABILITY) + LEAST_PROBABILITY / K) / late
        d[weights + j] = np.exp(kept * np.log(w) + gain)
        total += d[weights + j]
    for j in range(E):
        d[weights + j] = (1.0 - switch) * d[weights + j] / total + switch / E


@kernel
def _is_taught(hd, y, w):
    """Tell whether targets of weight w may teach: numbers, or a class."""
    label = hd[at.LOSS] == CROSS_ENTROPY
    return w != 0.0 and (not label or (y[0] >= 0.0 and y[0] < y.size))


@kernel
def weigh_experts(hd, d, y, w):
    """Move the weights after the targets y (K, raw; NaN: not known) of weight w, for what was stated."""
    if not (learns_statistics(hd) and _is_taught(hd, y, w)):
        return
    E = _count(hd)
    if hd[at.LOSS] == CROSS_ENTROPY:
        _weigh_classes(hd, d, int(y[0]), w, E)
    else:
        _weigh_numbers(hd, d, y, w, E)


@kernel
def _most_taught(hd, d, k):
    """Return the largest error of number k that the linear expert learns from, standardised: one outlier is not the stream."""
    usual = usual_error(hd, d, k)
    sd = spread(d[hd[at.Y_MEAN] + k], d[hd[at.Y_VAR] + k]) if hd[at.NORMALIZE_Y] != 0 else 1.0
    return MOST_TAUGHT * usual / sd if usual > 0.0 else np.inf


@kernel
def teach_experts(hd, d, y, z, w):
    """Let the experts learn the targets of the event that was stated: y (K) raw, z (K) standardised; NaN: not known; w: what it weighs."""
    if hd[at.FROZEN] != 0 or not _is_taught(hd, y, w):
        return
    K, bits = y.size, hd[at.EXPERT_BITS]
    label = int(y[0]) if hd[at.LOSS] == CROSS_ENTROPY else -1
    if label >= 0 and bits & LAST_BIT:
        learn_last_label(hd, d, label, w, overlap(hd, d))
    first = hd[at.SAID] + ((bits & 1) + (bits >> 1 & 1)) * K
    if bits & LINEAR_BIT:
        p, e = d[first : first + K], d[hd[at.ERRORS] : hd[at.ERRORS] + K]
        known = errors_of(hd, d, p, e, z, label)
        h = curvature(p, e) if label >= 0 else 1.0
        share, loss = w * influence(hd, d), 0.0
        for k in range(K):
            if label < 0:
                most = _most_taught(hd, d, k)
                e[k] = min(max(e[k], -most), most)
            loss += abs(e[k])
            e[k] *= share
        if known and hd[at.KEYED] == 0 and changed(hd, d, loss):
            start_anew(hd, d)
            forget_usual_errors(hd, d)
        if known:
            learn_linear(hd, d, e, h * share)
        first += K
    if bits & FOURIER_BIT:
        e = d[hd[at.WAVE_ERRORS] : hd[at.WAVE_ERRORS] + K]
        errors_of(hd, d, d[first : first + K], e, z, label)
        for k in range(K):
            e[k] *= w
        learn_fourier(hd, d, e)
