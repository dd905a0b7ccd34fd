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
from numba.core import bytecode, codegen, compiler, targetconfig

PARTS: Final = {
    "numba.core.bytecode.FunctionIdentity": ("_unique_ids",),  # names of compiled functions, numbered from 1
    "numba.core.caching.UserProvidedCacheLocator": ("get_suitable_cache_subpath",),  # where the cache lies
    "numba.core.codegen.JITCodeLibrary": (
        "_optimize_final_module",
        "_finalize_final_module",
        "_finalize_dynamic_globals",
    ),
    "numba.core.compiler.Compiler": ("define_pipelines", "_compile_core"),
    "numba.core.errors": ("NumbaWarning", "TypingError", "termcolor"),
    "numba.core.event": ("Listener", "install_listener"),
    "numba.core.serialize": ("dumps",),
    "numba.core.targetconfig.TargetConfig": ("values", "options"),
    "numba.np.arrayobj": ("make_array", "populate_array"),
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


class _InnerLibrary(codegen.JITCodeLibrary):  # type: ignore[misc]
    """LLVM code that is only ever linked into a caller: neither optimised nor made into machine code by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class InnerCompiler(compiler.Compiler):  # type: ignore[misc]
    """Numba's pipeline without its last steps, for kernels: they are optimised once, inside their entry.

    Numba optimises a function and compiles it to machine code at every level of calls; with kernels six
    levels deep that is most of the time to compile.
    """

    def define_pipelines(self) -> Any:
        """Return numba's pipelines, for code that nobody calls from Python."""
        state = self.state
        state.flags.no_compile = True
        state.flags.no_cpython_wrapper = True
        state.flags.no_cfunc_wrapper = True
        state.library = _InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return super().define_pipelines()

    def _compile_core(self) -> Any:
        # Callers find a compiled function under its entry point, which must be a built-in: a method of an object made
        # for the purpose, that raises whatever it is called with.
        key = [f"{self.state.func_id.func_name} runs inside an entry only"].index
        result = super()._compile_core()._replace(entry_point=key)
        self.state.targetctx.insert_user_function(key, result.fndesc, [result.library])
        return result


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
