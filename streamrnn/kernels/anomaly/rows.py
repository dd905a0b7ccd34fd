"""The rows of a detector: what they hold, and the modes of its entry.

One row an event, float64::

    [time] | x (F) | score | expected (F) | p-value | threshold | flags | events since the episode began
    | views of the deciding feature (4) | that feature | its deciding view | score of each feature (F)
    | spread of what was expected (F) | [area]

``time`` where the gap between events counts, ``area`` where the net is keyed. Only x, time and area are read.
"""

from __future__ import annotations

from typing import Final

SCORE: Final = 1
LEARN: Final = 2
WAS_ANOMALY: Final = 4  # feedback on this event
WAS_USUAL: Final = 8
INFORMATION: Final = 10  # numbers of a row between what was expected and the score of each feature
