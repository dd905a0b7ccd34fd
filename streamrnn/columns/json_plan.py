"""Which fields of a JSON object are wanted, as arrays that compiled code walks: objects inside of each other, a row for each name in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np

NUMBER: Final = 0
TEXT: Final = 1
INSIDE: Final = 2
"""What a name means: a number, a time or key, an object with names of its own."""


class Plan(NamedTuple):
    """Wanted fields.

    Parameters
    ----------
    nodes
        int64, shape (objects, 2): the first row of each object, and the one behind its last. The first is the outermost.
    rows
        int64, shape (rows, 4): where a name begins in ``names``, how long it is, what it means, and which column or object that is.
    names
        uint8: all names, one behind the other.
    """

    nodes: Any
    rows: Any
    names: Any


def plan_of(numbers: Sequence[str], texts: Sequence[str]) -> Plan | None:
    """Return the plan for fields by path, ``a.b`` being ``b`` inside ``a``; None where two are the same, or one lies inside another.

    Parameters
    ----------
    numbers
        Fields that are numbers.
    texts
        Fields that are texts or times.

    Examples
    --------
    >>> from streamrnn.columns.json_plan import plan_of
    >>> plan_of(["a.b"], ["t"]).rows.tolist()
    [[0, 1, 2, 1], [1, 1, 1, 0], [2, 1, 0, 0]]
    >>> plan_of(["a.b"], ["a"]) is None
    True
    """
    tree: dict[str, Any] = {}
    wanted = [(name, NUMBER, i) for i, name in enumerate(numbers)] + [(name, TEXT, i) for i, name in enumerate(texts)]
    for name, kind, i in wanted:
        *above, last = name.split(".")
        at: Any = tree
        for step in above:
            at = at.setdefault(step, {}) if isinstance(at, dict) else None
        if not isinstance(at, dict) or last in at:
            return None
        at[last] = (kind, i)
    queue, names = [tree], bytearray()
    nodes: list[list[int]] = []
    rows: list[list[int]] = []
    for node in queue:  # grows on the way
        start = len(rows)
        for name, below in node.items():
            raw = name.encode()
            if isinstance(below, dict):
                queue.append(below)
            rows.append([len(names), len(raw), *((INSIDE, len(queue) - 1) if isinstance(below, dict) else below)])
            names += raw
        nodes.append([start, len(rows)])
    return Plan(
        np.array(nodes, np.int64),
        np.array(rows, np.int64).reshape(-1, 4),
        np.frombuffer(names or bytearray(1), np.uint8),
    )
