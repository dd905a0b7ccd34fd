"""Finds where the library names a connector, and which of the places of a connector are missing."""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from tests.laws.imports import LAYERS, sources
from tests.laws.places import PROJECT, ROOT

WORDS = {"files"}
"""Kinds that are words of the language too: they count where a text is nothing else, or has them in quotation marks."""


def _docstrings(tree: ast.Module) -> set[int]:
    """Return the identities of the constants that are docstrings: examples there may name connectors."""
    bodies = [node.body for node in ast.walk(tree) if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)]
    firsts = [statement.value for body in bodies for statement in body[:1] if isinstance(statement, ast.Expr)]
    behind = [
        after.value
        for body in bodies
        for before, after in itertools.pairwise(body)
        if isinstance(before, ast.Assign | ast.AnnAssign) and isinstance(after, ast.Expr)
    ]
    return {id(one) for one in [*firsts, *behind] if isinstance(one, ast.Constant)}


def literals(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line and text of each string in a module that is no docstring; the parts of f-strings among them."""
    tree = ast.parse(path.read_bytes())
    told = _docstrings(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in told:
            yield node.lineno, node.value


def names_of_connectors(folder: Path, packages: Sequence[str], kinds: set[str]) -> list[str]:
    """Return a line for each text of the library that names a connector: its kind or its package."""
    plain = "|".join(sorted(map(re.escape, (kinds - WORDS) | set(packages))))
    quoted = "|".join(sorted(map(re.escape, kinds & WORDS)))
    pattern = re.compile(rf"\b({plain})\b(?!-)|^({quoted})$|['\"]({quoted})['\"]", re.IGNORECASE)
    return [
        f"{module}:{line}: names the connector {found.group()!r}"
        for module, path in sources({"streamrnn": folder}).items()
        for line, text in literals(path)
        if (found := pattern.search(text))
    ]


def missing_places(package: str, folder: Path) -> list[str]:
    """Return what a connector of this repository lacks of the places that the guide in CONTRIBUTING.md lists."""
    points = PROJECT["project"]["entry-points"]
    kinds = {
        kind
        for role in ("sources", "sinks")
        for kind, where in points[f"streamrnn.{role}"].items()
        if where.startswith(f"{package}:")
    }
    options = (ROOT / "docs" / "options.md").read_text(encoding="utf-8")
    suites = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "connectors").rglob("*.py"))
    there = {
        "README.md": (folder / "README.md").exists(),
        "py.typed": (folder / "py.typed").exists(),
        "entry points": bool(kinds),
        "an example": any(where.startswith(f"{package}.") for where in points["streamrnn.examples"].values()),
        "known-first-party of ruff": package in PROJECT["tool"]["ruff"]["lint"]["isort"]["known-first-party"],
        "a row in LAYERS": package in LAYERS,
        "docs/architecture.md": f"{package}/" in (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8"),
        "docs/options.md": all(f'kind = "{kind}"' in options for kind in kinds),
        "connector_checks": f"from {package} import" in suites and "connector_checks" in suites,
        "CONTRIBUTING.md": f"`{package}`" in (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"),
    }
    return [f"{package}: {place}" for place, found in there.items() if not found]
