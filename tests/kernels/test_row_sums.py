"""Rows times a vector, added up across the lanes of vectors: the products that numpy makes, and nothing else is written."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from streamrnn.kernels.compile import ENTRY, INTERPRETED
from streamrnn.kernels.net.products import transposed
from streamrnn.kernels.row_sums import _interpreted, row_sums

RNG = np.random.default_rng(22)


def _called(kernel):
    def run(W, j, z, a):
        kernel(W, j, z, a)

    return run if INTERPRETED else numba.njit(**ENTRY)(run)


@pytest.mark.parametrize("lanes", [2, 8, 16])
@pytest.mark.parametrize("vectors", [1, 4, 8, 9, 32])
def test_sums_of_rows_are_those_of_the_definition(lanes, vectors):
    """Whole numbers, whose sums are exact in any order: written out and in a loop, at both widths of vectors."""
    N, before = lanes * vectors, lanes // 2
    W = RNG.integers(-8, 9, (3 * lanes, N)).astype(np.float32)
    z, a = RNG.integers(-8, 9, N).astype(np.float32), np.arange(3 * lanes, dtype=np.float32)
    expected, plain = a.copy(), a.copy()
    expected[before : before + lanes] += (W @ z)[before : before + lanes]

    _called(row_sums(N, lanes))(W.reshape(-1), before, z, a)
    _interpreted(N, lanes)(W.reshape(-1), before, z, plain)

    np.testing.assert_array_equal(a, expected)
    np.testing.assert_array_equal(plain, expected)


@pytest.mark.parametrize("N", [12, 16, 64, 96])
@pytest.mark.parametrize("n", [1, 7, 8, 16, 31, 32, 40])
def test_products_with_all_rows_are_numpys(N, n):
    """Rows by vectors; by eight and one by one, where they or their length are no multiple of a vector: each number of rows."""
    W, z = RNG.integers(-8, 9, (n, N)).astype(np.float32), RNG.integers(-8, 9, N).astype(np.float32)
    a, rows = np.ones(n + 1, np.float32), transposed(N, n)

    def run(W, z, a):
        rows(W, z, a)

    (run if INTERPRETED else numba.njit(**ENTRY)(run))(W.reshape(-1), z, a)

    np.testing.assert_array_equal(a, [*(1.0 + W @ z), 1.0])
