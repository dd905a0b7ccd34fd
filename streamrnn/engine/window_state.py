"""Open windows as a snapshot keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
import numpy as np

from streamrnn.config import Records
from streamrnn.engine.panes import Pane
from streamrnn.engine.silence import Clock
from streamrnn.errors import ModelChangedError, StateError

__all__ = ["WrittenWindows", "check_windows", "open_panes", "said", "written_panes"]

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


WrittenPane = tuple[int, Count, bytes, bytes]
"""Number of the window, records, values and marks: as bytes, since JSON has no infinity."""


class WrittenWindows(msgspec.Struct, kw_only=True):
    """Open windows as the manifest of a snapshot keeps them.

    Parameters
    ----------
    settings
        Length, aggregate, lateness.
    clock
        How far the partition's time has come.
    closed
        The first window that is not closed; None: there was no record.
    names
        The columns of the panes.
    keys
        Each with the first window that was not given out, and its panes; the one unseen for longest first.
    late, untimed, unfilled, dropped
        Counters.
    """

    settings: tuple[float, str, float]
    clock: Clock
    closed: int | None
    names: list[str]
    keys: list[tuple[str | None, int, list[WrittenPane]]]
    late: Count
    untimed: Count
    unfilled: Count
    dropped: Count


def said(settings: Records) -> tuple[float, str, float]:
    """Return what of the settings a snapshot must have in common with the run that takes it up.

    Parameters
    ----------
    settings
        Of ``[source]``.
    """
    return (settings.every_s, settings.aggregate, settings.lateness_s)


def written_panes(panes: Mapping[int, Pane]) -> list[WrittenPane]:
    """Return panes as a snapshot keeps them.

    Parameters
    ----------
    panes
        By the number of their window.
    """
    return [(number, one.count, _bytes(one.values), _bytes(one.marks)) for number, one in panes.items()]


def open_panes(written: Sequence[WrittenPane], width: int) -> dict[int, Pane]:
    """Return what :func:`written_panes` was given.

    Parameters
    ----------
    written
        What it returned.
    width
        How many columns there are.

    Raises
    ------
    StateError
        When it is damaged.
    """
    if any(not len(values) == len(marks) == 8 * width for _, _, values, marks in written):
        raise StateError("The snapshot's open windows do not fit its columns.")
    return {number: Pane(_floats(values), _floats(marks), count) for number, count, values, marks in written}


def _bytes(numbers: list[float]) -> bytes:
    return np.array(numbers, dtype=np.float64).tobytes()


def _floats(data: bytes) -> list[float]:
    found: list[float] = np.frombuffer(data, np.float64).tolist()
    return found


def check_windows(now: Records | None, then: WrittenWindows | None) -> None:
    """Raise where a snapshot was written with other windows than those there are now.

    Parameters
    ----------
    now
        Those of the configuration; None: records are events.
    then
        Those of the snapshot.

    Raises
    ------
    ModelChangedError
        With both.
    """
    settings = None if now is None else said(now)
    if (None if then is None else then.settings) != settings:
        raise ModelChangedError(
            f"The snapshot was written with [source] {_in_words(None if then is None else then.settings)}, now there is "
            f"{_in_words(settings)}. Restore the old values, or start anew with --fresh."
        )


def _in_words(settings: tuple[float, str, float] | None) -> str:
    if settings is None:
        return "every unset"
    return f"every = {settings[0]:g}, aggregate = {settings[1]!r}, lateness = {settings[2]:g}"
