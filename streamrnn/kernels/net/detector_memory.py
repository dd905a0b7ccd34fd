"""How much memory a detector needs for the events that it remembers of one feature."""

from __future__ import annotations


def unit(memory: int) -> int:
    """Return in steps of how many events a detector counts the ages of what it remembers: they are kept as int16."""
    return 1 + memory // 32000


def batch(memory: int) -> int:
    """Return how many events a detector gathers before it sorts them into its memory: whole vectors, about a sixteenth of it."""
    step = 32 * (1 + memory // 32000)
    return max(memory // 16 // step, 1) * step


def events_words(memory: int) -> int:
    """Return how many float32 the events take that a detector remembers of a feature."""
    width = memory + batch(memory)
    return 3 * width + width // 2 + 1
