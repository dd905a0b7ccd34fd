"""The one module that knows numba's options, its cache and its traps.

``kernel`` compiles a function for use inside other kernels. ``chosen_by_cell`` makes a function whose
body is picked by two compile-time constants, the cell's name and its hidden size. ``entry`` builds the
compiled function that Python calls; only entries are cached on disk.

Floating-point liberties, all of them: ``reassoc`` (vector sums), ``contract`` (fused multiply-add), ``arcp`` and
``afn`` (reciprocals and square roots by estimate and Newton step), ``nsz`` (sign of zero). Never ``nnan`` or ``ninf``:
they let LLVM delete the tests for NaN that keep bad updates out. ``error_model="numpy"``: without it every
division carries a branch and no loop with a division is vectorised (nine times slower, measured).
"""

from __future__ import annotations

import contextlib
import functools
import gc
import hashlib
import importlib.util
import inspect
import itertools
import os
import pickle
import sys
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import numba
from numba.core.bytecode import FunctionIdentity
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import Compiler
from numba.core.errors import NumbaWarning
from numba.core.serialize import dumps
from numba.core.targetconfig import TargetConfig
from numba.extending import intrinsic, overload
from numba.np import arrayobj
from numpy.typing import NDArray

from streamrnn.kernels.cell import Cell

OPTIONS: Final[dict[str, Any]] = {
    "error_model": "numpy",
    "nogil": True,
    "_nrt": False,  # no reference counts, no allocation: what would allocate does not compile
    "fastmath": {"reassoc", "contract", "arcp", "nsz", "afn"},
}
INTERPRETED: Final = bool(numba.config.DISABLE_JIT)

# What reading or writing a damaged, foreign or unwritable cache raises. Pickle's errors and EOFError come from a cut
# file, the rest from the file system. Numba reads its own cache with pickle: the folder is the user's own, never input.
_CACHE_ERRORS: Final = (
    pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError, IndexError, KeyError, TypeError, AttributeError,
    ImportError, MemoryError,
)  # fmt: skip


