"""What numba asks itself again and again while it finds the types in kernels: asked once.

Kernels are thousands of additions, products and items of arrays of a few types. Numba looks for the meaning of each among dozens of
candidates, and finds the same.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator
from typing import Any, Final

from numba.core import base, byteflow, event, imputils, ir, postproc, ssa, transforms, typeinfer, types
from numba.core.errors import NumbaError
from numba.core.typing import templates
from numba.core.typing.context import BaseContext

from streamrnn.kernels.numba_bytecode import quick_bytecode
from streamrnn.kernels.numba_pipeline import InnerCompiler

_Patch = tuple[Any, str, Any]
_LISTS: Final = (list, tuple, dict)
_LOCKS: Final = ("numba:llvm_lock", "numba:compiler_lock")
_new_error_context, _post_processed = typeinfer.new_error_context, postproc.PostProcessor.run
_resolved = typeinfer.CallConstraint.resolve
_start, _end = event.start_event, event.end_event


class _Context:
    """Numba's context of an error, made only where there is one."""

    __slots__ = ("args", "kwargs")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.args, self.kwargs = args, kwargs

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, NumbaError):
            with contextlib.suppress(NumbaError), _new_error_context(*self.args, **self.kwargs):
                raise error


def _list_vars(self: Any) -> list[Any]:
    """Return the variables of a statement or an expression, as numba does."""
    found: list[Any] = []
    for value in (self._kws if type(self) is ir.Expr else self.__dict__).values():
        kind = type(value)
        if kind is ir.Var:
            found.append(value)
        elif kind in _LISTS:
            found += self._rec_list_vars(value)
        elif isinstance(value, ir.Inst):
            found += value.list_vars()
    return found


def _propagate(self: Any, inference: Any) -> list[Any]:
    """Find the types of a function, with one look at warnings."""
    errors = []
    with inference.warnings.catch_warnings(filename=inference.func_ir.loc.filename, lineno=inference.func_ir.loc.line):
        for constraint in self.constraints:
            try:
                constraint(inference)
            except typeinfer.ForceLiteralArg as error:
                errors.append(error)
            except typeinfer.TypingError as error:
                again = typeinfer.TypingError(str(error), loc=constraint.loc, highlighting=False)
                errors.append(typeinfer.utils.chain_exception(again, error))
    return errors


def _resolve(self: Any, inference: Any, variables: Any, fnty: Any) -> None:
    """Find the type of a call, unless all that it goes by and all that it led to is as it was: numba goes through each function twice to see that nothing changes."""
    before = [fnty, *(variables[var.name].type for var in self.args), variables[self.target].type]
    if getattr(self, "before", None) == before:
        return
    _resolved(self, inference, variables, fnty)
    if not self.kws and self.vararg is None:
        self.before = [*before[:-1], variables[self.target].type]


def _asked_once(values: dict[int, tuple[Any, Any]]) -> list[_Patch]:
    """Return numba's questions for the type of a call, of an attribute and of a value, with a memory of their own.

    The values are kept with their types, so that each id stays that of one.
    """
    calls: dict[Any, Any] = {}
    attributes: dict[Any, Any] = {}
    call, function = types.Function.get_call_type, BaseContext.resolve_function_type
    attribute, of_value = BaseContext.resolve_getattr, BaseContext.resolve_value_type

    def get_call_type(self: Any, context: Any, args: Any, kws: Any) -> Any:
        if kws:
            return call(self, context, args, kws)
        key = (self, tuple(args))
        found = calls.get(key)
        if found is None:
            found = calls[key] = call(self, context, args, kws)
        return found

    def resolve_function_type(self: Any, func: Any, args: Any, kws: Any) -> Any:
        known = None if kws or type(func) is not types.Function else calls.get((func, args))
        return known or function(self, func, args, kws)

    def resolve_getattr(self: Any, typ: Any, attr: str) -> Any:
        found = attributes.get((typ, attr))
        if found is None:
            found = attributes[typ, attr] = attribute(self, typ, attr)
        return found

    def resolve_value_type(self: Any, val: Any) -> Any:
        found = values.get(id(val))
        if found is None:
            found = values[id(val)] = val, of_value(self, val)
        return found[1]

    return [
        (types.Function, "get_call_type", get_call_type),
        (BaseContext, "resolve_function_type", resolve_function_type),
        (BaseContext, "resolve_getattr", resolve_getattr),
        (BaseContext, "resolve_value_type", resolve_value_type),
    ]


