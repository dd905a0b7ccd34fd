"""What writes LLVM's instructions for a kernel: parts of structures that are known already are not taken out of them again.

Numba hands arrays on as structures of seven values. It puts each one together where a function begins, takes it apart for each call, and
takes its address out for each item: more than a quarter of all instructions, and LLVM removes every one of them. So does this, before they
are written.
"""

from __future__ import annotations

from typing import Any, Final

from numba.core import cgutils

INSERT: Final = cgutils.ir.instructions.InsertValue


class KernelBuilder(cgutils.ir.IRBuilder):  # type: ignore[misc]
    """LLVM's builder, which knows what structures are made of."""

    def __init__(self, block: Any) -> None:
        super().__init__(block)
        self._made: list[tuple[Any, Any]] = []  # structures, and the blocks they are made in

    def insert_value(self, agg: Any, value: Any, idx: Any, name: str = "") -> Any:
        """Put a value into a structure."""
        made = super().insert_value(agg, value, idx, name)
        self._made.append((made, self.block))
        return made

    def extract_value(self, agg: Any, idx: Any, name: str = "") -> Any:
        """Return a part of a structure; where it is known, no instruction is needed."""
        at = list(idx) if isinstance(idx, list | tuple) else [idx]
        known = agg
        while isinstance(known, INSERT):
            n = len(known.indices)
            if known.indices == at[:n]:
                known, at = known.operands[1], at[n:]
                if not at:
                    return known
            elif known.indices[: len(at)] == at:  # a part of what is asked for was put in
                break
            else:
                known = known.operands[0]
        return super().extract_value(known, at, name)

    def sweep(self) -> None:
        """Remove the structures that nothing uses."""
        used: set[int] = set()
        for block in self.function.blocks:
            for one in block.instructions:
                if type(one) is not INSERT:
                    used.update(map(id, one.operands))
                if type(one) is cgutils.ir.instructions.PhiInstr:
                    used.update(id(value) for value, _ in one.incomings)
        for made, block in reversed(self._made):
            if id(made) in used:
                used.update(map(id, made.operands))
            else:
                block.instructions.remove(made)
