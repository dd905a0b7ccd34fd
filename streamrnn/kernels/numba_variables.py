"""Where a kernel's variables are set and used, in numba's code: which of them need no place in memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from numba.core import ir
from numba.core.analysis import compute_cfg_from_blocks

_NEXT = {"call": "getiter", "getiter": "iternext", "iternext": "pair_"}  # a range's way through a loop


class Variables:
    """The variables of a function.

    Attributes
    ----------
    values
        Those whose one assignment comes before each use, in every run and in the order of the blocks.
    in_memory
        The others.
    """

    def __init__(self, blocks: Mapping[int, Any]) -> None:
        homes: dict[str, list[int]] = {}
        places: dict[str, set[int]] = {}
        self._uses: dict[str, list[tuple[str, str]]] = {}
        for label, block in blocks.items():
            for inst in block.body:
                if type(inst) is ir.Assign:
                    homes.setdefault(inst.target.name, []).append(label)
                for var, use, target in _used(inst):
                    places.setdefault(var.name, set()).add(label)
                    self._uses.setdefault(var.name, []).append((use, target))
        above = compute_cfg_from_blocks(blocks).dominators()
        self.values = {
            name
            for name, [home, *more] in homes.items()
            if not more and all(home == one or (home < one and home in above[one]) for one in places.get(name, ()))
        }
        self.in_memory = [name for name in homes if name not in self.values]

    def is_loop(self, name: str) -> bool:
        """Tell whether a variable holds the range of a loop, and nothing else is done with it."""
        reached = [("call", name)]
        for way, one in reached:
            if one not in self.values:
                return False
            for use, target in self._uses.get(one, ()):
                if use == "copy":
                    reached.append((way, target))
                elif not use.startswith(_NEXT[way]):
                    return False
                elif use in _NEXT:
                    reached.append((use, target))
        return True


def _used(inst: Any) -> Iterator[tuple[Any, str, str]]:
    """Yield the variables that a statement uses, what for, and what becomes of them."""
    if type(inst) is not ir.Assign:
        for var in inst.list_vars():
            yield var, "", ""
    elif type(inst.value) is ir.Var:
        yield inst.value, "copy", inst.target.name
    elif type(inst.value) is ir.Expr:
        for var in inst.value.list_vars():
            yield var, inst.value.op, inst.target.name
