"""A running quantile of river as numbers."""

from __future__ import annotations

import struct
from typing import Any, Final

from streamrnn.errors import StateError

__all__ = ["markers_of", "quantile_of"]

# A running quantile of river's lies in its Rust part: q, then four times five markers, then how many values have come (to
# 5) and whether they are sorted. As numbers they do not depend on what its own pickles look like.
_QUANTILE: Final = struct.Struct("<21d2B")


def markers_of(quantile: Any) -> tuple[Any, ...]:
    """Return the state of a running quantile as 23 numbers: 21 floats, a count of values, whether they are sorted.

    Parameters
    ----------
    quantile
        A ``river.stats.Quantile``.

    Raises
    ------
    StateError
        When this version of river lays the state out in another way.
    """
    raw = quantile._quantile.__getstate__()  # noqa: SLF001  nothing public holds them
    if len(raw) != _QUANTILE.size:
        raise StateError("This version of river keeps a running quantile in another form; it cannot be saved.")
    return _QUANTILE.unpack(raw)


def quantile_of(markers: list[Any]) -> Any:
    """Return the running quantile whose state :func:`markers_of` gave.

    Parameters
    ----------
    markers
        23 numbers, from a file that anybody may have written.

    Raises
    ------
    StateError
        When no running quantile can have these numbers.
    """
    from river.stats import Quantile  # noqa: PLC0415  (a second, for a class that few snapshots hold)

    *numbers, count, is_sorted = markers
    if len(markers) != 23 or not all(isinstance(one, float) for one in numbers) or not 0 < numbers[0] < 1:
        raise StateError("The snapshot's running quantile has other parts than 21 numbers and two counts.")
    if (count, is_sorted) not in [(0, 0), (1, 0), (2, 0), (3, 0), (4, 0), (5, 0), (5, 1)]:
        raise StateError(f"The snapshot's running quantile cannot have {count} values, {is_sorted} sorted.")
    made = Quantile(numbers[0])
    if markers_of(made)[0] != numbers[0]:
        raise StateError("This version of river keeps a running quantile in another form; it cannot be loaded.")
    made._quantile.__setstate__(_QUANTILE.pack(*markers))  # noqa: SLF001  numbers only
    made._is_updated = count > 0  # noqa: SLF001
    return made
