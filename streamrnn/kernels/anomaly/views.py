"""The table of a detector's views: what sees an event as unusual, and which gain feedback moves. Imports nothing: all may read it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class View:
    """One row of the table.

    Parameters
    ----------
    name
        What users read as ``decided`` and in ``views``.
    gain
        Place of its gain among those of a feature: views that judge the same thing share one.
    """

    name: str
    gain: int


# In the order of the words of what was found for a feature (streamrnn.kernels.anomaly.novelty).
TABLE: Final = (View("value", 0), View("expectation", 0), View("shape", 1), View("residual", 2))
VIEWS: Final = tuple(view.name for view in TABLE)
GAIN_OF: Final = tuple(view.gain for view in TABLE)
