"""What the linear expert's forecast is made from: 1, the features, the last targets, and some events before.

x (D) = 1 | features (I) | last targets (T), of which the older ones follow | features of the event before (I), of that before it ...
        | what the season says

The *tape* of a stream holds what lies behind: older targets, newest first, then older features.
"""

from __future__ import annotations

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.front.table import MOST_WHOLE


@kernel
def write_regressors(hd, d):
    """Write x (D) of the prepared event; what fills up to a multiple of eight is 0. Of many, write down the places of those that are not 0."""
    I, T, x = hd[at.INPUTS], max(hd[at.TARGET_INPUTS] - 1, 0), hd[at.REGRESSORS]
    older = hd[at.TAPE_SIZE]
    d[x] = 1.0
    for i in range(I):
        d[x + 1 + i] = d[hd[at.SCALED_INPUTS] + i]
    for i in range(T):
        d[x + 1 + I + i] = d[hd[at.TOLD] + 1 + i]
    for i in range(older):
        d[x + 1 + I + T + i] = d[hd[at.TAPE] + i]
    told = hd[at.TOLD] + hd[at.TARGET_INPUTS] + hd[at.LASTS]
    for i in range(hd[at.SEASONS]):
        d[x + 1 + I + T + older + i] = d[told + i]
    for i in range(hd[at.N_OWN], hd[at.N_REGRESSORS]):
        d[x + i] = 0.0
    if hd[at.N_OWN] > MOST_WHOLE:
        found = 0
        for i in range(hd[at.N_OWN]):
            if d[x + i] != 0.0:
                found += 1
                hd[hd[at.NONZERO] + found] = i
        hd[hd[at.NONZERO]] = found


@kernel
def wind_tape(hd, d):
    """Let the event whose x is written be the one before."""
    I, T, tape, x = hd[at.INPUTS], max(hd[at.TARGET_INPUTS] - 1, 0), hd[at.TAPE], hd[at.REGRESSORS]
    older_targets = hd[at.TARGET_LAGS] * T - T  # on the tape: the newest is told
    older_features = hd[at.FEATURE_LAGS] * I
    for i in range(older_targets):
        d[tape + i] = d[x + 1 + I + i]
    for i in range(min(older_features, I)):
        d[tape + older_targets + i] = d[x + 1 + i]
    first = x + 1 + I + T + older_targets
    for i in range(I, older_features):
        d[tape + older_targets + i] = d[first + i - I]
