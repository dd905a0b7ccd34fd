"""What the last bits of a result depend on, besides seed, parameters and events."""

from __future__ import annotations

import contextlib
import hashlib

import llvmlite
import numba
from llvmlite import binding

from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.compile import INTERPRETED, sources_digest

__all__ = ["numeric_abi"]


def numeric_abi(cell: str = "lstm") -> dict[str, str]:
    """Return what must be equal for two processes to compute the same bits with nets of this cell.

    Versions of compiler and kernels, and the processor they compile for: the width of its vectors decides the order of
    sums. A snapshot records it, so that it is known whether a continuation elsewhere is exact to the last bit.

    Examples
    --------
    >>> from streamrnn.models.numerics import numeric_abi
    >>> sorted(numeric_abi())
    ['cpu', 'features', 'kernels', 'llvmlite', 'numba']
    """
    features = "unknown"
    with contextlib.suppress(RuntimeError):  # a platform that LLVM cannot ask
        chosen = numba.config.CPU_FEATURES
        features = binding.get_host_cpu_features().flatten() if chosen is None else str(chosen)
    return {
        "kernels": sources_digest(CELLS[cell]),
        "numba": "interpreted" if INTERPRETED else numba.__version__,
        "llvmlite": llvmlite.__version__,
        "cpu": str(numba.config.CPU_NAME or binding.get_host_cpu_name()),
        "features": hashlib.sha256(features.encode()).hexdigest()[:16],
    }
