"""What we use of numba that numba does not promise: each part once, here, with the reason.

They are the reason why ``pyproject.toml`` has an upper bound for numba, and through it for llvmlite. Importing this module looks
for each of them (:func:`missing`); what they do is found out by ``tests/cold`` and ``tests/kernels``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib.util
import itertools
import os
import sys
from collections.abc import Mapping
from importlib import import_module
from importlib.metadata import requires
from typing import Any, Final

import numba
from numba.core import bytecode, targetconfig

PARTS: Final = {
    "numba.core.analysis": ("compute_cfg_from_blocks",),
    "numba.core.base": ("_has_loc",),
    "numba.core.base.BaseContext": ("declare_function", "get_returned_value", "refresh"),
    "numba.core.bytecode": ("_unpack_opargs",),
    "numba.core.bytecode.FunctionIdentity": ("_unique_ids",),  # names of compiled functions, numbered from 1
    "numba.core.byteflow": ("_logger",),
    "numba.core.byteflow.Flow": ("_run_handle_exception",),
    "numba.core.caching.UserProvidedCacheLocator": ("get_suitable_cache_subpath",),  # where the cache lies
    "numba.core.callconv": ("RETCODE_NONE", "RETCODE_OK"),
    "numba.core.callconv.BaseCallConv": ("_get_arg_packer",),
    "numba.core.cgutils": ("ir", "normalize_ir_text"),
    "numba.core.codegen": ("CodeLibrary", "ll"),
    "numba.core.codegen.JITCodeLibrary": (
        "add_ir_module",
        "finalize",
        "_get_module_for_linking",
        "_optimize_final_module",
        "_raise_if_finalized",
        "enable_object_caching",
    ),
    "numba.core.compiler.CompilerBase": ("define_pipelines", "_compile_core"),
    "numba.core.compiler_lock": ("global_compiler_lock",),
    "numba.core.compiler_machinery": ("register_pass",),
    "numba.core.compiler_machinery.PassManager": ("_runPass", "add_pass", "finalize"),
    "numba.core.datamodel": ("default_manager",),
    "numba.core.errors": ("NumbaError", "NumbaWarning", "TypingError", "termcolor"),
    "numba.core.event": ("Listener", "install_listener", "start_event", "end_event"),
    "numba.core.imputils": ("builtin_registry", "user_function"),
    "numba.core.interpreter.Interpreter": ("op_LOAD_ATTR", "post_process"),
    "numba.core.ir.Inst": ("list_vars", "_rec_list_vars"),
    "numba.core.lowering": ("Constant", "new_error_context"),
    "numba.core.lowering.Lower": (
        "init",
        "setup_function",
        "post_lower",
        "lower_block",
        "lower_inst",
        "lower_assign",
        "lower_binop",
        "lower_getitem",
        "loadvar",
        "storevar",
        "delvar",
        "_alloca_var",
    ),
    "numba.core.postproc.PostProcessor": ("run",),
    "numba.core.serialize": ("dumps",),
    "numba.core.ssa": ("_logger", "_run_ssa", "_run_block_rewrite"),
    "numba.core.targetconfig.TargetConfig": ("values", "options"),
    "numba.core.transforms": ("canonicalize_cfg",),
    "numba.core.typed_passes.BaseNativeLowering": ("lowering_class",),
    "numba.core.typeinfer": ("ForceLiteralArg", "new_error_context"),
    "numba.core.typeinfer.CallConstraint": ("resolve",),
    "numba.core.typeinfer.ConstraintNetwork": ("propagate",),
    "numba.core.types.Function": ("get_call_type",),
    "numba.core.types.iterators": ("RangeType",),
    "numba.core.types.misc": ("Optional", "SliceType"),
    "numba.core.typing.context.BaseContext": (
        "refresh",
        "resolve_function_type",
        "resolve_getattr",
        "resolve_value_type",
    ),
    "numba.core.typing.templates": ("builtin_registry",),
    "numba.core.typing.templates._OverloadFunctionTemplate": ("_get_jit_decorator",),
    "numba.core.untyped_passes.ReconstructSSA": ("run_pass",),
    "numba.np.arrayobj": ("make_array", "populate_array", "load_item", "store_item"),
    "numba.np.linalg": ("ensure_blas",),
}
"""What we use, by the module or class that has it."""


def missing(parts: Mapping[str, tuple[str, ...]] = PARTS) -> list[str]:
    """Return those parts of numba that this release does not have."""
    found = []
    for place, names in parts.items():
        try:
            owner: Any = import_module(place)
        except ImportError:
            module, _, name = place.rpartition(".")
            owner = getattr(import_module(module), name, None)
        found += [f"{place}.{name}" for name in names if not hasattr(owner, name)]
    return found


def require(parts: Mapping[str, tuple[str, ...]] = PARTS) -> None:
    """Raise an ImportError that says what to install, where this release of numba lacks a part."""
    if lacking := missing(parts):
        tested = next(one for one in requires("streamrnn") or ["numba"] if one.startswith("numba"))
        raise ImportError(
            f"numba {numba.__version__} lacks {', '.join(lacking)}, which streamrnn uses. Install one that it was tested with: "
            f"pip install '{tested}'"
        )


require()
FunctionIdentity, TargetConfig = bytecode.FunctionIdentity, targetconfig.TargetConfig


def spare_scipy() -> None:
    """Import numba's array functions without scipy.linalg: a third of the way to a process's first score.

    They import it to learn whether there is a BLAS; that scipy is installed says the same. Matrix functions of other
    compiled code in this process import it when they are compiled, as ever.
    """
    if "numba.np.arraymath" in sys.modules:
        return
    linalg: Any = import_module("numba.np.linalg")
    ensure_blas = linalg.ensure_blas

    def installed() -> None:
        if importlib.util.find_spec("scipy") is None:
            raise ImportError("scipy is not installed.")

    linalg.ensure_blas = installed
    try:
        arraymath: Any = import_module("numba.np.arraymath")
        arraymath.ensure_blas = ensure_blas
    finally:
        linalg.ensure_blas = ensure_blas


class _Defaults(dict[type, dict[str, Any]]):
    """The default of every option, for each kind of numba's settings."""

    def __missing__(self, kind: Any) -> dict[str, Any]:
        self[kind] = {name: option.default for name, option in kind.options.items()}
        return self[kind]


