"""What the last bits of a result depend on, besides seed, parameters and events."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Iterator

import llvmlite
import numba
from llvmlite import binding
from numba.core import event

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import INTERPRETED
from streamrnn.kernels.net.stamp import stamp_of

__all__ = ["numeric_abi", "watch_compilation"]


def numeric_abi(cell: str = "lstm") -> dict[str, str]:
    """Return what must be equal for two processes to compute the same bits with nets of this cell.

    Versions of compiler and kernels, and the processor they compile for: the width of its vectors decides the order of
    sums. A snapshot records it, so that it is known whether a continuation elsewhere is exact to the last bit.

    Parameters
    ----------
    cell
        Name of a registered cell: its kernels count too.

    Examples
    --------
    >>> from streamrnn.models._numerics import numeric_abi
    >>> sorted(numeric_abi())
    ['cpu', 'features', 'kernels', 'llvmlite', 'numba']
    """
    features = "unknown"
    with contextlib.suppress(RuntimeError):  # a platform that LLVM cannot ask
        chosen = numba.config.CPU_FEATURES
        features = binding.get_host_cpu_features().flatten() if chosen is None else str(chosen)
    return {
        "kernels": stamp_of(CELLS[cell]),
        "numba": "interpreted" if INTERPRETED else numba.__version__,
        "llvmlite": llvmlite.__version__,
        "cpu": str(numba.config.CPU_NAME or binding.get_host_cpu_name()),
        "features": hashlib.sha256(features.encode()).hexdigest()[:16],
    }


class _Outermost(event.Listener):  # type: ignore[misc]
    """Hears when something begins to be compiled rather than loaded, and when that ends; what is compiled inside is part of it."""

    def __init__(self, begins: Callable[[], None], ends: Callable[[], None]) -> None:
        self.begins, self.ends = begins, ends
        self.depth = 0

    def on_start(self, event: object) -> None:
        """Tell of the outermost."""
        del event
        self.depth += 1
        if self.depth == 1:
            self.begins()

    def on_end(self, event: object) -> None:
        """Tell of the outermost."""
        del event
        self.depth -= 1
        if self.depth == 0:
            self.ends()


@contextlib.contextmanager
def watch_compilation(begins: Callable[[], None], ends: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Call ``begins`` before something is compiled in here, and ``ends`` behind it, each time: what lies in the cache is not.

    Parameters
    ----------
    begins
        Called without arguments.
    ends
        Called without arguments.

    Examples
    --------
    >>> from streamrnn.models._numerics import watch_compilation
    >>> with watch_compilation(lambda: print("compiling")):
    ...     pass
    """
    with event.install_listener("numba:compile", _Outermost(begins, ends)):
        yield
