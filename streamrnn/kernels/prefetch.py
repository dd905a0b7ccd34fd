"""Cache lines asked for before they are needed, in compiled code: the way to memory takes as long as hundreds of multiplications.

Changes no number: what is asked for is read later, or not at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray

from streamrnn.kernels.compile import kernel

LINE: Final = 64  # bytes of a cache line
AHEAD: Final = 2  # events: how long before its turn a row is asked for
_WRITTEN, _IN_ALL_CACHES, _NO_CODE = 1, 3, 1


def _not_fetched(array: NDArray[Any], place: int) -> None:
    """Do nothing: interpreted code has no hold of caches."""


@intrinsic
def _fetched(typing: Any, array: Any, place: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        data = arrayobj.make_array(signature.args[0])(context, builder, args[0]).data
        line, word = builder.bitcast(builder.gep(data, [args[1]]), cgutils.voidptr_t), cgutils.int32_t
        kind = cgutils.ir.FunctionType(cgutils.ir.VoidType(), [line.type, word, word, word])
        asked = builder.module.declare_intrinsic("llvm.prefetch", [line.type], kind)
        builder.call(asked, [line, word(_WRITTEN), word(_IN_ALL_CACHES), word(_NO_CODE)])
        return context.get_dummy_value()

    return types.none(array, types.intp), generate


fetch: Callable[[NDArray[Any], int], None] = _not_fetched if numba.config.DISABLE_JIT else _fetched
"""Ask for the cache line in which an item of a contiguous array with one axis lies: it will be written to."""


@kernel
def fetch_row(rows, start, size):
    """Ask for ``size`` items of eight bytes from ``start`` on."""
    for i in range(start, start + size, LINE // 8):
        fetch(rows, i)
