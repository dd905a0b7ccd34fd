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
import hashlib
import inspect
import os
import pickle
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numba
from numba.core.caching import UserProvidedCacheLocator
from numba.core.compiler_lock import global_compiler_lock
from numba.core.errors import NumbaWarning
from numba.core.serialize import dumps
from numba.extending import overload

from streamrnn.kernels.numba_pipeline import ApartCompiler, EntryCompiler, InnerCompiler
from streamrnn.kernels.numba_private import few_pauses, names_of_their_own, quick_settings, spare_scipy
from streamrnn.kernels.numba_typing import quick_typing
from streamrnn.kernels.progress import shown
from streamrnn.trusted import distrusted, make_private, real

OPTIONS: Final[dict[str, Any]] = {
    "error_model": "numpy",
    "nogil": True,
    "_nrt": False,  # no reference counts, no allocation: what would allocate does not compile
    "fastmath": {"reassoc", "contract", "arcp", "nsz", "afn"},
}
INTERPRETED: Final = bool(numba.config.DISABLE_JIT)
_KEPT: Final = (".nbi", ".nbc")  # ends of the names of numba's index and code

# What reading or writing a damaged, foreign or unwritable cache raises. Pickle's errors and EOFError come from a cut
# file, the rest from the file system. Numba reads its own cache with pickle: the folder is looked at first.
_CACHE_ERRORS: Final = (
    pickle.UnpicklingError, EOFError, OSError, RuntimeError, ValueError, IndexError, KeyError, TypeError, AttributeError,
    ImportError, MemoryError,
)  # fmt: skip
ENTRY: Final[dict[str, Any]] = {**OPTIONS, "pipeline_class": EntryCompiler}
INNER: Final[dict[str, Any]] = {**OPTIONS, "pipeline_class": InnerCompiler}
kernel: Callable[..., Any] = numba.njit(**INNER)
"""Decorator for a function that other kernels call: compiled into its caller, never cached alone."""
apart: Callable[..., Any] = numba.njit(**{**OPTIONS, "pipeline_class": ApartCompiler})
"""The same for a function whose arrays lie apart: no element that it writes to is an element of another of its arguments too.

LLVM then computes with vectors where it would have to compare the arrays' places first, which it does not for a dozen elements: a step back of
16 units takes half the time.
"""


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


_closed: Final[set[int]] = set()


def chosen_by_code(rows: Mapping[str, Any], function: str, otherwise: str = "") -> Any:
    """Turn one column of a table into a function ``f(code, *args)`` for kernels: the function of the row with that code.

    The code is data: all rows are compiled into one chain of comparisons, so that another row costs no other compilation.
    The chain is made when an entry is compiled, from the rows that there are then; see :func:`close`.

    Parameters
    ----------
    rows
        The table; its rows have a ``code`` and the column. All functions of a column have the same arguments and results.
    function
        Name of the column; a row may have None there.
    otherwise
        What a row without the function does, as a statement of Python over the arguments' names.
    """

    def chosen() -> dict[int, Any]:
        return {row.code: getattr(row, function) for row in rows.values() if getattr(row, function) is not None}

    def chain() -> Any:
        found = chosen()
        names = list(inspect.signature(getattr(body := next(iter(found.values())), "py_func", body)).parameters)
        scope = {f"row_{code}": body for code, body in found.items()}
        listed = ", ".join(names)
        lines = [f"    if code == {code}:\n        return row_{code}({listed})" for code in found]
        text = "\n".join([f"def bound(code, {listed}):", *lines, f"    {otherwise or 'return None'}"])
        exec(text, scope)  # noqa: S102  our own parameter names; nothing from outside is evaluated
        return scope["bound"]

    def generic(code: int, *args: Any) -> Any:
        return chain()(code, *args)

    def choose(code: Any, *args: Any) -> Any:
        bound = chain()
        choose.__signature__ = inspect.signature(bound)  # type: ignore[attr-defined]
        return bound

    if not INTERPRETED:
        overload(generic, jit_options=INNER, strict=False)(choose)
    return generic


def close(rows: Mapping[str, Any]) -> None:
    """Note that an entry of this process holds the rows of a table: rows that come later would be missing in it."""
    _closed.add(id(rows))


def is_closed(rows: Mapping[str, Any]) -> bool:
    """Tell whether the rows of a table are in code already."""
    return id(rows) in _closed


