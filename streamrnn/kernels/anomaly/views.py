"""The rows of a detector, the modes of its entry, and the table of its views. Imports nothing: all may read it.

One row an event, float64::

    [time] | x (F) | score | expected (F) | p-value | threshold | flags | events since the episode began
    | views of the deciding feature (7) | that feature | its deciding view | number of the episode, 0 for none
    | score of each feature (F) | spread of what was expected (F) | [area]

``time`` where the gap between events counts, ``area`` where the net is keyed. Only x, time and area are read; in place of a counter's reading its rate is written.

A view is what sees an event as unusual; feedback moves its gain.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SCORE: Final = 1
LEARN: Final = 2
WAS_ANOMALY: Final = 4  # feedback on this event
WAS_USUAL: Final = 8
IN_MAINTENANCE: Final = 16  # learn without the values, raise no alarm
INFORMATION: Final = 14  # numbers of a row between what was expected and the score of each feature


@dataclass(frozen=True, slots=True)
class View:
    """One row of the table.

    Parameters
    ----------
    name
        What users read as ``view`` and in ``views``.
    gain
        Place of its gain among those of a feature: views that judge the same thing share one. -1: none, feedback does not move it.
    """

    name: str
    gain: int


# In the order of the words of what was found for a feature (streamrnn.kernels.anomaly.novelty). Surprise has an alarm budget of its own, range and sticking need none.
TABLE: Final = (
    View("value", 0),
    View("expectation", 0),
    View("shape", 1),
    View("residual", 2),
    View("surprise", 3),
    View("range", -1),
    View("sticking", -1),
)
VIEWS: Final = tuple(view.name for view in TABLE)
GAIN_OF: Final = tuple(view.gain for view in TABLE)
