"""River's base class of forecasters, without river's forecasters and metrics: these bring scipy.stats and sklearn, two seconds of a start."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from importlib.machinery import PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import river

if TYPE_CHECKING:
    from river.time_series.base import Forecaster

__all__ = ["Forecaster"]

_PACKAGE, _NAME = "river.time_series", "river.time_series.base"


def _module() -> ModuleType:
    """Return river's module, under its own name: whoever imports ``river.time_series`` later finds the same class there."""
    spec = PathFinder.find_spec(_NAME, [str(Path(one) / "time_series") for one in river.__path__])
    if _NAME in sys.modules or _PACKAGE in sys.modules or spec is None or spec.loader is None:
        return importlib.import_module(_NAME)
    module = sys.modules[_NAME] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except ImportError:  # a river whose module needs its package
        del sys.modules[_NAME]
        return importlib.import_module(_NAME)
    return module


if not TYPE_CHECKING:
    Forecaster = _module().Forecaster
