"""A loop over a range, in LLVM's code: the blocks that numba makes, without its structures in memory around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from numba.core import cgutils, lowering


class Range(NamedTuple):
    """The range of a loop that goes upwards, in steps of a constant."""

    start: Any
    stop: Any
    step: Any


class Counter(NamedTuple):
    """Where a loop keeps its next value and the number of turns that are left."""

    place: Any
    turns: Any
    step: Any


class Turn(NamedTuple):
    """The value of a turn, and whether there is one."""

    value: Any
    more: Any


def is_position(index: Any) -> bool:
    """Tell whether an index is a constant that does not count from the end."""
    return isinstance(index, lowering.Constant) and index.constant >= 0


def _count_turns(builder: Any, known: Range) -> Counter:
    start, stop, step = known
    place, turns = (cgutils.alloca_once(builder, start.type) for _ in range(2))
    builder.store(start, place)
    difference, zero = builder.sub(stop, start), start.type(0)
    number = difference
    if step.constant != 1:
        rest = builder.icmp_signed(">", builder.srem(difference, step), zero)
        number = builder.add(builder.sdiv(difference, step), builder.select(rest, start.type(1), zero))
    builder.store(builder.select(builder.icmp_signed(">", difference, zero), number, zero), turns)
    return Counter(place, turns, step)


def _take_turn(builder: Any, known: Counter) -> Turn:
    place, turns, step = known
    left, value = builder.load(turns), cgutils.alloca_once(builder, step.type)
    more = builder.icmp_signed(">", left, step.type(0))
    with builder.if_then(more):
        now = builder.load(place)
        builder.store(now, value)
        builder.store(builder.sub(left, step.type(1), flags=["nsw"]), turns)
        builder.store(builder.add(now, step), place)
    return Turn(builder.load(value), more)


OF_LOOPS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "getiter": _count_turns,
    "iternext": _take_turn,
    "pair_first": lambda builder, turn: turn.value,  # noqa: ARG005
    "pair_second": lambda builder, turn: turn.more,  # noqa: ARG005
}
"""What numba's expressions of a loop are, by their names."""
