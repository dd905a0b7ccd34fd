"""How long files and functions are, without docstrings, comments and blank lines."""

from __future__ import annotations

import ast
import io
import math
import tokenize
from collections.abc import Iterator
from pathlib import Path

_NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def _docstrings(tree: ast.AST) -> set[int]:
    """The lines of all strings that stand alone as a statement: docstrings, of attributes too."""
    found: set[int] = set()
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant(value=str()), lineno=first, end_lineno=int(last)):
                found.update(range(first, last + 1))
    return found


def code_lines(source: str) -> set[int]:
    """The numbers of the lines that hold code."""
    found: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in _NO_CODE:
            found.update(range(token.start[0], token.end[0] + 1))
    return found - _docstrings(ast.parse(source))


def functions(source: str) -> Iterator[tuple[str, int]]:
    """Name and number of lines of code of each function, those inside it included."""
    lines = code_lines(source)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node.name, sum(node.lineno <= line <= (node.end_lineno or 0) for line in lines)


def measured(folders: list[Path]) -> tuple[dict[Path, int], dict[tuple[Path, str], int]]:
    """Lines of code by file, ``__init__.py`` aside, and by function."""
    files: dict[Path, int] = {}
    parts: dict[tuple[Path, str], int] = {}
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            source = path.read_text(encoding="utf-8")
            if path.name != "__init__.py":
                files[path] = len(code_lines(source))
            for name, length in functions(source):
                parts[path, name] = max(length, parts.get((path, name), 0))
    return files, parts


def share(values: list[int], part: float) -> int:
    """The value that a share of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered)) - 1, 0)] if ordered else 0
