"""How a kernel calls another, in LLVM's code: nothing is raised in kernels, so that nothing is asked for behind a call.

Numba looks at what each call returned: whether it was none, an exception of Python's or of its own, or the end of an iteration, and hands on
what it finds; a quarter of all instructions, of which LLVM removes every one.
"""

from __future__ import annotations

import operator
from collections.abc import Mapping
from typing import Any, Final

from numba.core import types
from numba.core.callconv import RETCODE_NONE, RETCODE_OK
from numba.core.imputils import user_function
from numba.core.types.misc import Optional

EXTREMES: Final[Mapping[Any, Any]] = {max: operator.gt, min: operator.lt}
"""What Python compares the next number with the one before by, in functions that numba has as calls."""
_FINE: Final = {RETCODE_OK.constant, RETCODE_NONE.constant}


def is_quiet(function: Any) -> bool:
    """Tell whether a function of LLVM's never returns that something was raised."""
    ends = (block.terminator for block in function.blocks)  # the entry has none yet
    return all(getattr(end.operands[0], "constant", None) in _FINE for end in ends if end and end.opname == "ret")


def place_in_memory(builder: Any, kind: Any) -> Any:
    """Return a place that is written to before it is read."""
    with builder.goto_entry_block():
        return builder.alloca(kind)


def _described(write: Any, known: Any) -> Any:
    """Return what writes a call, with what numba keeps about it."""
    write.signature, write.libs = known.signature, known.libs
    return write


def call_of(quiet: bool, described: Any, libraries: Any) -> Any:
    """Return what writes a call of a compiled function.

    Parameters
    ----------
    quiet
        Whether it never raises.
    described, libraries
        What numba knows of it, and the code that it needs.
    """
    known = user_function(described, libraries)
    if not quiet or isinstance(described.restype, Optional):
        return known

    packers: list[Any] = []  # one, once it is known

    def write(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        function = builder.module.globals.get(described.mangled_name)
        function = function or context.declare_function(builder.module, described)
        packers.extend(() if packers else [context.call_conv._get_arg_packer(described.argtypes)])  # noqa: SLF001
        result, raised = function.function_type.args[:2]
        place = place_in_memory(builder, result.pointee)
        builder.call(function, [place, raised(None), *packers[0].as_arguments(builder, args)])
        if described.restype == types.none:
            return context.get_dummy_value()
        return context.get_returned_value(builder, signature.return_type, builder.load(place))

    return _described(write, known)


def extreme(context: Any, builder: Any, compare: Any, kind: Any, values: list[Any]) -> Any:
    """Return the largest or smallest of some numbers of one type, as Python finds it: a NaN stays where it comes first.

    Parameters
    ----------
    context, builder
        Numba's.
    compare
        Of :data:`EXTREMES`.
    kind, values
        Their type, and what they are.
    """
    function = context.typing_context.resolve_value_type(compare)
    signature = function.get_call_type(context.typing_context, (kind, kind), {})
    further = context.get_function(function, signature)
    found = values[0]
    for value in values[1:]:
        found = builder.select(further(builder, (value, found)), value, found)
    return found
