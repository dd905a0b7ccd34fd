"""Names of months."""

from __future__ import annotations

__all__ = ["month_of"]

_MONTHS = {
    name: i + 1
    for i, names in enumerate(
        (
            "jan ene gen tam sty oca янв", "feb fév fev hel lut şub фев", "mar mär mrz mrt maa már мар", "apr avr abr huh kwi nis ápr апр",
            "may mai mei mag tou maj máj май мая", "jun juin giu kes cze haz jún июн", "jul juil lug hei lip tem júl июл",
            "aug aoû aou ago elo sie ağu авг", "sep set syy wrz eyl sze сен", "oct okt ott out lok paź eki окт", "nov marr lis kas ноя",
            "dec dez déc dic des jou gru ara дек",
        )
    )
    for name in names.split()
}  # fmt: skip
"""Months by how their names begin: English, German, French, Spanish, Italian, Portuguese, Dutch, Finnish, Polish, Turkish, Hungarian, Russian."""


def month_of(name: str) -> int | None:
    """Return the number of a month, None where a word names none.

    Parameters
    ----------
    name
        The word.
    """
    lower = name.strip().lower()
    return _MONTHS.get(lower[:4]) or _MONTHS.get(lower[:3])