class _InnerLibrary(JITCodeLibrary):  # type: ignore[misc]
    """LLVM code that is only ever linked into a caller: neither optimised nor made into machine code by itself."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _Inner(Compiler):  # type: ignore[misc]
    """Numba's pipeline without its last steps, for kernels: they are optimised once, inside their entry.

    Numba optimises a function and compiles it to machine code at every level of calls; with kernels six
    levels deep that is most of the time to compile.
    """

    def define_pipelines(self) -> Any:
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


INNER: Final[dict[str, Any]] = {**OPTIONS, "pipeline_class": _Inner}

kernel: Callable[..., Any] = numba.njit(**INNER)
"""Decorator for a function that other kernels call: compiled into its caller, never cached alone."""


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


reinterpret: Callable[[NDArray[Any], Any], NDArray[Any]] = _reinterpreted if INTERPRETED else _reinterpret
"""The items of a contiguous array with one axis as another type: ``array.view(dtype)``, which takes half a second to compile."""


def chosen_by_cell(factory: Callable[..., Any]) -> Any:
    """Turn ``factory(cell, hidden) -> function(*args)`` into a function ``f(cell, hidden, *args)`` for kernels.

    Inside compiled code ``cell`` and ``hidden`` must be constants (closure variables of the entry): the
    right body is then inlined with its sizes known to LLVM. Interpreted, the same call looks the body up.

    A closure over a compiled function would never hit numba's disk cache; an overload chosen by literals does.
    """
    made = functools.cache(factory)

    def generic(cell: str, hidden: int, *args: Any) -> Any:
        return made(cell, hidden)(*args)

    def choose(cell: Any, hidden: Any, *args: Any) -> Any:
        body = made(cell.literal_value, hidden.literal_value)
        names = list(inspect.signature(getattr(body, "py_func", body)).parameters)
        scope = {"body": body}
        exec(  # noqa: S102  our own parameter names; nothing from outside is evaluated
            f"def bound(cell, hidden, {', '.join(names)}):\n    return body({', '.join(names)})\n", scope
        )
        bound = scope["bound"]
        choose.__signature__ = inspect.signature(bound)  # type: ignore[attr-defined]
        return bound

    if not INTERPRETED:
        overload(generic, jit_options=INNER, prefer_literal=True, strict=False)(choose)
    return generic


@functools.cache
def sources_digest(cell: Cell) -> str:
    """Return a hash over the sources of all kernels and of every file that defines a function of ``cell``.

    Numba's cache does not notice an edited callee in another file; an entry closed over this value does.
    """
    digest = hashlib.sha256()
    files = set(Path(__file__).parent.rglob("*.py"))
    for function in (cell.forward, cell.backward, cell.traces):
        with contextlib.suppress(TypeError, OSError):
            files.add(Path(inspect.getsourcefile(function) or __file__))  # type: ignore[arg-type]
    for path in sorted(files):
        with contextlib.suppress(OSError):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _constants_digest(python: Callable[..., Any]) -> str:
    """Return a hash over the values that ``python`` is closed over."""
    values = [cell.cell_contents for cell in python.__closure__ or ()]
    return hashlib.sha256(dumps(values)).hexdigest()[:16]


def entry(python: Callable[..., Any]) -> Any:
    """Return ``python`` compiled on its first call, through the disk cache where one works.

    It must be a closure over constants alone: the cell's name, the hidden size, :func:`sources_digest`. Its constants
    name its files in the cache: numba would number all closures of one function in one index, and two processes that
    add to it at the same moment may take the same number, after which one of them runs the code of the other.

    Without a writable place, with a damaged cache file or with several processes starting at once the
    function is compiled in memory instead: slower to start, never an error.
    """
    if INTERPRETED:
        return python
    python.__qualname__ += f"_{_constants_digest(python)}"
    with _cache_place():
        try:
            compiled = numba.njit(cache=True, **OPTIONS)(python)
        except RuntimeError:  # "no locator available": nowhere to write
            return numba.njit(**OPTIONS)(python)
    return _Guarded(compiled, python)


@contextlib.contextmanager
def _cache_place() -> Any:
    """Name a cache folder in the temporary directory where neither the sources nor the home can be written."""
    before = numba.config.CACHE_DIR
    if not before:
        here = Path(__file__).parent
        places = (here / "__pycache__", here, Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")))
        if not any(place.is_dir() and os.access(place, os.W_OK) for place in places):
            numba.config.CACHE_DIR = str(Path(tempfile.gettempdir()) / f"streamrnn-numba-{os.getuid()}")
    try:
        yield
    finally:
        numba.config.CACHE_DIR = before


def _spare_scipy() -> None:
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
_ALLOCATIONS: Final = 50_000  # between two looks of the collector at the youngest


@contextlib.contextmanager
def _quick_settings() -> Any:
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
def _few_pauses() -> Any:
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
def _names_of_their_own() -> Any:
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


class _Guarded:
    """A compiled function that survives a damaged cache: the first call falls back to compiling in memory.

    After the first call :attr:`call` is the compiled code itself.
    """

    __slots__ = ("_compiled", "_python", "call")

    def __init__(self, compiled: Any, python: Callable[..., Any]) -> None:
        self._compiled = compiled
        self._python = python
        self.call: Callable[..., Any] = self._first

    def __call__(self, *args: Any) -> Any:
        return self.call(*args)

    def _first(self, *args: Any) -> Any:
        signature = tuple(numba.typeof(arg) for arg in args)
        with _cache_place(), _names_of_their_own(), _quick_settings(), _few_pauses(), warnings.catch_warnings():
            warnings.simplefilter("ignore", NumbaWarning)
            _spare_scipy()
            try:
                self._compiled.compile(signature)
            except numba.core.errors.TypingError:
                raise
            except _CACHE_ERRORS:
                self._compiled = numba.njit(**OPTIONS)(self._python)
                self._compiled.compile(signature)
        self.call = self._compiled
        return self._compiled(*args)

    @property
    def compilations(self) -> int:
        """How many signatures exist: 1 after the first call, and for ever."""
        return len(self._compiled.signatures)

    @property
    def cache_hits(self) -> int:
        """How many of them came from the disk cache."""
        return sum(self._compiled.stats.cache_hits.values())
