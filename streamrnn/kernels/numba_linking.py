"""From the texts of an entry and of all kernels below it to one module of LLVM's, and to machine code.

Numba gives each function to LLVM alone: it parses, optimises and links them one by one, and compiles each to machine code. Kernels are
never called alone: their texts are joined, parsed at once, and optimised inside their entry.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from numba.core import codegen
from numba.core.cgutils import normalize_ir_text

from streamrnn.kernels import progress

_BEGIN: Final = re.compile(r"\n(?=define |declare |@|!\d)")  # of a part of a module's text
_NAME: Final = re.compile(r'@"([^"]*)"')
_CONSTANT: Final = re.compile(r'^(@"[^"]*") = ((?:internal|private) (?:unnamed_addr )?constant .*)$', re.MULTILINE)
_DATA: Final = re.compile(r"!\d+\b")
_DEFINED: Final = re.compile(r"define (linkonce_odr )?")
_ONCE: Final = "linkonce_odr"
_LONGEST: Final = 16_000  # characters of a function that may be put in the place of a call: of longer ones LLVM would make few that are huge
# What LLVM does otherwise while kernels pass through it, and what is its own way. Addresses in loops are computed as they are written: it would look for
# other ways to count, among many, in a third of the time to machine code; kernels run as fast without. Loops of more than four turns stay loops
# until they are vectors: where a net has 16 units it would write out every turn before it finds that one vector does them all. A loop whose turns are counted
# while it runs is not written out either: most are over a few outputs or experts.
_OPTIONS: Final = (
    ("-disable-lsr=true", "-disable-lsr=false"),
    ("-unroll-full-max-count=4", "-unroll-full-max-count=4294967295"),
    ("-unroll-runtime=false", "-unroll-runtime=true"),
)


@contextlib.contextmanager
def plain_loops() -> Iterator[None]:
    """Let LLVM leave loops as they are written: half of the time to code that is faster.

    The options are LLVM's, for the process: numba's other code, which the same lock keeps out meanwhile, has them as before.
    """
    for ours, _ in _OPTIONS:
        codegen.ll.set_option("", ours)
    try:
        yield
    finally:
        for _, theirs in _OPTIONS:
            codegen.ll.set_option("", theirs)


def _tuned() -> Any:
    """Return LLVM's ways for kernels: its third level and several vectors at once take a quarter of its time more, for code that is no faster."""
    tuned = codegen.ll.create_pipeline_tuning_options(speed_level=2)
    tuned.loop_vectorization, tuned.slp_vectorization, tuned.loop_interleaving = True, False, False
    return tuned


def _linked(part: str, keep: bool) -> str:
    """Return a function's text as it is in the module of an entry.

    Nothing but the entry is called from outside: LLVM may put all others in the places of their calls, or leave out arguments that they make no use of,
    such as four of the seven words of an array; private, so that no other module finds such a function by the name of the kernel. All may use the widest vectors that the processor has: by itself LLVM takes half of that on Intel's.
    """
    head, body = (part if keep else _DEFINED.sub("define private ", part, count=1)).split("{\n", 1)
    alone = "" if keep or len(part) <= _LONGEST else "noinline "
    return f'{head}{alone}"prefer-vector-width"="512" {{\n{body}'


class _Parts:
    """What a module is made of: each part once, functions in the order in which they come."""

    def __init__(self) -> None:
        self._functions: dict[str, str] = {}
        self._declared: dict[str, str] = {}
        self._variables: dict[str, None] = {}
        self._constants: dict[str, str] = {}  # by what it says: its name
        self._data: dict[str, str] = {}  # by what it says: its number

    def add(self, text: str, keep: bool) -> None:
        """Add the parts of a module; ``keep`` its functions for callers from outside."""
        _, *parts = _BEGIN.split(self._renamed(text))
        numbers: dict[str, str] = {}
        for part in parts:
            if part.startswith("!"):
                number, says = part.strip().split(" = ", 1)
                numbers[number] = self._data.setdefault(says, f"!{len(self._data)}")
        for part in parts:
            if part.startswith("@"):
                self._variables[part.strip()] = None
            elif part.startswith("declare "):
                self._declared[self._name(part)] = part
            elif part.startswith("define "):
                linked = _linked(part, keep)
                named = any(one != other for one, other in numbers.items())
                self._functions.setdefault(
                    self._name(part), _DATA.sub(lambda found: numbers[found[0]], linked) if named else linked
                )

    def _renamed(self, text: str) -> str:
        """Return a module's text with a name for each constant by what it says: constants of two modules may have one name, and two in one module follow each other."""
        for name, says in _CONSTANT.findall(text):
            text = text.replace(name, self._constants.setdefault(says, f'@"constant {len(self._constants)}"'))
        return text

    @staticmethod
    def _name(part: str) -> str:
        found = _NAME.search(part)
        return found[1] if found else part

    def text(self) -> str:
        """Return the module's text."""
        declared = (part for name, part in self._declared.items() if name not in self._functions)
        data = (f"{number} = {says}" for says, number in self._data.items())
        return "\n".join([*self._variables, *declared, *self._functions.values(), *data])


