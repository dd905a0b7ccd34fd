"""Constants of kernels: two that are joined in one entry may have one name, and a name that another was given."""

import numpy as np

from streamrnn.kernels.compile import entry, kernel

FIRST, SECOND, THIRD, FOURTH = np.arange(5.0), np.arange(5.0, 10.0), np.arange(5.0), np.arange(20.0, 25.0)


@kernel
def _of_first(i):
    return FIRST[i]


@kernel
def _of_second(i):
    return SECOND[i] + 10.0 * THIRD[i] + 100.0 * FOURTH[i]


def test_arrays_of_two_kernels_are_told_apart():
    def run(found):
        for i in range(5):
            found[i] = _of_first(i) + 1e5 * _of_second(i)

    found = np.empty(5)
    entry(run)(found)
    np.testing.assert_array_equal(found, FIRST + 1e5 * (SECOND + 10.0 * THIRD + 100.0 * FOURTH))