_DEFAULTS: Final = _Defaults()
_ALLOCATIONS: Final = 50_000  # between two collections of the youngest


@contextlib.contextmanager
def quick_settings() -> Any:
    """Let numba compare its settings without asking for every option through a property.

    It does so ten thousands of times in a cold start, a sixth of the time. The same answers; the hash is that of the
    options' names alone, as numba's.
    """
    before = {name: getattr(TargetConfig, name) for name in ("values", "__eq__", "__hash__")}

    def values(self: Any) -> dict[str, Any]:
        return {**_DEFAULTS[type(self)], **self._values}

    def equal(self: Any, other: Any) -> Any:
        if not isinstance(other, TargetConfig):
            return NotImplemented
        return self._values == other._values or values(self) == values(other)  # noqa: SLF001

    def hashed(self: Any) -> int:
        return hash(tuple(sorted(_DEFAULTS[type(self)])))

    try:
        for name, method in zip(before, (values, equal, hashed), strict=True):
            setattr(TargetConfig, name, method)
        yield
    finally:
        for name, method in before.items():
            setattr(TargetConfig, name, method)


@contextlib.contextmanager
def few_pauses() -> Any:
    """Spare numba the garbage collector and colours while it compiles: a sixth of the time, for 20 MiB.

    Its millions of objects make the collector go through all there are again and again; and it colours ten thousands of
    messages that nobody sees, because it finds the right type by trying the wrong ones.
    """
    before, scheme = gc.get_threshold(), type(numba.core.errors.termcolor())
    colour = getattr(scheme, "_markup", None)  # there is none without colorama
    try:
        if 0 < before[0] < _ALLOCATIONS:
            gc.set_threshold(_ALLOCATIONS, 20, 100)
        if colour:
            scheme._markup = lambda self, msg, *how: msg  # noqa: ARG005, SLF001
        yield
    finally:
        gc.set_threshold(*before)
        if colour:
            scheme._markup = colour  # noqa: SLF001


@contextlib.contextmanager
def names_of_their_own() -> Any:
    """Name compiled functions as nobody else does: numba numbers those of each process from 1.

    Code that two processes kept may be loaded by a third, where a name that was given twice stands for one function: a net
    of one size would run parts of another, past the end of its memory.
    """
    before = FunctionIdentity._unique_ids  # noqa: SLF001
    FunctionIdentity._unique_ids = itertools.count(int.from_bytes(os.urandom(7), "big"))  # noqa: SLF001
    try:
        yield
    finally:
        FunctionIdentity._unique_ids = before  # noqa: SLF001
