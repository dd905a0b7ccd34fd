"""What the experts stated of an event: read again, kept while its label is waited for, put back; and its errors."""

from __future__ import annotations

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY
from streamrnn.kernels.net.scaler import usable


@kernel
def keep_answer(hd, d, o):
    """Keep the answer o (K), of a mixture or of a net alone: its error is followed, and the same event may be asked for again."""
    for k in range(o.size):
        d[hd[at.MIXED] + k] = o[k]


@kernel
def repeat(hd, d, o):
    """Write into o (K) what was answered for the same event."""
    for k in range(o.size):
        o[k] = d[hd[at.MIXED] + k]


@kernel
def hand_out_stated(hd, d, stated):
    """Write what the experts stated for an event that is to wait for its label, and what was answered."""
    n = stated.size - hd[at.OUTPUTS]
    for i in range(stated.size):
        stated[i] = d[hd[at.SAID] + i] if i < n else d[hd[at.MIXED] + i - n]


@kernel
def put_back_stated(hd, d, stated, K):
    """Let the experts have stated what was handed out, where something was; of an output that is new since then (NaN) what they state now holds."""
    n = stated.size - K
    for i in range(stated.size):
        if usable(stated[n + i % K]):
            d[hd[at.SAID] + i if i < n else hd[at.MIXED] + i - n] = stated[i]


@kernel
def errors_of(hd, d, p, e, z, label):
    """Turn what an expert stated, e (K), into its errors, from its probabilities p (K) and the label, or from numbers z (K). Return whether one is known."""
    known = False
    for k in range(e.size):
        if hd[at.LOSS] == CROSS_ENTROPY:
            e[k] = (1.0 if k == label else 0.0) - p[k]
            known = True
        else:
            e[k] = z[k] - e[k] if usable(z[k]) else 0.0
            known = known or usable(z[k])
    return known
