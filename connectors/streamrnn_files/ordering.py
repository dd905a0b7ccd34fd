"""In which order and in what steps the first records stand."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from streamrnn_files.moments import seconds
from streamrnn_files.timing import Timing

__all__ = ["is_steady", "moments_of", "order_of", "times_of"]


def moments_of(timing: Timing, whole: Mapping[str, Sequence[str]]) -> list[str | None]:
    """Return the times of records.

    Parameters
    ----------
    timing
        Which columns say when.
    whole
        All cells, by column.
    """
    if not timing.columns or any(name not in whole for name in timing.columns):
        return []
    return [timing.read(cells) for cells in zip(*(whole[name] for name in timing.columns), strict=True)]


def times_of(moments: Sequence[str | None]) -> list[float]:
    """Return the seconds of those moments that have some.

    Parameters
    ----------
    moments
        Times, in order.
    """
    return [at for at in (seconds(one) for one in moments if one) if at is not None]


def _steps(moments: Sequence[str | None]) -> list[float]:
    return [b - a for a, b in itertools.pairwise(times_of(moments))]


def is_steady(moments: Sequence[str | None]) -> bool:
    """Whether times move on by the same step nearly always: one series, whatever its columns are called.

    Parameters
    ----------
    moments
        Times, in order.
    """
    steps = _steps(moments)
    return len(steps) > 2 and Counter(steps).most_common(1)[0][1] >= 0.9 * len(steps) and steps[0] != 0


def order_of(moments: Sequence[str | None], keys: Sequence[str] | None) -> dict[str, Any]:
    """Return in which order records stand, in what steps, and how many steps are longer.

    Parameters
    ----------
    moments
        Times, in order.
    keys
        Of each record, or None.
    """
    steps = _steps(moments)
    if len(steps) < 3:
        return {"order": "oldest first"}
    down, up = sum(step < 0 for step in steps), sum(step > 0 for step in steps)
    order = "newest first" if down > 2 and not up else "oldest first" if not down else "mixed"
    if keys is not None:
        groups: dict[str, list[str | None]] = {}
        for moment, key in zip(moments, keys, strict=True):
            groups.setdefault(key, []).append(moment)
        steps = [step for group in groups.values() for step in _steps(group)]
        if order == "mixed" and steps and all(step >= 0 for step in steps):
            order = "oldest first"
        elif order == "mixed" and steps and all(step <= 0 for step in steps):
            order = "newest first"
    lengths = [abs(step) for step in steps if step]
    if not lengths:
        return {"order": order}
    step, times = Counter(lengths).most_common(1)[0]
    if 2 * times < len(lengths):
        return {"order": order}
    return {"order": order, "step_s": step, "gaps": sum(length > 1.5 * step for length in lengths)}
