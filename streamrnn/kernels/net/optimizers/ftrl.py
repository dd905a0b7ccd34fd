"""Follow the regularised leader, around the initial weights.

B. McMahan et al., Ad click prediction, KDD 2013, Algorithm 1, on the displacement from the initial weights. A gradient is applied in its
own update (river: in the next), and the weight returns to where it began where |z| <= l1, as in the paper (river: stays where it was).
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.compile import kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers.contract import Rule


@kernel
def prepare_ftrl(c, hyper, lr, lr_0, t):
    """Write beta, l1 and l2."""
    c[1] = hyper[at.BETA_1]
    c[6] = hyper[at.OPT_A]
    c[7] = hyper[at.OPT_B]


@kernel
def ftrl(c, w, w_0, s, size, g, n):
    """FTRL-Proximal."""
    z, q = s[:n], s[size : size + n]
    alpha, beta, l1, l2, scale = c[0], c[1], c[6], c[7], c[8]
    for i in range(n):
        d = g[i] * scale
        before = q[i]
        after = before + d * d
        s = (np.sqrt(after) - np.sqrt(before)) / alpha
        y = z[i] + d - s * (w[i] - w_0[i])
        z[i] = y
        q[i] = after
        shrunk = max(abs(y) - l1, ZERO)
        w[i] = w_0[i] - (shrunk if y > ZERO else -shrunk) / ((beta + np.sqrt(after)) / alpha + l2)


FTRL_RULES: Final = (
    Rule("ftrl", 2, {"lr": 0.05, "beta": 1.0, "l1": 0.0, "l2": 0.0}, ftrl, prepare_ftrl, river="FTRLProximal", code=11),
)