def code_of(name: str) -> int:
    """Return the code of a row from outside: by its name alone, so that a snapshot means the same row in every process."""
    return 1000 + int.from_bytes(hashlib.blake2b(name.encode(), digest_size=4).digest(), "little")


@functools.cache
def sources_digest(*functions: Callable[..., Any] | None) -> str:
    """Return a hash over the sources of all kernels and of every file that defines one of ``functions``.

    Numba's cache does not notice an edited callee in another file; an entry closed over this value does.
    """
    digest = hashlib.sha256()
    files = set(Path(__file__).parent.rglob("*.py"))
    for function in functions:
        with contextlib.suppress(TypeError, OSError):
            source = inspect.getsourcefile(getattr(function, "py_func", function))  # type: ignore[arg-type]
            files.add(Path(source or __file__))
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
    return _Guarded(_cached(python) or numba.njit(**ENTRY)(python), python)


def _cached(python: Callable[..., Any]) -> Any:
    """Return ``python`` with a disk cache in the first place where only this user can write; None where there is none.

    Numba reads what it kept with pickle: whoever can write there runs code as this user. It takes the folder that
    NUMBA_CACHE_DIR names, or that beside the sources, or that in the user's home; here comes one in the temporary directory.
    """
    file, given = inspect.getfile(python), numba.config.CACHE_DIR
    for place in [given] if given else ["", *_homes()]:
        folder = _folder_in(place, file)
        why = distrusted(folder, _KEPT)
        if why is None and os.access(folder, os.W_OK):
            numba.config.CACHE_DIR = place and str(folder.parent)
            try:
                return numba.njit(cache=True, **ENTRY)(python)
            except RuntimeError:  # "no locator available": nowhere to write
                continue
            finally:
                numba.config.CACHE_DIR = given
        if why is not None and given and folder.exists():
            warnings.warn(
                f"Compiled code is neither read from NUMBA_CACHE_DIR nor kept there, so that each start compiles anew: {why}. "
                "It must belong to the user who runs this, and nobody else may write to it (chmod go-w).",
                RuntimeWarning,
                stacklevel=2,
            )
    return None


def _homes() -> Iterator[str]:
    """Name the folders besides that beside the sources: in the user's home, then in the temporary directory."""
    with contextlib.suppress(RuntimeError):  # there is no home
        yield str(Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba")
    with contextlib.suppress(OSError):  # there is no temporary directory
        yield str(Path(tempfile.gettempdir()) / f"streamrnn-numba-{os.geteuid()}")


def _folder_in(place: str, file: str) -> Path:
    """Return the folder that numba keeps the functions of a file in, links in its path followed, and make it where it can be made."""
    if not place:
        folder = Path(file).parent.resolve() / "__pycache__"
        with contextlib.suppress(OSError):
            folder.mkdir(exist_ok=True)  # Python keeps its own there, for all users
        return folder
    name: str = UserProvidedCacheLocator.get_suitable_cache_subpath(file)
    folder = real(Path(place)) / name
    with contextlib.suppress(OSError):
        make_private(folder)
    return folder


def direct(found: Any) -> tuple[Callable[..., Any], Any]:
    """Return the compiled code of an entry that has run, past the dispatcher, which looks at the types of the arguments, and what numba made of it.

    For who always has the same types. Interpreted, and of an entry that has run with several, it is the entry itself, and None.

    Parameters
    ----------
    found
        Of :func:`entry`.
    """
    compiled = getattr(found, "call", found)
    made = list(getattr(compiled, "overloads", {}).values())
    return (made[0].entry_point, made[0]) if len(made) == 1 else (compiled, None)


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
        kept = self._compiled.stats.cache_path
        if kept is not None and distrusted(Path(kept), _KEPT) is not None:
            self._compiled = numba.njit(**ENTRY)(self._python)
        with (
            global_compiler_lock,
            names_of_their_own(),
            quick_settings(),
            few_pauses(),
            quick_typing(),
            shown(self._python.__qualname__),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore", NumbaWarning)
            spare_scipy()
            try:
                self._compiled.compile(signature)
            except numba.core.errors.TypingError:
                raise
            except _CACHE_ERRORS:
                self._compiled = numba.njit(**ENTRY)(self._python)
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
