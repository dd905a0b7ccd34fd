"""What the memory of a stream can hold, as rules for :mod:`streamrnn.kernels.net.area_rules`: one pass looks at one area, or at all."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import StateError
from streamrnn.kernels.anomaly import alarm, novelty, outlook
from streamrnn.kernels.compile import direct
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.area_rules import (
    LARGEST_DOUBLE,
    RULE_AT_MOST,
    RULE_CLASSES,
    RULE_NUMBERS,
    RULE_SINGLES,
    RULE_WHOLE,
    broken_rule,
)
from streamrnn.kernels.net.layout import Layout
from streamrnn.models._state_parts import MOST

__all__ = ["AreaRules", "area_rules"]

Rule = tuple[tuple[int, int, int, int, int], tuple[float, float], str]
"""Kind, place, count, step and other place; bounds; what is wrong where it is broken."""

MOST_EVENTS: Final = 2**52
"""A detector counts in float64: beyond, one more is none more."""


class AreaRules:
    """The rules of one layout.

    Parameters
    ----------
    layout
        Of the slab.
    rules
        In the order in which they are looked at.
    """

    def __init__(self, layout: Layout, rules: Iterable[Rule]) -> None:
        rows, bounds, self._said = zip(*rules, strict=True)
        self._size = layout.area_nbytes
        self._rules, self._bounds = np.array(rows, np.int64), np.array(bounds, np.float64)
        self._broken: Callable[..., int] = self._first
        self._one = np.empty(self._size, np.uint8)

    def _first(self, *args: Any) -> int:
        """Run the pass; from the second time on without the dispatcher."""
        entry = broken_rule()
        found: int = entry(*args)
        self._broken, _ = direct(entry)
        return found

    def check_one(self, area: bytes) -> None:
        """Raise where one area breaks a rule.

        Parameters
        ----------
        area
            As long as an area is.

        Raises
        ------
        StateError
            With what is wrong.
        """
        self._one.data[:] = area  # numbers have addresses of their own
        self.check(self._one)

    def check(self, areas: NDArray[np.uint8]) -> None:
        """Raise where an area breaks a rule.

        Parameters
        ----------
        areas
            (bytes,), one area behind the other, at an address that numbers can have.

        Raises
        ------
        StateError
            With what is wrong.
        """
        found = self._broken(self._rules, self._bounds, areas, len(areas) // self._size, self._size)
        if found >= 0:
            words = areas.view(np.int64)
            first = found // len(self._said) * self._size // 8
            steps, fresh = words[first + at.A_FILL], words[first + at.A_FRESH]
            raise StateError(self._said[found % len(self._said)].format(steps=steps, fresh=fresh))


def _place(layout: Layout, name: str) -> int:
    """Return where an array begins in an area, in units of its type."""
    field = layout.fields[name]
    return (field.at - layout.area_at) // field.dtype.itemsize


@functools.lru_cache(maxsize=256)
def area_rules(layout: Layout, most: int, spare: int) -> AreaRules:
    """Return what the memory of a stream must keep to: counts of steps and events, losses, last targets, and what a detector remembers.

    Parameters
    ----------
    layout
        Of the slab.
    most
        Most steps that an area can have between two updates.
    spare
        Slots of the window that are free between two events.
    """
    return AreaRules(
        layout, [*_net_rules(layout, most, spare), *(_detector_rules(layout) if layout.sizes.memory else [])]
    )


def _net_rules(layout: Layout, most: int, spare: int) -> list[Rule]:
    """Return the rules of counts of steps and events, of losses, and of the last targets."""
    z, head, last = layout.sizes, _place(layout, "area"), layout.fields["last_targets"]
    fill, fresh, behind, ahead, known = (
        head + word for word in (at.A_FILL, at.A_FRESH, at.A_EVENTS, at.A_AHEAD, at.A_KNOWN)
    )
    steps = f"The net's state counts {{steps}} steps, {{fresh}} new, in a window of {z.window}."
    told, lost = (
        "The net's state holds last targets that no stream can have.",
        "The net's state holds losses that no stream can have.",
    )
    rules: list[Rule] = [
        ((RULE_NUMBERS, head + at.A_LOSS, 1, 1, 0), (0.0, LARGEST_DOUBLE), lost),
        ((RULE_WHOLE, fill, 1, 1, 0), (0, z.window - spare), steps),
        ((RULE_WHOLE, fresh, 1, 1, 0), (0, most), steps),
        ((RULE_AT_MOST, fresh, 1, 1, fill), (0, 0), steps),
        ((RULE_AT_MOST, fill, 1, 1, fresh), (0, z.window - z.stride), steps),
        *(((RULE_WHOLE, word, 1, 1, 0), (0, MOST), told) for word in (behind, ahead, known)),
        ((RULE_AT_MOST, known, 1, 1, behind), (0, 0), told),
        ((RULE_AT_MOST, behind, 1, 1, ahead), (0, 0), told),
    ]
    if z.classes:
        row = RULE_CLASSES, _place(layout, "last_targets"), last.shape[0], 1, known
        rules.append((row, (0, z.outputs - 1), told))
    return rules


def _detector_rules(layout: Layout) -> list[Rule]:
    """Return the rules of what a detector remembers of a stream."""
    said = "The detector's state holds counts or memories that no detector can have."
    rules: list[Rule] = []
    for name in ("watch", "alarm", "kept", "outlook"):
        field = layout.fields[name]
        kind = RULE_NUMBERS if field.dtype == np.float64 else RULE_SINGLES
        rules.append(
            (
                (kind, _place(layout, name), field.size // field.dtype.itemsize, 1, 0),
                (-LARGEST_DOUBLE, LARGEST_DOUBLE),
                said,
            )
        )
    counted: Any = (
        ("watch", novelty.SEEN, MOST_EVENTS), ("alarm", alarm.ALARM_EVENTS, MOST_EVENTS), ("outlook", outlook.AGE, MOST_EVENTS),
        ("outlook", outlook.SEASON, at.SEASON_LAGS),
    )  # fmt: skip
    for name, word, most in counted:
        rows, size = (1, 0) if len(shape := layout.fields[name].shape) == 1 else shape
        rules.append(((RULE_NUMBERS, _place(layout, name) + word, rows, size, 0), (0, most), said))
    return rules
