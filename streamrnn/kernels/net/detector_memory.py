"""What a detector has in a slab besides a net's: its rule, its heads, and the events that it remembers of each feature.

Sizes: K outputs, one for each feature.
"""

from __future__ import annotations

from streamrnn.kernels.net import words as at
from streamrnn.kernels.slab import Slab


def unit(memory: int) -> int:
    """Return in steps of how many events a detector counts the ages of what it remembers: they are kept as int16."""
    return 1 + memory // 32000


def batch(memory: int) -> int:
    """Return how many events a detector gathers before it sorts them into its memory: whole vectors, about a sixteenth of it."""
    step = 32 * (1 + memory // 32000) if memory > 64 else 16
    return max(memory // 16 // step, 1) * step


def errors(memory: int, *, light: bool) -> int:
    """Return how many errors a detector remembers of a feature: of a third of the events, none in the light form."""
    return 0 if light else memory // 3


def events_words(memory: int) -> int:
    """Return how many float32 the events take that a detector remembers of a feature."""
    width = memory + batch(memory)
    return 3 * width + width // 2 + 1


def outlook_words(memory: int, *, light: bool) -> int:
    """Return how many float64 words it takes to say what is expected of a feature."""
    if not light:
        return at.OUTLOOK_WORDS
    return at.LIGHT_WORDS if memory >= at.LEAST_SEASONAL else at.SEASONLESS_WORDS


def note_detector(slab: Slab, memory: int, phi: int) -> None:
    """Note the sizes of what follows in the header; ``phi``: inputs of a head, padded; 0 for the light form, which has none."""
    light = phi == 0
    slab.note((
        (at.MEMORY, memory), (at.PHI, phi), (at.WATCH_SIZE, at.LIGHT_WATCH_WORDS if light else at.WATCH_WORDS),
        (at.KEPT_SIZE, events_words(memory) + errors(memory, light=light) + at.DEPTH * phi),
        (at.OUTLOOK_SIZE, outlook_words(memory, light=light)), (at.ALARM_SIZE, at.LIGHT_ALARM_WORDS if light else at.ALARM_WORDS),
        (at.HEAD_SIZE, (phi + at.LANES + 2 * len(at.HORIZONS)) * phi // 2),
    ))  # fmt: skip


def add_detector(slab: Slab, K: int) -> None:
    """Add what all streams share: settings of the rule, gains, policy, heads, and the reservoir that they see the past through."""
    slab.add_all("f8", (
        (at.RULE, "rule", at.RULE_WORDS), (at.GAINS, "gains", K, at.GAIN_WORDS),
        (at.POLICY, "policy", K, at.POLICY_WORDS),
        (at.HEADS, "heads", K, slab.words[at.HEAD_SIZE]),
    ))  # fmt: skip
    slab.add(at.ECHO, "echo", "f4", 2, at.ECHO_UNITS)


def add_detector_area(slab: Slab, K: int) -> None:
    """Add what each stream has of its own: the state of the rule, and what it remembers."""
    slab.add(at.ALARM, "alarm", "f8", slab.words[at.ALARM_SIZE])
    slab.add(at.WATCH, "watch", "f8", K, slab.words[at.WATCH_SIZE])
    slab.add(at.OUTLOOK, "outlook", "f8", K, slab.words[at.OUTLOOK_SIZE])
    slab.add(at.KEPT, "kept", "f4", K, slab.words[at.KEPT_SIZE])


def add_detector_scratch(slab: Slab, K: int, memory: int, phi: int) -> None:
    """Add what an event needs for a moment: what was found for each feature, and room to sort in."""
    slab.add(at.FOUND, "found", "f8", at.FOUND_WORDS * (K + 1) + max(3 * phi, at.OUTLOOK_SCRATCH))
    slab.add(at.ORDER, "order", "i8", batch(memory))
