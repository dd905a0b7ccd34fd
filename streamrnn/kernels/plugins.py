"""Rows of tables from other packages, by entry point: what is installed is found."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any


def register_installed(group: str, register: Callable[[Any], Any]) -> None:
    """Register the rows that installed packages name under an entry point group.

    A package that fails to load is told in a warning, and its row is missing: the others work.

    Parameters
    ----------
    group
        ``"streamrnn.cells"``, ``"streamrnn.losses"`` or ``"streamrnn.optimizers"``; each entry point is a row.
    register
        Takes a row, or raises.
    """
    for point in entry_points(group=group):
        try:
            register(point.load())
        except Exception as error:  # noqa: BLE001  whatever a foreign module raises when it is imported
            where = point.dist.name if point.dist else point.value
            warnings.warn(
                f"The entry point {point.name!r} of {group} ({where}) cannot be used: {type(error).__name__}: {error}",
                RuntimeWarning,
                stacklevel=2,
            )
