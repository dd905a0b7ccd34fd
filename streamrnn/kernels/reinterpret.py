"""The items of an array as another type, in compiled code."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba
from numba.extending import intrinsic
from numba.np import arrayobj
from numpy.typing import NDArray


def _reinterpreted(array: NDArray[Any], dtype: Any) -> NDArray[Any]:
    return array.view(dtype)


@intrinsic
def _reinterpret(typing: Any, array: Any, dtype: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        old = arrayobj.make_array(signature.args[0])(context, builder, args[0])
        new = arrayobj.make_array(signature.return_type)(context, builder)
        size, new_size = (context.get_abi_sizeof(context.get_data_type(kind.dtype)) for kind in signature.args)
        word = context.get_value_type(numba.intp)
        bytes_ = builder.mul(old.nitems, word(size))
        arrayobj.populate_array(
            new, builder.bitcast(old.data, new.data.type), [builder.udiv(bytes_, word(new_size))], [word(new_size)],
            word(new_size), old.meminfo, old.parent,
        )  # fmt: skip
        return new._getvalue()  # noqa: SLF001  as numba's own do

    return array.copy(dtype=dtype.dtype)(array, dtype), generate


reinterpret: Callable[[NDArray[Any], Any], NDArray[Any]] = _reinterpreted if numba.config.DISABLE_JIT else _reinterpret
"""The items of a contiguous array with one axis as another type: ``array.view(dtype)``, which takes half a second to compile."""
