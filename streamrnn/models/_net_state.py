"""A net's state as bytes: equal for equal states, and looked at before it is taken over."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.anomaly import alarm
from streamrnn.kernels.anomaly.feedback import MOST_SHIFT
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.layout import Layout, Sizes
from streamrnn.kernels.net.words import HEADER_WORDS

__all__ = ["check_detector", "check_header", "check_shared", "settled_area", "settled_pieces"]

PIECE: Final = 512 * 1024  # bytes of a piece: it stays in a cache of the processor
_SETTINGS: Final = (at.LOSS, at.OPTIMIZER, at.SCHEDULE)


def settled_pieces(slab: NDArray[np.uint8], sizes: Sizes, kept: Layout) -> Iterator[memoryview]:
    """Yield the state that a slab holds, with zero wherever no committed step lies: equal states give equal bytes.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,), bound to area 0. A piece is a copy, which the next one overwrites.
    sizes
        Of the net.
    kept
        The layout of a slab with as many memories of streams as are written, the first ones.
    """
    shared = slab[: kept.area_at].copy()
    header = shared[: HEADER_WORDS * 8].view(np.int64)
    for word, value in kept.words.items():
        if word not in at.CARRIED_NET_WORDS:
            header[word] = value
    yield shared.data
    areas = slab[kept.area_at : kept.state_nbytes].reshape(kept.areas, kept.area_nbytes)
    many = max(1, PIECE // kept.area_nbytes)
    copy = np.empty((min(many, kept.areas), kept.area_nbytes), np.uint8)
    for first in range(0, kept.areas, many):
        part = copy[: min(many, kept.areas - first)]
        part[:] = areas[first : first + many]
        _settle(part, sizes, kept)
        yield part.reshape(-1).data


def _settle(areas: NDArray[np.uint8], sizes: Sizes, layout: Layout) -> None:
    """Put zeros into areas, (n, bytes), wherever no committed step lies."""

    def every(name: str) -> NDArray[Any]:
        field = layout.fields[name]
        start = field.at - layout.area_at
        return areas[:, start : start + field.size].view(field.dtype).reshape(len(areas), *field.shape)

    fill = every("area")[:, at.A_FILL]
    for layer in range(sizes.layers):
        _clear(every(f"layer{layer}.inputs"), fill)
        steps = every(f"layer{layer}.records")[:, layout.record - layout.past :]
        _clear(steps.reshape(len(areas), sizes.window, layout.record), fill)
        every(f"layer{layer}.live_inputs")[:] = 0.0
        every(f"layer{layer}.live_records")[:, 1:] = 0.0
    for name in ("outputs", "output_gradients", "known"):
        _clear(every(name), fill)


def _clear(steps: NDArray[Any], used: NDArray[np.int64]) -> None:
    """Put zeros behind the steps of each area that are used."""
    for step in range(steps.shape[1]):
        steps[used <= step, step] = 0.0


def settled_area(data: bytearray, layers: int, layout: Layout) -> bytearray:
    """Return one area's bytes, in place, with zero wherever no committed step lies.

    Parameters
    ----------
    data
        Of an area, with its counters.
    layers
        Of the net.
    layout
        Of the slab.
    """
    fill = int.from_bytes(data[8 * at.A_FILL :][:8], "little", signed=True)
    for start, stop in _free_places(layout, layers, fill):
        data[start:stop] = bytes(stop - start)
    return data


@functools.lru_cache(maxsize=256)
def _free_places(layout: Layout, layers: int, fill: int) -> tuple[tuple[int, int], ...]:
    """Return where in an area no committed step lies, from where to where."""
    used = {"outputs": fill, "output_gradients": fill, "known": fill}
    for layer in range(layers):
        used |= {f"layer{layer}.inputs": fill, f"layer{layer}.live_inputs": 0, f"layer{layer}.live_records": 1}
    lengths = {}
    for name, steps in used.items():
        field = layout.fields[name]
        lengths[name] = min(max(steps, 0), field.shape[0]) * (field.size // max(field.shape[0], 1))
    for layer in range(layers):
        lengths[f"layer{layer}.records"] = 4 * (
            (min(max(fill, 0), layout.sizes.window) + 1) * layout.record - layout.past
        )
    found = []
    for name, first in lengths.items():
        field = layout.fields[name]
        start = field.at - layout.area_at
        found.append((start + first, start + field.size))
    return tuple(one for one in found if one[0] < one[1])


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


def check_shared(slab: NDArray[Any], layout: Layout) -> None:
    """Refuse what all streams share where it cannot be.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout
        Of the slab.

    Raises
    ------
    StateError
        When the header disagrees with its area, a loss is none, or the learning curve is too long.
    """
    losses = layout.view(slab, "loss")[1:]
    if not ((losses >= 0.0) & (losses < np.inf)).all():
        raise StateError("The net's state holds losses that no stream can have.")
    header = slab[: HEADER_WORDS * 8].view(np.int64)
    if header[[at.FILL, at.FRESH]].tolist() != layout.view(slab, "area")[: at.A_FRESH + 1].tolist():
        raise StateError("The net's state does not agree with itself on the number of its steps.")
    if not 0 <= header[at.DOUBLING] < at.N_DOUBLINGS:
        raise StateError("The net's state holds a learning curve of impossible length.")


def check_detector(slab: NDArray[Any], layout: Layout, rule: Mapping[int, float]) -> None:
    """Refuse corrections and an alarm rule that a detector cannot have.

    Parameters
    ----------
    slab
        The net's block of memory, (bytes,).
    layout
        Of the slab.
    rule
        The settings of the alarm rule, by its words.

    Raises
    ------
    StateError
        When a correction is out of range, or the rule is another.
    """
    gains = 1.0 + layout.view(slab, "gains")
    if not ((gains >= 1.0 / MOST_SHIFT) & (gains <= MOST_SHIFT)).all():
        raise StateError("The detector's state holds corrections that no one can have made.")
    settings = layout.view(slab, "rule")
    rated = alarm.LEAST_RATE <= settings[alarm.RATE] <= alarm.MOST_RATE
    if not rated or settings[list(rule)].tolist() != list(rule.values()):
        raise StateError("The detector's state has another alarm rule than its parameters say.")
