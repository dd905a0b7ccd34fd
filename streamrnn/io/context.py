"""What a run asks of its connectors besides their own options."""

from __future__ import annotations

from dataclasses import dataclass

from streamrnn.errors import ConfigError

__all__ = ["CONTEXT_OPTIONS", "SinkContext", "SourceContext"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a run asks of its source besides the options in ``[source]``.

    Parameters
    ----------
    keep_raw
        Keep each record as it was read in :attr:`Block.raws`: a result shows it.
    counted
        Records are counted: one without a number is an event too, and there need be no columns to watch. A source that does not heed it
        counts those that hold numbers.
    zone
        What times that are written without a zone will be taken for, for ``chosen()``; None: UTC. Blocks bring them as they are written.

    Examples
    --------
    >>> from streamrnn.io import SourceContext
    >>> SourceContext().keep_raw
    False
    """

    keep_raw: bool = False
    counted: bool = False
    zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SinkContext:
    """What a run asks of its sink besides the options in ``[sink]``: one commit covers outputs, dead letters and state.

    A sink says in ``takes`` which of it it heeds; a configuration that asks for more is refused before the sink is made.

    Parameters
    ----------
    dead_letters
        Where records go that are no events: ``[dead_letter] path`` or ``[dead_letter] topic``. None: they are dropped, or
        the sink has a place of its own.
    state
        Where positions and snapshots are kept: ``[state] dir`` or ``[state] topic``. None: nowhere, or the sink has a place
        of its own.
    snapshots_kept
        Snapshots kept of each partition, at least one.
    alarms
        Where the starts and ends of episodes go: ``[alarms] path``, ``[alarms] topic`` or ``[alarms] table``. None: nowhere.
    fresh
        Forget the state of earlier runs: ``--fresh``.

    Examples
    --------
    >>> from streamrnn.io import SinkContext
    >>> SinkContext(dead_letters="dead.jsonl").snapshots_kept
    3
    """

    dead_letters: str | None = None
    state: str | None = None
    snapshots_kept: int = 3
    alarms: str | None = None
    fresh: bool = False

    def __post_init__(self) -> None:
        if self.snapshots_kept < 1:
            raise ConfigError(f"[state] keep: must be an int >= 1. Got {self.snapshots_kept} instead.")


CONTEXT_OPTIONS = {
    "[dead_letter] path": "dead_letters",
    "[dead_letter] topic": "dead_letters",
    "[alarms] path": "alarms",
    "[alarms] topic": "alarms",
    "[alarms] table": "alarms",
    "[state] dir": "state",
    "[state] topic": "state",
    "[state] keep": "snapshots_kept",
    "--fresh": "fresh",
}
"""What ``Sink.takes`` may name, and the field of :class:`SinkContext` that brings it."""
