"""The seam between a run and its models: what scores the events of one key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from streamrnn.config import Alarm
from streamrnn.container import Blob
from streamrnn.scorers.capabilities import SharedNet
from streamrnn.scorers.scored import RawRows, Scored

__all__ = ["Counters", "Scorer", "read"]


class Counters(NamedTuple):
    """What a scorer has learned since it was made.

    Parameters
    ----------
    refused
        Updates that were refused: not finite, or absurdly large.
    learned
        Targets learned.
    loss
        Sum of their losses.

    Examples
    --------
    >>> from streamrnn.scorers.scorer import Counters
    >>> Counters()
    Counters(refused=0, learned=0, loss=0.0)
    """

    refused: int = 0
    learned: int = 0
    loss: float = 0.0


class Scorer(Protocol):
    """Scores the events of one key, or of many that share one net, learns them, and says when to raise an alarm.

    The implementations: :class:`~streamrnn.scorers.detector.DetectorScorer` (our detector, with its own alarm rule),
    :class:`~streamrnn.scorers.ranked.RankedScorer` (anything that scores, behind the rank rule),
    :class:`~streamrnn.scorers.labelled_detector.LabelledDetectorScorer` (a label that is judged) and
    :class:`~streamrnn.scorers.feedback.FeedbackScorer` (a column of feedback); around them
    :class:`~streamrnn.scorers.timed.TimedScorer` and :class:`~streamrnn.scorers.forecast.ForecastingScorer`.
    """

    @property
    def parts(self) -> int:
        """Blobs that :meth:`dumps` gives: always the same number under one configuration."""

    @property
    def counters(self) -> Counters:
        """What was learned so far; zeros for a model that does not count."""

    def run(
        self,
        values: NDArray[np.float64],
        names: tuple[str, ...],
        times: Sequence[Any] | None,
        keys: Sequence[str | None] | None = None,
    ) -> Scored | RawRows:
        """Score each event before it is learned, then learn it. Where blocks are cut changes nothing.

        Parameters
        ----------
        values
            float64, shape (n, I); NaN where a value is missing.
        names
            Of the columns.
        times
            Of the events, as the input wrote them; None where it has no time.
        keys
            Of the events, where many keys share the model; None where it is that of one.
        """

    def set_alarm(self, alarm: Alarm) -> None:
        """Alarm by other settings from the next event on; what is remembered stays.

        Parameters
        ----------
        alarm
            The settings; those of a start, window and warm-up, stay.
        """

    @property
    def net(self) -> SharedNet:
        """The model, where many keys share it: what can be asked of their places."""

    def limit_keys(self, room: int) -> None:
        """Keep so many keys at most from now on, where many share the model: those seen last stay.

        Parameters
        ----------
        room
            How many.
        """

    def memory(self) -> int:
        """Return the memory that is held, in bytes, estimated from above."""

    def key_memory(self) -> int:
        """Return the memory that one more key takes, in bytes, estimated from above, where many share the model."""

    def dumps(self) -> list[Blob]:
        """Return everything learned as blobs, without pickle.

        Raises
        ------
        StateError
            When the model has no such form.
        """

    def restore(self, blobs: Sequence[bytes]) -> None:
        """Take up what :meth:`dumps` gave, in a scorer that is new.

        Parameters
        ----------
        blobs
            As many as ``parts`` says.

        Raises
        ------
        StateError
            When the blobs are something else, or of another configuration.
        """


def read(found: Scored | RawRows) -> Scored:
    """Return results, whether they are raw rows still or not.

    Parameters
    ----------
    found
        What :meth:`Scorer.run` returned.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.scorers.scored import RawRows, Scored
    >>> from streamrnn.scorers.scorer import read
    >>> done = Scored(np.zeros(1), np.zeros((1, 1)), [False], [1.0])
    >>> read(done) is done, read(RawRows(np.zeros((1, 8)), lambda rows: done)) is done
    (True, True)
    """
    return found.scored() if isinstance(found, RawRows) else found
