"""Where the packages lie, installed or as sources, and what is in them."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
import tomllib
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds ``tests``: the checkout, or a copy of the tests without the sources."""

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
SOURCES = {Path(one).name: one for one in PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
"""The packages of the wheel, and where their sources lie: the library first, then the connectors."""

PACKAGES = tuple(SOURCES)
CONNECTORS = PACKAGES[1:]


def folder(package: str) -> Path:
    """The folder of an importable package, which is not imported."""
    spec = importlib.util.find_spec(package)
    assert spec is not None, f"{package} is not installed"
    [where] = spec.submodule_search_locations or []
    return Path(where)


def modules() -> list[str]:
    """Dotted names of all modules of all packages."""
    found = []
    for package in PACKAGES:
        found += [package, *(info.name for info in pkgutil.walk_packages([str(folder(package))], f"{package}."))]
    return sorted(name for name in found if not name.endswith(".__main__"))


def load(name: str) -> ModuleType:
    """The module called ``name``."""
    return importlib.import_module(name)
