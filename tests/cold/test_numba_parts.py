"""Parts of numba that it does not promise: listed in one place, and looked for before anything is compiled."""

from __future__ import annotations

import ast
import tomllib

import numba
import pytest
from packaging.requirements import Requirement

from streamrnn.kernels.numba_private import PARTS, missing, require
from tests.laws.places import ROOT, folder


def private(source: str) -> set[str]:
    """What a module imports out of ``numba.core`` and ``numba.np``."""
    return {
        f"{node.module}.{alias.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith(("numba.core", "numba.np"))
        for alias in node.names
    }


def test_every_private_part_is_listed():
    """Whatever a module of ours takes out of numba's inside stands in the table, or the modules that it looks into do."""
    used = {part for path in folder("streamrnn").rglob("*.py") for part in private(path.read_text(encoding="utf-8"))}
    listed = {f"{place}.{name}" for place, names in PARTS.items() for name in names} | set(PARTS)
    modules = {place.rpartition(".")[0] for place in PARTS}

    assert {"numba.core.event", "numba.core.caching.UserProvidedCacheLocator"} <= used
    assert sorted(used - listed - modules) == []


def test_this_release_has_them_all():
    """The numba that is installed is one that the bounds of the package allow, and lacks nothing."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    [bound] = [one for one in map(Requirement, declared) if one.name == "numba"]

    assert numba.__version__ in bound.specifier
    assert any(one.operator == "<" for one in bound.specifier)
    assert missing() == []


def test_what_a_release_lacks_is_named_with_the_remedy():
    """A class that is gone, an attribute that is gone: an ImportError that names them, and a command that installs another numba."""
    parts = {
        "numba.core.compiler.Compiler": ("define_pipelines", "no_such_step"),
        "numba.core.compiler.NoSuchClass": ("run",),
    }

    assert missing(parts) == ["numba.core.compiler.Compiler.no_such_step", "numba.core.compiler.NoSuchClass.run"]
    with pytest.raises(ImportError, match=r"no_such_step.*NoSuchClass.*pip install 'numba"):
        require(parts)
