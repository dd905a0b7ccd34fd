"""From Python's bytecode to numba's code, without the stations that kernels do not need. The same code.

A kernel holds no ``try``, no ``with``, no list and no dict; for what these leave behind numba looks at every instruction, and at every
statement several times. Python 3.11 also leaves room for its own caches behind most instructions: half of all that numba walks through.
"""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType
from typing import Any, Final

from numba.core import bytecode, byteflow, interpreter, ir, ssa
from numba.core.typing import templates

_FOR_PEEPHOLES: Final = frozenset(
    {
        "BUILD_LIST", "LIST_EXTEND", "LIST_TO_TUPLE", "CALL_INTRINSIC_1", "CALL_FUNCTION_EX", "BUILD_MAP", "DICT_UPDATE",
        "DICT_MERGE", "MAP_ADD", "BUILD_CONST_KEY_MAP",
    }
)  # fmt: skip
_HAS_CACHES: Final = sys.version_info < (3, 12)  # later on numba steps over them itself
_unpacked, _after, _post_processed = (
    bytecode._unpack_opargs,  # noqa: SLF001
    byteflow.Flow._run_handle_exception,  # noqa: SLF001
    interpreter.Interpreter.post_process,
)
_SHIFTED: Final = sys.version_info >= (3, 12)  # the lowest bit of an attribute's place says that it is a method
_NUMBERS: Final = (int, float)
_loaded = interpreter.Interpreter.op_LOAD_ATTR
_run_ssa, _rewritten = ssa._run_ssa, ssa._run_block_rewrite  # noqa: SLF001
_jit = templates._OverloadFunctionTemplate._get_jit_decorator  # noqa: SLF001


def _without_caches(code: Any) -> Iterator[tuple[int, int, Any, int]]:
    """Yield the instructions of a function, each followed by the next that does something."""
    cache, last = dis.opmap["CACHE"], None
    for offset, operation, arg, after in _unpacked(code):
        if operation == cache and last:
            last = (*last[:3], after)
            continue
        if last:
            yield last
        last = offset, operation, arg, after
    if last:
        yield last


def _handle_exception(self: Any, runner: Any, state: Any) -> Any:
    """Go on to the next instruction; where there is a ``try``, as numba does."""
    if self._bytecode.exception_entries:
        return _after(self, runner, state)
    return state.advance_pc()


def _post_process(self: Any, peepholes: Any, func_ir: Any) -> Any:
    """Rewrite what ``try``, ``with``, lists and dicts have left behind, where there are any."""
    names = {one.opname for one in self.bytecode}
    if self.bytecode.exception_entries or not names.isdisjoint(_FOR_PEEPHOLES):
        return _post_processed(self, peepholes, func_ir)
    return func_ir


def _load_attr(self: Any, inst: Any, item: str, res: str) -> None:
    """Load an attribute; a number of a module is there already, and the module is loaded for nothing else."""
    name = self.get(item).name
    known, body = self.definitions[name], self.current_block.body
    if len(known) == 1 and isinstance(known[0], ir.Global) and isinstance(known[0].value, ModuleType):
        value = getattr(known[0].value, self.code_names[inst.arg >> 1 if _SHIFTED else inst.arg], None)
        if type(value) in _NUMBERS:
            if body and isinstance(body[-1], ir.Assign) and body[-1].target.name == name and name.startswith("$"):
                body.pop()
            self.store(ir.Const(value, self.loc), res)
            return
    _loaded(self, inst, item, res)


def _names_in(block: Any) -> set[str]:
    """Return the variables that a block sets or uses."""
    names = {one.target.name for one in block.body if isinstance(one, ir.Assign)}
    names.update(var.name for one in block.body for var in one.list_vars())
    return names


def _quick_ssa() -> list[tuple[Any, str, Any]]:
    """Return numba's renaming of variables, which for each of them walks through the blocks that hold it, and through no other."""
    names: dict[int, set[str]] = {}

    def run_ssa(blocks: Any) -> Any:
        names.clear()
        names.update((label, _names_in(block)) for label, block in blocks.items())
        return _run_ssa(blocks)

    def rewrite(blocks: Any, states: Any, handler: Any) -> Any:
        name = states["varname"]
        concerned = {label: block for label, block in blocks.items() if name in names[label]}
        written = _rewritten(concerned, states, handler)
        return {label: written.get(label, block) for label, block in blocks.items()}

    return [(ssa, "_run_ssa", run_ssa), (ssa, "_run_block_rewrite", rewrite)]


def _as_kernels(modules: frozenset[str], options: Mapping[str, Any]) -> Callable[[Any], Any]:
    """Return how the functions of numba's own that stand in some of its modules are compiled: as kernels are."""

    def decorator(self: Any) -> Any:
        jit = _jit(self)
        if self._overload_func.__module__ not in modules:
            return jit
        return lambda **given: jit(**{**given, **options})

    return decorator


def quick_bytecode(pipeline: Any) -> list[tuple[Any, str, Any]]:
    """Return what takes the place of numba's own while kernels are compiled: whose, its name, and what.

    ``pipeline``: the compiler of ``min``, ``max`` and ``int``, which numba else compiles to machine code for each pair of types.
    """
    found = [
        (byteflow.Flow, "_run_handle_exception", _handle_exception),
        (interpreter.Interpreter, "post_process", _post_process),
        (interpreter.Interpreter, "op_LOAD_ATTR", _load_attr),
        *_quick_ssa(),
        (
            templates._OverloadFunctionTemplate,  # noqa: SLF001
            "_get_jit_decorator",
            _as_kernels(frozenset({"numba.cpython.builtins"}), {"pipeline_class": pipeline}),
        ),
    ]
    return [*found, (bytecode, "_unpack_opargs", _without_caches)] if _HAS_CACHES else found
