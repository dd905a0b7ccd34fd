"""Recursive least squares: the matrix P that all regressions of the library learn with, half of it in memory.

::

    g = P x,   power = l + x . g,   w += g (y - w . x) / power,   P = (P - g g' / power) / l

(L. Ljung, T. Soderstrom, Theory and Practice of Recursive Identification, 1983, ch. 2.2; S. Haykin, Adaptive Filter Theory, 4th ed.,
Table 9.1.) P (n, n) is symmetric; its rows lie in blocks of eight, each row up to the end of its block's diagonal: half the memory to pass
through, which is what an update costs, and a symmetry that rounding cannot break. n is a multiple of eight: :func:`padded`; what fills up is 0
in x and in P.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import apart, kernel

BLOCK: Final = 8  # rows of P that end together: float64 in one vector


def padded(n: int) -> int:
    """Return the size of P for n regressors: the next multiple of eight."""
    return -(-n // BLOCK) * BLOCK


def packed(n: int) -> int:
    """Return how many numbers P takes, for n a multiple of eight."""
    return n * (n + BLOCK) // 2


packed_size, padded_size = kernel(packed), kernel(padded)


@kernel
def row(i):
    """Return where row i of P begins, and its length."""
    b = i // BLOCK
    return BLOCK * BLOCK // 2 * b * (b + 1) + (i - BLOCK * b) * BLOCK * (b + 1), BLOCK * (b + 1)


@kernel
def diagonal(i):
    """Return the place of P[i, i]."""
    return row(i)[0] + i


@apart
def times(P, x, g, phi):
    """Write g = P x; return x . g and the trace of P. Four rows at a time, each number of P read once for both of its places."""
    for i in range(phi):
        g[i] = 0.0
    trace = 0.0
    for i in range(0, phi, 4):
        at, n = row(i)
        p0, p1, p2, p3 = P[at : at + n], P[at + n : at + 2 * n], P[at + 2 * n : at + 3 * n], P[at + 3 * n : at + 4 * n]
        x0, x1, x2, x3 = x[i], x[i + 1], x[i + 2], x[i + 3]
        s0, s1, s2, s3 = 0.0, 0.0, 0.0, 0.0
        for j in range(n):
            v = x[j]
            s0 += p0[j] * v
            s1 += p1[j] * v
            s2 += p2[j] * v
            s3 += p3[j] * v
        for j in range(n - BLOCK):
            g[j] += x0 * p0[j] + x1 * p1[j] + x2 * p2[j] + x3 * p3[j]
        g[i] += s0
        g[i + 1] += s1
        g[i + 2] += s2
        g[i + 3] += s3
        trace += p0[i] + p1[i + 1] + p2[i + 2] + p3[i + 3]
    q = 0.0
    for i in range(phi):
        q += x[i] * g[i]
    return q, trace


@apart
def shrink(P, h, more, phi):
    """P = (P - h h') more, for h = g / sqrt(power)."""
    for i in range(0, phi, 4):
        at, n = row(i)
        p0, p1, p2, p3 = P[at : at + n], P[at + n : at + 2 * n], P[at + 2 * n : at + 3 * n], P[at + 3 * n : at + 4 * n]
        h0, h1, h2, h3 = h[i], h[i + 1], h[i + 2], h[i + 3]
        for j in range(n):
            p0[j] = (p0[j] - h0 * h[j]) * more
            p1[j] = (p1[j] - h1 * h[j]) * more
            p2[j] = (p2[j] - h2 * h[j]) * more
            p3[j] = (p3[j] - h3 * h[j]) * more


@kernel
def update(P, g, h, share, more, n):
    """P = (P - g g' share) more, for share = 1 / power; h (n) is scratch."""
    for i in range(n):
        h[i] = g[i] * np.sqrt(share)
    shrink(P, h, more, n)
