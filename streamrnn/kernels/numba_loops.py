"""A loop over a range, in LLVM's code: the blocks that numba makes, without its structures in memory around them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from numba.core import lowering

from streamrnn.kernels.numba_calls import place_in_memory


class Range(NamedTuple):
    """The range of a loop that goes upwards, in steps of a constant."""

    start: Any
    stop: Any
    step: Any


class Counter(NamedTuple):
    """Where a loop keeps its next value, and where it ends."""

    place: Any
    stop: Any
    step: Any


class Turn(NamedTuple):
    """The value of a turn, and whether there is one."""

    value: Any
    more: Any


def is_position(index: Any) -> bool:
    """Tell whether an index is a constant that does not count from the end."""
    return isinstance(index, lowering.Constant) and index.constant >= 0


def _begin(builder: Any, known: Range) -> Counter:
    place = place_in_memory(builder, known.start.type)
    builder.store(known.start, place)
    return Counter(place, known.stop, known.step)


def _take_turn(builder: Any, known: Counter) -> Turn:
    """Return the next value and count on: nobody asks for the value behind the last turn."""
    value = builder.load(known.place)
    builder.store(builder.add(value, known.step, flags=["nsw"]), known.place)
    return Turn(value, builder.icmp_signed("<", value, known.stop))


OF_LOOPS: Final[Mapping[str, Callable[[Any, Any], Any]]] = {
    "getiter": _begin,
    "iternext": _take_turn,
    "pair_first": lambda builder, turn: turn.value,  # noqa: ARG005
    "pair_second": lambda builder, turn: turn.more,  # noqa: ARG005
}
"""What numba's expressions of a loop are, by their names."""
