"""Products of a weight matrix with vectors, and sums of outer products: the loops that a net's time goes into."""

from __future__ import annotations

from streamrnn.kernels.cells.activations import ZERO
from streamrnn.kernels.compile import apart, kernel
from streamrnn.kernels.row_sums import ROWS_AT_ONCE, row_sums


def product_of(N):
    """z (N) += a (n) @ W (n rows of N): eight rows at a time, so that z is read and written once for eight."""

    @apart
    def product(a, W, z):
        n = a.size
        n8, n4 = n & ~7, n & ~3
        for j in range(0, n8, 8):
            w = W[j * N : (j + 8) * N]
            a0, a1, a2, a3, a4, a5, a6, a7 = a[j], a[j + 1], a[j + 2], a[j + 3], a[j + 4], a[j + 5], a[j + 6], a[j + 7]
            for i in range(N):
                lower = a0 * w[i] + a1 * w[N + i] + a2 * w[2 * N + i] + a3 * w[3 * N + i]
                upper = a4 * w[4 * N + i] + a5 * w[5 * N + i] + a6 * w[6 * N + i] + a7 * w[7 * N + i]
                z[i] += lower + upper
        for j in range(n8, n4, 4):
            w = W[j * N : (j + 4) * N]
            a0, a1, a2, a3 = a[j], a[j + 1], a[j + 2], a[j + 3]
            for i in range(N):
                z[i] += a0 * w[i] + a1 * w[N + i] + a2 * w[2 * N + i] + a3 * w[3 * N + i]
        for j in range(n4, n):
            w = W[j * N : (j + 1) * N]
            a0 = a[j]
            for i in range(N):
                z[i] += a0 * w[i]

    return product


def transposed(N, n):
    """a (n) += W (n rows of N) @ z (N): as many rows at a time as a vector has lanes, or eight, in sums that do not wait for each other."""
    if N % ROWS_AT_ONCE == 0 and n % ROWS_AT_ONCE == 0:
        sums = row_sums(N)

        @apart
        def by_vectors(W, z, a):
            for j in range(0, n, ROWS_AT_ONCE):
                sums(W, j, z, a)

        return by_vectors

    @apart
    def transposed(W, z, a):
        n8 = n & ~7
        for j in range(0, n8, 8):
            w = W[j * N : (j + 8) * N]
            s0, s1, s2, s3, s4, s5, s6, s7 = ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO, ZERO
            for i in range(N):
                d = z[i]
                s0 += w[i] * d
                s1 += w[N + i] * d
                s2 += w[2 * N + i] * d
                s3 += w[3 * N + i] * d
                s4 += w[4 * N + i] * d
                s5 += w[5 * N + i] * d
                s6 += w[6 * N + i] * d
                s7 += w[7 * N + i] * d
            a[j] += s0
            a[j + 1] += s1
            a[j + 2] += s2
            a[j + 3] += s3
            a[j + 4] += s4
            a[j + 5] += s5
            a[j + 6] += s6
            a[j + 7] += s7
        for j in range(n8, n):
            w = W[j * N : (j + 1) * N]
            s0 = ZERO
            for i in range(N):
                s0 += w[i] * z[i]
            a[j] += s0

    return transposed


def outer(n, G, Z):
    """g (4 rows of n, G apart) += sum over t of a[t, r] dz[t]: a (T, 4), dz (T rows, Z apart), T a multiple of 4.

    ``fresh``: g is written, not added to.
    """

    @apart
    def outer(a, dz, g, T, fresh):
        for t in range(0, T, 4):
            b = a[4 * t : 4 * t + 16]
            a00, a10, a20, a30 = b[0], b[1], b[2], b[3]
            a01, a11, a21, a31 = b[4], b[5], b[6], b[7]
            a02, a12, a22, a32 = b[8], b[9], b[10], b[11]
            a03, a13, a23, a33 = b[12], b[13], b[14], b[15]
            d = dz[t * Z : t * Z + 3 * Z + n]
            if fresh and t == 0:
                for i in range(n):
                    d0, d1, d2, d3 = d[i], d[Z + i], d[2 * Z + i], d[3 * Z + i]
                    g[i] = a00 * d0 + a01 * d1 + a02 * d2 + a03 * d3
                    g[G + i] = a10 * d0 + a11 * d1 + a12 * d2 + a13 * d3
                    g[2 * G + i] = a20 * d0 + a21 * d1 + a22 * d2 + a23 * d3
                    g[3 * G + i] = a30 * d0 + a31 * d1 + a32 * d2 + a33 * d3
            else:
                for i in range(n):
                    d0, d1, d2, d3 = d[i], d[Z + i], d[2 * Z + i], d[3 * Z + i]
                    g[i] += a00 * d0 + a01 * d1 + a02 * d2 + a03 * d3
                    g[G + i] += a10 * d0 + a11 * d1 + a12 * d2 + a13 * d3
                    g[2 * G + i] += a20 * d0 + a21 * d1 + a22 * d2 + a23 * d3
                    g[3 * G + i] += a30 * d0 + a31 * d1 + a32 * d2 + a33 * d3

    return outer


@apart
def add_multiple(into, by, v, n):
    """into (n) += by * v (n)."""
    for i in range(n):
        into[i] += by * v[i]


@kernel
def at_pad(t):
    """Round a number of steps up to a multiple of four."""
    return (t + 3) & ~3
