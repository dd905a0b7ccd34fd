"""Names of months."""

from __future__ import annotations

__all__ = ["month_of"]

_MONTHS = {
    name: i + 1
    for i, names in enumerate(
        (
            "jan ene gen", "feb fév fev", "mar mär mrz mrt", "apr avr abr", "may mai mei mag", "jun juin giu", "jul juil lug", "aug aoû aou ago",
            "sep set", "oct okt ott out", "nov", "dec dez déc dic",
        )
    )
    for name in names.split()
}  # fmt: skip
"""Months by how their names begin: English, German, French, Spanish, Italian, Portuguese, Dutch."""


def month_of(name: str) -> int | None:
    """Return the number of a month, None where a word names none.

    Parameters
    ----------
    name
        The word.
    """
    lower = name.strip().lower()
    return _MONTHS.get(lower[:4]) or _MONTHS.get(lower[:3])
