"""From numba's typed code to LLVM's, for kernels: the same numbers with a third of the instructions on the way.

Numba keeps each array as a structure in memory, stores and loads it around every use, and writes out for every slice what one with a
step would need; LLVM then removes nearly all of it. Here a variable with one assignment is its value, an array's parts are taken out of
the value, and a slice is a beginning and a length. Whatever is not named here goes numba's way.
"""

from __future__ import annotations

import functools
import operator
import sys
from typing import Any, Final, NamedTuple

from numba.core import ir, lowering, types
from numba.core.datamodel import default_manager
from numba.core.errors import NumbaError
from numba.core.types.iterators import RangeType
from numba.core.types.misc import SliceType
from numba.np.arrayobj import load_item, store_item

from streamrnn.kernels.numba_builder import KernelBuilder
from streamrnn.kernels.numba_calls import EXTREMES, extreme, is_quiet
from streamrnn.kernels.numba_loops import OF_LOOPS, Counter, Range, Turn, is_position
from streamrnn.kernels.numba_variables import Variables

AT_NITEMS, AT_DATA, AT_SHAPE = (
    default_manager[types.float64[::1]].get_field_position(name) for name in ("nitems", "data", "shape")
)
DIRECT: Final = frozenset(
    {
        operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod, operator.and_,
        operator.or_, operator.xor, operator.lshift, operator.rshift, operator.lt, operator.le, operator.gt,
        operator.ge, operator.eq, operator.ne,
    }
)  # fmt: skip
"""Operators that numba has no other code for where one side is a constant; it asks for that each time."""


class _Bounds(NamedTuple):
    """A slice without a step; None is an end of the array."""

    start: Any
    stop: Any


def _are_numbers(*kinds: Any) -> bool:
    return all(isinstance(kind, types.Number | types.Boolean) for kind in kinds)


