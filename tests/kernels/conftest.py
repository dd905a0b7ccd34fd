"""What holds for every test of a kernel, compiled or interpreted."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def as_compiled() -> Iterator[None]:
    """Interpreted, NumPy warns of what compiled code computes in silence: a division by 0 whose result is not used."""
    with np.errstate(all="ignore"):
        yield
