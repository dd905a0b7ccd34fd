"""A net's state as bytes: equal for equal states, and looked at before it is taken over."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.anomaly import alarm, novelty, outlook
from streamrnn.kernels.anomaly.feedback import MOST_SHIFT
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Layout, Sizes
from streamrnn.kernels.net.losses.joint import CROSS_ENTROPY
from streamrnn.kernels.net.words import HEADER_WORDS

__all__ = ["check_areas", "check_detector", "check_header", "check_last_targets", "settled"]

_SETTINGS: Final = (at.LOSS, at.OPTIMIZER, at.SCHEDULE)


def settled(slab: NDArray[np.uint8], layout: Layout, sizes: Sizes) -> bytes:
    """Return the state that a slab holds, with zero wherever no committed step lies: equal states give equal bytes.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,), bound to area 0.
    layout, sizes
        Of the slab.
    """
    copy, view = slab[: layout.state_nbytes].copy(), layout.view
    for area in range(sizes.areas):
        fill = int(view(copy, "area", area)[at.A_FILL])
        for layer in range(sizes.layers):
            view(copy, f"layer{layer}.inputs", area)[fill:] = 0.0
            view(copy, f"layer{layer}.records", area)[fill + 1 :] = 0.0
            view(copy, f"layer{layer}.live_inputs", area)[:] = 0.0
            view(copy, f"layer{layer}.live_records", area)[1:] = 0.0
        for name in ("outputs", "output_gradients", "known"):
            view(copy, name, area)[fill:] = 0.0
    return copy.tobytes()


def check_header(header: NDArray[np.int64], expected: NDArray[np.int64]) -> None:
    """Refuse a header of other sizes or settings.

    Parameters
    ----------
    header
        As the state has it, (HEADER_WORDS,).
    expected
        As this net has it, (HEADER_WORDS,). Words that learning changes are not compared.

    Raises
    ------
    StateError
        When a word that is fixed differs.
    """
    free = np.ones(HEADER_WORDS, bool)
    free[list(at.CARRIED_NET_WORDS)] = False
    wrong = np.flatnonzero(free & (header != expected))
    if wrong.size or any(header[word] != expected[word] for word in _SETTINGS):
        raise StateError("The net's state was written for other settings or another version.")


def check_areas(slab: NDArray[Any], layout: Layout, sizes: Sizes, most: int, spare: int) -> None:
    """Refuse counts of steps that no area can have.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout, sizes
        Of the slab.
    most
        Most steps that an area can have between two updates.
    spare
        Slots of the window that are free between two events.

    Raises
    ------
    StateError
        When an area counts other steps, the header disagrees with its area, or the learning curve is too long.
    """
    for area in range(sizes.areas):
        steps, new = layout.view(slab, "area", area)[: at.A_FRESH + 1].tolist()
        fits = steps - new <= sizes.window - sizes.stride and steps <= sizes.window - spare
        if not (0 <= new <= min(steps, most) and fits):
            raise StateError(f"The net's state counts {steps} steps, {new} new, in a window of {sizes.window}.")
    header = slab[: HEADER_WORDS * 8].view(np.int64)
    if header[[at.FILL, at.FRESH]].tolist() != layout.view(slab, "area")[: at.A_FRESH + 1].tolist():
        raise StateError("The net's state does not agree with itself on the number of its steps.")
    if not 0 <= header[at.DOUBLING] < at.N_DOUBLINGS:
        raise StateError("The net's state holds a learning curve of impossible length.")


def check_last_targets(slab: NDArray[Any], layout: Layout, sizes: Sizes) -> None:
    """Refuse counts of events that do not fit each other, and a last class that there is not.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout, sizes
        Of the slab.

    Raises
    ------
    StateError
        When one cannot be.
    """
    classes = slab[: HEADER_WORDS * 8].view(np.int64)[at.LOSS] == CROSS_ENTROPY
    for area in range(sizes.areas):
        behind, ahead, known = layout.view(slab, "area", area)[at.A_EVENTS : at.A_KNOWN + 1].tolist()
        last = layout.view(slab, "last_targets", area)
        wrong = classes and known > 0 and any(value not in range(sizes.outputs) for value in last.tolist())
        if not 0 <= known <= behind <= ahead <= 2**60 or wrong:
            raise StateError("The net's state holds last targets that no stream can have.")


def check_detector(slab: NDArray[Any], layout: Layout, areas: int, rule: Mapping[int, float]) -> None:
    """Refuse memories, corrections and an alarm rule that a detector cannot have.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout
        Of the slab.
    areas
        How many memories it has.
    rule
        The settings of the alarm rule, by its words.

    Raises
    ------
    StateError
        When a memory holds no number, a count is negative or without end, a correction is out of range, or the rule is another.
    """
    for area in range(areas):
        parts = [layout.view(slab, name, area) for name in ("watch", "alarm", "kept", "outlook")]
        counts = [parts[0][:, novelty.SEEN], parts[1][alarm.ALARM_EVENTS], parts[3][:, outlook.AGE]]
        season = parts[3][:, outlook.SEASON]
        whole = all(np.isfinite(part).all() for part in parts)
        possible = all(((count >= 0) & (count <= 2**52)).all() for count in counts)
        if not (whole and possible and (season >= 0).all() and (season <= at.SEASON_LAGS).all()):
            raise StateError("The detector's state holds counts or memories that no detector can have.")
    gains = 1.0 + layout.view(slab, "gains")
    if not ((gains >= 1.0 / MOST_SHIFT) & (gains <= MOST_SHIFT)).all():
        raise StateError("The detector's state holds corrections that no one can have made.")
    settings = layout.view(slab, "rule")
    rated = alarm.LEAST_RATE <= settings[alarm.RATE] <= alarm.MOST_RATE
    if not rated or settings[list(rule)].tolist() != list(rule.values()):
        raise StateError("The detector's state has another alarm rule than its parameters say.")