def _looked_once(context: Any, registry: Any, values: dict[int, tuple[Any, Any]]) -> _Patch:
    """Return a context's look at what numba can compile, taken again only where something was added: values may have other types then.

    Something is added to any of the registries that it looks at: numba puts its intrinsics into the first. What was found lies in tables that all copies of
    a context share, as they share their registries.
    """
    refresh, seen = context.refresh, dict[int, list[int]]()

    def there(self: Any) -> list[int]:
        return [
            len(one) for where in (registry, *self._registries) for one in vars(where).values() if isinstance(one, list)
        ]

    def looked(self: Any) -> None:
        shared = id(self._registries)
        if seen.get(shared) != there(self):
            refresh(self)
            values.clear()
            seen[shared] = there(self)

    return context, "refresh", looked


def _post_process(self: Any, emit_dels: bool = False, extend_lifetimes: bool = False) -> None:
    """Bring a function's blocks into order. Where each value dies is of no interest here: nothing is counted."""
    if emit_dels or self.func_ir.is_generator:
        _post_processed(self, emit_dels, extend_lifetimes)
        return
    self.func_ir.blocks = transforms.canonicalize_cfg(self.func_ir.blocks)
    self.func_ir.variable_lifetime = postproc.VariableLifetime(self.func_ir.blocks)
    self.func_ir.generator_info = None


class _Silent:
    """A log that nobody reads."""

    def debug(self, *words: Any, **more: Any) -> None:
        """Say nothing."""


def _quiet_events() -> list[_Patch]:
    """Return numba's events without those of its locks, which each call of LLVM makes two of."""

    def start_event(kind: str, data: Any = None) -> None:
        if kind not in _LOCKS:
            _start(kind, data)

    def end_event(kind: str, data: Any = None, exc_details: Any = None) -> None:
        if kind not in _LOCKS:
            _end(kind, data, exc_details)

    return [(event, "start_event", start_event), (event, "end_event", end_event)]


@contextlib.contextmanager
def quick_typing() -> Iterator[None]:
    """Let numba answer its own questions from memory. The same answers."""
    values: dict[int, tuple[Any, Any]] = {}
    patches = [
        *_asked_once(values),
        *_quiet_events(),
        *quick_bytecode(InnerCompiler),
        _looked_once(BaseContext, templates.builtin_registry, values),
        _looked_once(base.BaseContext, imputils.builtin_registry, values),
        (postproc.PostProcessor, "run", _post_process),
        (ssa, "_logger", _Silent()),
        (byteflow, "_logger", _Silent()),
        (type(types.Type), "__instancecheck__", type.__instancecheck__),
        (base, "_has_loc", functools.cache(base._has_loc)),  # noqa: SLF001
        (typeinfer, "new_error_context", _Context),
        (typeinfer.ConstraintNetwork, "propagate", _propagate),
        (typeinfer.CallConstraint, "resolve", _resolve),
        (ir.Stmt, "list_vars", _list_vars),
        (ir.Expr, "list_vars", _list_vars),
    ]
    before = [(owner, name, owner.__dict__.get(name)) for owner, name, _ in patches]
    try:
        for owner, name, new in patches:
            setattr(owner, name, new)
        yield
    finally:
        for owner, name, old in before:
            if old is None:
                delattr(owner, name)
            else:
                setattr(owner, name, old)
