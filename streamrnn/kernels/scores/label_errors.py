"""How far off predictions of a label are, for many keys in one call: r^2 / (1 + r^2), r the error in standard deviations of the key's labels before.

Sums are of what labels differ from the key's first: so a large mean takes nothing away from a small spread.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from streamrnn.kernels.compile import entry, kernel, sources_digest
from streamrnn.kernels.scores.rows import row_at
from streamrnn.kernels.scores.words import LABEL_FIRST, LABEL_SQUARES, LABEL_SUM, LABEL_WORDS, LABELS_SEEN


@kernel
def _score(sums, base, error):
    """Return the score of an error, by the labels seen so far; 0 with nothing to compare it with, or without an error where nothing has varied."""
    n = sums[base + LABELS_SEEN]
    if n < 2.0 or error == 0.0:
        return 0.0
    mean = sums[base + LABEL_SUM] / n
    variance = sums[base + LABEL_SQUARES] / n - mean * mean
    if variance <= 0.0:
        return 1.0
    squared = error * error / variance
    if squared != squared:  # noqa: PLR0124  labels beyond what squares can hold
        return 0.0
    return squared / (1.0 + squared) if squared < np.inf else 1.0


@functools.cache
def scoring() -> Any:
    """Return the entry ``run(sums, codes, labels, found, scores)``.

    ``sums`` (keys * LABEL_WORDS,) float64; ``codes`` (n,) int64: the key of each label, negative where it begins anew; ``labels`` and ``found`` (n,) float64: what came, NaN
    for nothing, and what was predicted; ``scores`` (n,) float64 is written, NaN where no label is.
    """
    stamp = sources_digest()

    def run(sums, codes, labels, found, scores):
        stamp  # noqa: B018  part of the cache's key
        for e in range(labels.size):
            base = row_at(sums, codes, e, LABEL_WORDS)
            y = labels[e]
            if not -np.inf < y < np.inf:
                scores[e] = np.nan
                continue
            error = y - found[e]
            scores[e] = _score(sums, base, error) if error == error else 0.0  # noqa: PLR0124
            if sums[base + LABELS_SEEN] == 0.0:
                sums[base + LABEL_FIRST] = y
            off = y - sums[base + LABEL_FIRST]
            sums[base + LABELS_SEEN] += 1.0
            sums[base + LABEL_SUM] += off
            sums[base + LABEL_SQUARES] += off * off

    return entry(run)