class _KernelLibrary(codegen.JITCodeLibrary):  # type: ignore[misc]
    """LLVM code of kernels, kept as text until its entry is made."""

    def __init__(self, maker: Any, name: str) -> None:
        codegen.CodeLibrary.__init__(self, maker, name)  # what lies between would parse an empty module first
        self.texts: list[str] = []
        self.is_quiet = False  # whether it never raises
        self._final_module: Any = None
        self._shared_module: Any = None
        self._linking_libraries: list[Any] = []

    def add_ir_module(self, ir_module: Any) -> None:
        """Keep a module's text."""
        self._raise_if_finalized()
        self.texts.append(normalize_ir_text(str(ir_module)))

    def _module_of(self, kernels: Iterable[_KernelLibrary]) -> Any:
        """Return one module of the functions of some libraries; those of this one can be called from outside."""
        parts = _Parts()
        for library in kernels:
            self._reload_init.update(library._reload_init)  # noqa: SLF001
            for text in library.texts:
                parts.add(text, library is self)
        made = codegen.ll.parse_assembly(str(self._codegen._create_empty_module(self.name)) + parts.text())  # noqa: SLF001
        made.verify()
        made.data_layout = self._codegen._data_layout  # noqa: SLF001
        return made

    def _below(self) -> tuple[list[_KernelLibrary], list[Any]]:
        """Return this library and all kernels below, callers before their callees, and numba's own that they call."""
        every = [*dict.fromkeys(_called_by(self)), self][::-1]
        return [one for one in every if isinstance(one, _KernelLibrary)], [
            one for one in every if not isinstance(one, _KernelLibrary)
        ]


class EntryLibrary(_KernelLibrary):
    """LLVM code of an entry: that of all kernels below is in it, once each."""

    def finalize(self) -> None:
        """Join, optimise, and make machine code."""
        called = self._linking_libraries
        kernels, self._linking_libraries = self._below()
        with plain_loops():
            self._final_module = self._module_of(kernels)
            super().finalize()
        self._linking_libraries = called

    def _optimize_final_module(self) -> None:
        progress.optimise()
        builder = codegen.ll.create_pass_builder(self._codegen._tm, _tuned())  # noqa: SLF001
        builder.getModulePassManager().run(self._final_module, builder)


class InnerLibrary(_KernelLibrary):
    """LLVM code that is only ever part of an entry: neither optimised nor made into machine code by itself."""

    def _get_module_for_linking(self) -> Any:
        """Return the code with all that is below it, for a function that is no entry of ours."""
        if self._shared_module is None:
            kernels, others = self._below()
            whole = self._module_of(kernels)
            for function in whole.functions:
                if not function.is_declaration:
                    function.linkage = _ONCE
            for one in others:
                whole.link_in(one._get_module_for_linking(), preserve=True)  # noqa: SLF001
            self._shared_module = whole
        return self._shared_module

    def finalize(self) -> None:
        """Leave the code as it is."""
        self._raise_if_finalized()
        self._finalized = True


def _called_by(library: Any) -> Iterator[Any]:
    """Yield what a library calls: callees before their callers."""
    for one in library._linking_libraries:  # noqa: SLF001
        if isinstance(one, _KernelLibrary):
            yield from _called_by(one)
        yield one
