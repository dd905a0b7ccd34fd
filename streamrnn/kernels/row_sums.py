"""Rows of a matrix times a vector, as many rows as a vector has lanes, added up across lanes by halves.

A sum across a vector's lanes takes as many steps as it has halves, and so does that of each next row. Here two vectors become one at each step, of
which one half of the lanes holds sums of the one and the other half those of the other (a blend, a shuffle and a sum): 15 times for 16 rows where LLVM
takes 64. And the sums are written at once: what was written one by one can only be read as a vector after all of it has left the core.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numba
import numpy as np
from numba.core import cgutils, codegen
from numba.extending import intrinsic
from numba.np import arrayobj

MOST_WRITTEN_OUT: Final = 8  # vectors of a row: more are a loop
_IR: Final = cgutils.ir
_FLOAT, _WORD = _IR.FloatType(), _IR.IntType(32)


def _lanes() -> int:
    """Return how many float32 a vector of this processor holds, of those widths that have registers enough for a sum of each row."""
    return 16 if codegen.ll.get_host_cpu_features().get("avx512f", False) else 8


ROWS_AT_ONCE: Final = _lanes()


def row_sums(N: int, lanes: int = ROWS_AT_ONCE) -> Callable[..., Any]:
    """Return ``add(W, j, z, a)``: a[j + r] += sum over i of W[(j + r) N + i] z[i], for r below ``lanes``.

    Parameters
    ----------
    N
        Length of a row, a multiple of ``lanes``.
    lanes
        How many rows, a power of two.
    """
    return _interpreted(N, lanes) if numba.config.DISABLE_JIT else _compiled(N, lanes)


def _interpreted(N: int, lanes: int) -> Callable[..., Any]:
    def add(W: Any, j: int, z: Any, a: Any) -> None:
        for r in range(lanes):
            s = np.float32(0.0)
            for i in range(N):
                s += W[(j + r) * N + i] * z[i]
            a[j + r] += s

    return add


def _compiled(N: int, lanes: int) -> Any:
    @intrinsic
    def add(typing: Any, W: Any, j: Any, z: Any, a: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            w, v, to = (arrayobj.make_array(signature.args[k])(context, builder, args[k]).data for k in (0, 2, 3))
            start = builder.mul(args[1], args[1].type(N))
            rows = [builder.gep(w, [builder.add(start, start.type(r * N))]) for r in range(lanes)]
            sums = (_written_out if lanes * MOST_WRITTEN_OUT >= N else _in_a_loop)(builder, rows, v, N, lanes)
            total = _by_halves(builder, sums, lanes)
            here = builder.gep(to, [args[1]])
            _store(builder, builder.fadd(_load(builder, here, lanes), total), here)
            return context.get_dummy_value()

        return numba.types.none(W, numba.intp, z, a), generate

    return add


def _load(builder: Any, place: Any, lanes: int) -> Any:
    return builder.load(builder.bitcast(place, _IR.VectorType(_FLOAT, lanes).as_pointer()), align=4)


def _store(builder: Any, vector: Any, place: Any) -> None:
    builder.store(vector, builder.bitcast(place, vector.type.as_pointer()), align=4)


def _written_out(builder: Any, rows: list[Any], z: Any, N: int, lanes: int) -> list[Any]:
    """Multiply each row's vectors with those of z (N), and add them up lane by lane."""
    sums: list[Any] = []
    for i in range(0, N, lanes):
        at = _IR.IntType(64)(i)
        v = _load(builder, builder.gep(z, [at]), lanes)
        more = [builder.fmul(_load(builder, builder.gep(row, [at]), lanes), v) for row in rows]
        sums = [builder.fadd(s, m) for s, m in zip(sums, more, strict=True)] if sums else more
    return sums


def _in_a_loop(builder: Any, rows: list[Any], z: Any, N: int, lanes: int) -> list[Any]:
    """Do the same, a vector of each row a turn."""
    before, body, after = builder.block, builder.append_basic_block("rows"), builder.append_basic_block("sums")
    builder.branch(body)
    builder.position_at_end(body)
    at = builder.phi(_IR.IntType(64))
    sums = [builder.phi(_IR.VectorType(_FLOAT, lanes)) for _ in rows]
    v = _load(builder, builder.gep(z, [at]), lanes)
    more = [
        builder.fadd(s, builder.fmul(_load(builder, builder.gep(row, [at]), lanes), v))
        for s, row in zip(sums, rows, strict=True)
    ]
    then = builder.add(at, at.type(lanes))
    for phi, first, next_ in (
        (at, at.type(0), then),
        *((s, s.type([0.0] * lanes), m) for s, m in zip(sums, more, strict=True)),
    ):
        phi.add_incoming(first, before)
        phi.add_incoming(next_, body)
    builder.cbranch(builder.icmp_signed("<", then, then.type(N)), body, after)
    builder.position_at_end(after)
    return more


def _by_halves(builder: Any, sums: list[Any], lanes: int) -> Any:
    """Return one vector: the sum over the lanes of the first in its first lane, and so on."""
    half = lanes // 2
    while half:
        stays = [lane + (lanes if lane & half else 0) for lane in range(lanes)]
        comes = [(lane ^ half) + (lanes if lane & half else 0) for lane in range(lanes)]
        sums = [
            builder.fadd(_shuffled(builder, one, other, stays), _shuffled(builder, one, other, comes))
            for one, other in zip(sums[:half], sums[half : 2 * half], strict=True)
        ]
        half //= 2
    return sums[0]


def _shuffled(builder: Any, one: Any, other: Any, lanes: list[int]) -> Any:
    return builder.shuffle_vector(one, other, _IR.Constant(_IR.VectorType(_WORD, len(lanes)), lanes))
