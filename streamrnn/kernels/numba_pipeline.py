"""Numba's way from a function to LLVM's code, without the stations that kernels do not need: half of the time to compile.

Kernels are plain functions on numbers and one-dimensional arrays. They hold no closures, no generators, no context managers, no
array expressions and nothing that is counted; for all of these numba looks in every function, several times.
"""

from __future__ import annotations

import functools
from typing import Any

from numba.core import compiler, typed_passes, untyped_passes
from numba.core.compiler_machinery import PassManager, register_pass

from streamrnn.kernels import progress
from streamrnn.kernels.numba_calls import call_of
from streamrnn.kernels.numba_linking import EntryLibrary, InnerLibrary
from streamrnn.kernels.numba_lowering import KernelLower

UNTYPED = (
    untyped_passes.TranslateByteCode,
    untyped_passes.FixupArgs,
    untyped_passes.IRProcessing,
    untyped_passes.RewriteSemanticConstants,
    untyped_passes.DeadBranchPrune,
    untyped_passes.GenericRewrites,
    untyped_passes.ReconstructSSA,
    untyped_passes.DeadBranchPrune,
)


@register_pass(mutates_CFG=True, analysis_only=False)
class KernelLowering(typed_passes.BaseNativeLowering):  # type: ignore[misc]
    """Numba's step to LLVM's code, with our :class:`KernelLower`."""

    _name = "kernel_lowering"

    @property
    def lowering_class(self) -> Any:
        """The class that does it."""
        return KernelLower


TYPED = (
    typed_passes.NopythonTypeInference,
    typed_passes.PreLowerStripPhis,
    KernelLowering,
    typed_passes.NoPythonBackend,
)


class _Passes(PassManager):  # type: ignore[misc]
    """Passes one after the other, and nothing between them: no events, no times, no second look at what each left."""

    def _runPass(self, index: int, one: Any, state: Any) -> None:  # noqa: ARG002, N802
        one.analysis = self._analysis
        one.run_initialization(state)
        one.run_pass(state)
        one.run_finalizer(state)


@functools.cache
def _passes() -> Any:
    """Return the passes for every kernel: they keep nothing of one."""
    passes = _Passes("kernel")
    for one in (*UNTYPED, *TYPED):
        passes.add_pass(one, one.__name__)
    passes.finalize()
    return passes


class EntryCompiler(compiler.CompilerBase):  # type: ignore[misc]
    """The compiler of what Python calls."""

    def define_pipelines(self) -> Any:
        """Return the passes."""
        state = self.state
        state.flags.no_cfunc_wrapper = True
        if state.library is None:
            state.library = EntryLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        return [_passes()]


class InnerCompiler(EntryCompiler):
    """The compiler of kernels that other kernels call: they are optimised once, inside their entry.

    Numba optimises a function and compiles it to machine code at every level of calls; with kernels six
    levels deep that is most of the time to compile.
    """

    def define_pipelines(self) -> Any:
        """Return the passes, for code that nobody calls from Python."""
        state = self.state
        state.flags.no_compile = True
        state.flags.no_cpython_wrapper = True
        state.flags.no_cfunc_wrapper = True
        state.library = InnerLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return super().define_pipelines()

    def _compile_core(self) -> Any:
        # Callers find a compiled function under its entry point, which must be a built-in: a method of an object made
        # for the purpose, that raises whatever it is called with.
        key = [f"{self.state.func_id.func_name} runs inside an entry only"].index
        result = super()._compile_core()._replace(entry_point=key)
        progress.count()
        call = call_of(result.library.is_quiet, result.fndesc, [result.library])
        self.state.targetctx._defns[key].append(call, call.signature)  # noqa: SLF001  as insert_user_function does
        return result


class ApartCompiler(InnerCompiler):
    """The compiler of kernels whose arrays lie apart: what is written to one is never read through another."""

    def define_pipelines(self) -> Any:
        """Return the passes, and tell LLVM."""
        self.state.flags.noalias = True
        return super().define_pipelines()
