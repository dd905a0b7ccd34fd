"""The experts of a labelled stream by name, and how large what they need is."""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.least_squares import packed, padded

NET_BIT, LAST_BIT, LINEAR_BIT, FOURIER_BIT = 1, 2, 4, 8
FRONT_EXPERTS: Final = {"net": NET_BIT, "last": LAST_BIT, "linear": LINEAR_BIT, "fourier": FOURIER_BIT}
"""The bit of each expert in the header's word ``EXPERT_BITS``, in their order."""

MOST_LAGS: Final = 8  # of each feature and of the target: known short lags are found at once, longer ones are the net's
MOST_WITH_LAGS: Final = 48  # regressors up to which lags are added: the matrix costs time with their square
MOST_WHOLE: Final = 64  # regressors up to which there is a matrix; beyond, each weight has a rate of its own

FOURIER: Final = 64  # random features; 32 bend less, 128 cost twice as much
FOURIER_SCALE: Final = 1.5  # how many times narrower the kernel is than the usual distance of two events
MOST_WAVED: Final = 64  # features of an event up to which there are random ones


def lags(features: int, targets: int, seasons: int = 0) -> tuple[int, int]:
    """Return the lags of the features and of the targets that the linear expert sees, the last known target included.

    Parameters
    ----------
    features, targets
        How many numbers an event has of each (classes: one number each).
    seasons
        How many numbers say what the season predicts.

    Examples
    --------
    >>> from streamrnn.kernels.net.front.table import lags
    >>> lags(1, 1), lags(8, 1), lags(4, 4), lags(100, 1)
    ((8, 8), (3, 8), (8, 2), (0, 1))
    """
    if not targets:
        return 0, 0
    room = MOST_WITH_LAGS - 1 - features - seasons
    of_targets = min(max(MOST_LAGS // targets, 1), max(room // targets, 1))
    room -= of_targets * targets
    return (min(max(room // features, 0), MOST_LAGS) if features else 0), of_targets


def regressors(features: int, targets: int, seasons: int = 0) -> int:
    """Return how many numbers the linear expert's forecast is made from."""
    of_features, of_targets = lags(features, targets, seasons)
    return 1 + features * (1 + of_features) + targets * of_targets + seasons


def matrix(n: int) -> int:
    """Return how many numbers it learns with, for n regressors: half a matrix, or a rate for each."""
    return packed(padded(n)) if n <= MOST_WHOLE else padded(n)
