"""The streams that alarms are measured on: drawn from a seed, with as many faults as they say, clean before the first."""

from __future__ import annotations

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "benchmarks" / "anomaly"))

import faults


@pytest.mark.parametrize("kind", faults.KINDS)
def test_each_stream_has_a_dozen_faults_behind_its_clean_beginning(kind):
    """In order, apart, inside the stream; the same seed gives the same numbers."""
    X, spans = faults.recurring(kind, 1)

    assert len(spans) == 12
    assert spans[0][0] > faults.CLEAN_EVENTS
    assert all(b > a for a, b in spans)
    assert all(later[0] - stop > 300 for (_, stop), later in pairwise(spans))
    assert spans[-1][1] < len(X)
    assert np.isfinite(X).all()
    assert X.shape[1] == (2 if kind.startswith("other") else 1)
    np.testing.assert_array_equal(faults.recurring(kind, 1)[0], X)


@pytest.mark.parametrize("kind", faults.CLEAN)
def test_a_clean_stream_is_as_long_as_asked_for(kind):
    """And differs by seed."""
    x = faults.clean(kind, 1, 3000)

    assert x.shape == (3000,)
    assert not np.array_equal(x, faults.clean(kind, 2, 3000))
