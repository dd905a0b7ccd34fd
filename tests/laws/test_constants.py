"""A constant's name means one thing in all kernels."""

from __future__ import annotations

import ast
import importlib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tests.laws.places import folder


def assigned(source: str) -> Iterator[str]:
    """The constants that a module assigns at its top level: names in capitals."""
    for statement in ast.parse(source).body:
        match statement:
            case ast.Assign(targets=targets):
                parts: list[ast.expr] = targets
            case ast.AnnAssign(target=target):
                parts = [target]
            case _:
                continue
        for part in parts:
            yield from (node.id for node in ast.walk(part) if isinstance(node, ast.Name) and node.id.isupper())


def clashes(modules: Mapping[str, tuple[str, Mapping[str, Any]]]) -> list[str]:
    """One line for each name that two modules, given as name -> (source, contents), define with different values."""
    values: dict[str, dict[str, str]] = defaultdict(dict)
    for module, (source, contents) in modules.items():
        for name in assigned(source):
            values[name][module] = repr(contents[name])
    return [
        f"{name} has different values in {', '.join(sorted(where))}"
        for name, where in sorted(values.items())
        if len(set(where.values())) > 1
    ]


def test_constants_of_kernels_mean_one_thing():
    """Whoever searches for a constant's name finds one meaning."""
    root, found = folder("streamrnn"), {}
    for path in sorted((root / "kernels").rglob("*.py")):
        name = ".".join(path.relative_to(root.parent).with_suffix("").parts).removesuffix(".__init__")
        found[name] = (Path(path).read_text(encoding="utf-8"), vars(importlib.import_module(name)))

    assert clashes(found) == []


def test_a_planted_clash_is_caught():
    """However the constant is assigned; private and equal ones too; what is imported or local is another matter."""
    sources = {
        "a": "A, B = range(2)\nC: int = 5\nD = 1\n_E = 1\nfrom b import F",
        "b": "B = 7\nC = 6\nD = 1\n_E = 2\nF = 3\ndef f():\n    A = 9",
    }
    contents = {"a": {"A": 0, "B": 1, "C": 5, "D": 1, "_E": 1, "F": 3}, "b": {"B": 7, "C": 6, "D": 1, "_E": 2, "F": 3}}

    lines = clashes({name: (sources[name], contents[name]) for name in sources})

    assert lines == [f"{name} has different values in a, b" for name in ("B", "C", "_E")]
