"""Which column says what series a record belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from streamrnn_files.meanings import is_id_name, is_key_name
from streamrnn_files.numerals import Numerals, values_of
from streamrnn_files.options import SourceOptions
from streamrnn_files.ordering import is_steady, moments_of
from streamrnn_files.timing import Timing

__all__ = ["find_key"]


def find_key(
    options: SourceOptions,
    header: Sequence[str],
    whole: Mapping[str, Sequence[str]],
    shown: Mapping[str, Sequence[str]],
    timing: Timing,
    sure: Mapping[str, Numerals],
) -> str | None:
    """Return the column that says which series a record belongs to: where times come again for each, or its name says so.

    Parameters
    ----------
    options
        What the user asks for.
    header
        Every column, in order.
    whole
        All cells of the first records, by column.
    shown
        Those that hold something.
    timing
        Which columns say when.
    sure
        How the numbers of each column are written.
    """
    free = [name for name in header if name not in timing.columns and name not in options.columns and shown[name]]
    texts = [name for name in free if 2 * len(values_of(shown[name][:100], sure[name])) < len(shown[name][:100])]
    named = [name for name in free if is_key_name(name) and (name in texts or _whole_numbers(shown[name]))]
    moments = moments_of(timing, whole)
    n = len(moments)
    if n >= 4 and len(set(moments)) <= 0.75 * n:
        ids = [name for name in free if name not in texts and name not in named and is_id_name(name)]
        for name in (*named, *texts, *ids):
            values = whole[name]
            if 1 < len(set(values)) <= n / 2 and len(set(zip(moments, values, strict=True))) >= 0.98 * n:
                return name
    for name in named:
        distinct = len(set(whole[name]))
        if distinct <= max(1, n / 2) and not (is_steady(moments) and distinct > 1 and name not in texts):
            return name
    return None


def _whole_numbers(cells: Sequence[str]) -> bool:
    return all(cell.strip().isdecimal() for cell in cells)
