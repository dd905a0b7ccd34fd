"""A suite: named checks without arguments, for a row of one of the tables."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol, TypeVar

__all__ = ["Check", "name_of", "run_checks"]

Check = tuple[str, Callable[[], None]]
"""A name, and what raises AssertionError where the promise is not kept."""


class _Row(Protocol):
    @property
    def name(self) -> str: ...


R = TypeVar("R", bound=_Row)


def name_of(row: R | str, register: Callable[[R], R]) -> str:
    """Return the name of a row, which is registered if need be.

    Parameters
    ----------
    row
        A row, or the name of a registered one.
    register
        What adds a row to its table.
    """
    return row if isinstance(row, str) else register(row).name


def run_checks(checks: Iterable[Check]) -> None:
    """Run checks, in order.

    Parameters
    ----------
    checks
        Names and checks.

    Raises
    ------
    AssertionError
        At the first check that fails; a note on it says which.
    """
    for name, check in checks:
        try:
            check()
        except AssertionError as error:
            error.add_note(f"This was the check {name!r}.")
            raise