class KernelLower(lowering.Lower):  # type: ignore[misc]
    """Numba's lowering of one function, with shorter ways for what kernels are made of."""

    def init(self) -> None:
        """Find the variables that need no place in memory."""
        self._blk_local_varmap: dict[str, Any] = {}
        self._variables = Variables(self.blocks)
        self._singly_assigned_vars = self._variables.values

    def setup_function(self, fndesc: Any) -> None:
        """Begin a function."""
        super().setup_function(fndesc)
        self.builder = KernelBuilder(self.entry_block)
        self.call_helper = self.call_conv.init_call_helper(self.builder)

    def post_lower(self) -> None:
        """End a function."""
        super().post_lower()
        self.builder.sweep()
        self.library.is_quiet = is_quiet(self.function)

    def lower_block(self, block: Any) -> None:
        """Lower a block; an error says at which line."""
        if block is self.blocks[self.firstblk]:
            self.loc = self.func_ir.loc
            for name in self._variables.in_memory:
                self._alloca_var(name, self.typeof(name))
        for inst in block.body:
            self.loc = inst.loc
            try:
                self.lower_inst(inst)
            except NumbaError:
                with lowering.new_error_context('lowering "{inst}" at {loc}', inst=inst, loc=inst.loc):
                    raise

    def lower_inst(self, inst: Any) -> None:
        """Lower a statement."""
        kind = type(inst)
        if kind is ir.Assign:
            name = inst.target.name
            self.storevar(self.lower_assign(self.typeof(name), inst), name)
        elif kind is ir.SetItem:
            self._set(inst, inst.index)
        elif kind is ir.StaticSetItem:
            self._set(inst, inst.index_var)
        else:
            super().lower_inst(inst)

    def loadvar(self, name: str) -> Any:
        """Return a variable's value."""
        value = self._blk_local_varmap.get(name)
        if value is None:
            return self.builder.load(self.getvar(name))
        return self._as_slice(name, value) if isinstance(value, _Bounds) else value

    def storevar(self, value: Any, name: str, argidx: int | None = None) -> None:  # noqa: ARG002
        """Keep a variable's value."""
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self._alloca_var(name, self.typeof(name))
            self.builder.store(value, self.getvar(name))

    def delvar(self, name: str) -> None:
        """Forget a variable: nothing here is counted."""

    def _alloca_var(self, name: str, fetype: Any) -> None:
        if name not in self.varmap and name not in self._singly_assigned_vars:
            self.varmap[name] = self.alloca(name, fetype)

    def lower_assign(self, ty: Any, inst: Any) -> Any:
        """Lower the right side of an assignment."""
        value, name = inst.value, inst.target.name
        if type(value) is ir.Var and isinstance(
            known := self._blk_local_varmap.get(value.name), Range | Counter | Turn
        ):
            return known
        if type(value) is not ir.Expr:
            return (
                self.context.get_dummy_value() if isinstance(ty, types.Dispatcher) else super().lower_assign(ty, inst)
            )
        if value.op == "call":
            if (
                isinstance(ty, SliceType)
                and not ty.has_step
                and len(value.args) == 2
                and name in self._singly_assigned_vars
            ):
                return _Bounds(*(self._bound(var.name) for var in value.args))
            if isinstance(ty, RangeType) and self._variables.is_loop(name):
                return self._range(ty.dtype, value) or self.lower_expr(ty, value)
            if compare := EXTREMES.get(getattr(self.typeof(value.func.name), "typing_key", None)):
                return self._extreme(ty, value, compare)
        elif value.op in OF_LOOPS:
            known = self._blk_local_varmap.get(value.value.name)
            if isinstance(known, Range | Counter | Turn):
                return OF_LOOPS[value.op](self.builder, known)
        return self.lower_expr(ty, value)

    def _range(self, kind: Any, call: Any) -> Any:
        """Return the range of a loop that goes upwards, or None."""
        signature = self.fndesc.calltypes[call]
        if (
            self.typeof(call.func.name).typing_key is not range
            or call.kws
            or call.vararg
            or set(signature.args) != {kind}
        ):
            return None
        given = [self._cast_var(var, kind) for var in call.args]
        constant = functools.partial(self.context.get_constant, kind)
        start, stop, step = [constant(0), *given, constant(1)] if len(given) == 1 else [*given, constant(1)][:3]
        return Range(start, stop, step) if is_position(step) and step.constant > 0 else None

    def _extreme(self, kind: Any, call: Any, compare: Any) -> Any:
        """Return the largest or smallest of the numbers that a call has."""
        signature = self.fndesc.calltypes[call]
        if call.kws or call.vararg or len(call.args) < 2 or not _are_numbers(*signature.args):
            return self.lower_expr(kind, call)
        result = signature.return_type
        found = extreme(self.context, self.builder, compare, result, [self._cast_var(var, result) for var in call.args])
        return self.context.cast(self.builder, found, result, kind)

    def _bound(self, name: str) -> Any:
        ty = self.typeof(name)
        return None if ty == types.none else self.context.cast(self.builder, self.loadvar(name), ty, types.intp)

    def _as_slice(self, name: str, bounds: _Bounds) -> Any:
        """Return numba's structure of a slice, for what takes one."""
        constant = functools.partial(self.context.get_constant, types.intp)
        made = self.context.make_helper(self.builder, self.typeof(name))
        made.start = constant(0) if bounds.start is None else bounds.start
        made.stop = constant(sys.maxsize) if bounds.stop is None else bounds.stop
        made.step = constant(1)
        return made._getvalue()  # noqa: SLF001

    def lower_binop(self, resty: Any, expr: Any, op: Any) -> Any:
        """Lower an operator of two values."""
        if op not in DIRECT or not _are_numbers(self.typeof(expr.lhs.name), self.typeof(expr.rhs.name)):
            return super().lower_binop(resty, expr, op)
        context, builder = self.context, self.builder
        expected = self.fndesc.calltypes[expr]
        values = [
            context.cast(builder, self.loadvar(var.name), self.typeof(var.name), to)
            for var, to in zip((expr.lhs, expr.rhs), expected.args, strict=True)
        ]
        function = context.typing_context.resolve_value_type(op)
        signature = function.get_call_type(context.typing_context, expected.args, {})
        result = context.get_function(function, signature)(builder, values)
        return context.cast(builder, result, expected.return_type, resty)

    def _is_plain(self, kind: Any) -> bool:
        """Tell whether a type is that of an array of numbers in one row, whose bounds nobody asked to check."""
        return (
            isinstance(kind, types.Array)
            and kind.ndim == 1
            and kind.layout == "C"
            and _are_numbers(kind.dtype)
            and not self.context.enable_boundscheck
        )

    def lower_getitem(self, resty: Any, expr: Any, value: Any, index: Any, signature: Any) -> Any:
        """Lower ``array[index]`` and ``array[from:to]``."""
        aryty, idxty, bounds = self.typeof(value.name), self.typeof(index.name), self._blk_local_varmap.get(index.name)
        if self._is_plain(aryty) and isinstance(idxty, types.Integer):
            at = self._place(self.loadvar(value.name), idxty, self.loadvar(index.name))
            item = load_item(self.context, self.builder, aryty, at)
            return self.context.cast(self.builder, item, aryty.dtype, resty)
        if self._is_plain(aryty) and self._is_plain(resty) and isinstance(bounds, _Bounds):
            return self._view(self.loadvar(value.name), bounds)
        return super().lower_getitem(resty, expr, value, index, signature)

    def lower_expr(self, resty: Any, expr: Any) -> Any:
        """Lower an expression. A constant index has no code of its own for arrays; numba asks for that each time."""
        if expr.op == "static_getitem" and expr.index_var and isinstance(self.typeof(expr.value.name), types.Array):
            return self.lower_getitem(resty, expr, expr.value, expr.index_var, self.fndesc.calltypes[expr])
        if expr.op == "getattr" and expr.attr == "size" and self._is_plain(self.typeof(expr.value.name)):
            size = self.builder.extract_value(self.loadvar(expr.value.name), AT_NITEMS)
            return self.context.cast(self.builder, size, types.intp, resty)
        return super().lower_expr(resty, expr)

    def _set(self, inst: Any, index: Any) -> Any:
        """Lower ``array[index] = value``."""
        aryty, valty = self.typeof(inst.target.name), self.typeof(inst.value.name)
        idxty = self.typeof(index.name) if index else None
        if not (self._is_plain(aryty) and isinstance(idxty, types.Integer) and _are_numbers(valty)):
            return super().lower_inst(inst)
        context, builder, expected = self.context, self.builder, self.fndesc.calltypes[inst].args[2]
        value = context.cast(
            builder, context.cast(builder, self.loadvar(inst.value.name), valty, expected), expected, aryty.dtype
        )
        return store_item(
            context, builder, aryty, value, self._place(self.loadvar(inst.target.name), idxty, self.loadvar(index.name))
        )

    def _place(self, array: Any, idxty: Any, index: Any) -> Any:
        """Return the pointer to an item. A constant below 0 counts from the end, a variable does not: it lies in the array, the kernel sees to that.

        Asked for each item, whether it is below 0, loops that go backwards through a ring would not become vectors.
        """
        builder = self.builder
        index = self.context.cast(builder, index, idxty, types.intp if idxty.signed else types.uintp)
        if _is_from_end(index):
            index = builder.add(index, builder.extract_value(array, [AT_SHAPE, 0]))
        return builder.gep(builder.extract_value(array, AT_DATA), [index])

    def _view(self, array: Any, bounds: _Bounds) -> Any:
        """Return a part of an array. It ends with the array; that it begins within it, and before it ends, is the kernel's to see to."""
        builder = self.builder
        size = builder.extract_value(array, [AT_SHAPE, 0])
        start, stop = (builder.add(size, bound) if _is_from_end(bound) else bound for bound in bounds)
        start = size.type(0) if start is None else start
        stop = size if stop is None else builder.select(builder.icmp_signed(">", stop, size), size, stop)
        length = builder.sub(stop, start)
        view = builder.insert_value(array, builder.gep(builder.extract_value(array, AT_DATA), [start]), AT_DATA)
        view = builder.insert_value(view, length, AT_NITEMS)
        return builder.insert_value(view, length, [AT_SHAPE, 0])


def _is_from_end(bound: Any) -> bool:
    return isinstance(bound, lowering.Constant) and bound.constant < 0
