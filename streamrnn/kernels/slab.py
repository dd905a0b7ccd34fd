"""Arrays on one flat block of bytes, each 64-byte aligned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


def up(n: int, to: int) -> int:
    """Round ``n`` up to a multiple of ``to``."""
    return -(-n // to) * to


@dataclass(frozen=True, slots=True)
class Field:
    """One array of the slab: where it starts and its size (bytes; in area 0), type, shape, and whether each area has one."""

    at: int
    size: int
    dtype: np.dtype[Any]
    shape: tuple[int, ...]
    in_area: bool
