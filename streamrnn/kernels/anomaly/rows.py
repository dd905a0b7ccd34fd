"""The rows of a detector: what they hold, and the modes of its entry."""

from __future__ import annotations

from typing import Final

SCORE: Final = 1
LEARN: Final = 2
WAS_ANOMALY: Final = 4  # the user says so of this event
WAS_USUAL: Final = 8
INFORMATION: Final = 10  # words of a row between what was expected and the evidence of each feature
