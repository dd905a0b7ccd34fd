"""What a connector is: the protocols of a source and of a sink."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self, runtime_checkable

from streamrnn.io.events import AlarmEvent, Block, DeadLetter, Poll, Position
from streamrnn.io.state import Restored
from streamrnn.pieces import Pieces

__all__ = ["Sink", "Source"]


@runtime_checkable
class Source(Protocol):
    """Where events come from. Used as a context manager; not thread-safe.

    The class has the struct of its options as ``Options`` and is called with one of them and a :class:`SourceContext`.

    Examples
    --------
    >>> from streamrnn.io import Source, find_connector
    >>> files = find_connector("source", "files")
    >>> isinstance(files(files.Options(path="a.csv")), Source), files.keeps_raw, files.begins_again
    (True, True, True)
    """

    @property
    def keeps_raw(self) -> bool:
        """Whether it heeds :attr:`SourceContext.keep_raw`. A class attribute: it is asked before a source is made."""
        ...

    @property
    def begins_again(self) -> bool:
        """Whether each run reads the input from its beginning, until it is sent elsewhere. A class attribute."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    def poll(self, max_events: int, timeout_s: float) -> Poll:
        """Return at most ``max_events`` new events, waiting up to ``timeout_s`` for the first.

        Parameters
        ----------
        max_events
            Most events, >= 1.
        timeout_s
            Longest wait for the first one, in seconds; 0: none.
        """
        ...

    def seek(self, partition: str, position: Position) -> None:
        """Go on reading ``partition`` at ``position``.

        Parameters
        ----------
        partition
            One that this source has.
        position
            One that it made: of an event, or of the end of a block.

        Raises
        ------
        StateError
            When the input no longer holds that position (truncated, replaced).
        GoneError
            When it has deleted that position as too old, and holds later ones.
        """
        ...


@runtime_checkable
class Sink(Protocol):
    """Where results go. Used as a context manager; not thread-safe.

    The class has the struct of its options as ``Options`` and is called with one of them and a :class:`SinkContext`.
    ``delivery`` is ``"exactly_once"``, ``"at_least_once"`` or ``"at_most_once"``: what the outputs look like
    after any crash and restart of source and sink together.

    Examples
    --------
    >>> from streamrnn.io import find_connector
    >>> files = find_connector("sink", "files")
    >>> [name for name in ("takes", "delivery", "keeps_state", "restore", "commit") if not hasattr(files, name)]
    []
    """

    @property
    def takes(self) -> frozenset[str]:
        """What it heeds of :class:`SinkContext`, by the names of the options. A class attribute.

        Of ``[dead_letter] path``, ``[dead_letter] topic``, ``[alarms] path``, ``[alarms] topic``, ``[alarms] table``, ``[state] dir``, ``[state] topic``, ``[state] keep``, ``--fresh``.
        """
        ...

    @property
    def delivery(self) -> str:
        """What a crash and a restart may leave: each output once, at least once, or at most once."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(self, *exc: object) -> None: ...

    @property
    def keeps_state(self) -> bool:
        """Whether a restart finds positions and snapshots again. Where it does not, the runtime makes none."""
        ...

    def restore(self, partition: str) -> Restored | None:
        """Return what the last commit of ``partition`` recorded, or None for a fresh start.

        Parameters
        ----------
        partition
            Whose state.
        """
        ...

    def commit(
        self,
        outputs: Sequence[bytes],
        dead_letters: Sequence[DeadLetter],
        positions: Mapping[str, Position],
        snapshots: Mapping[str, bytes | Pieces] | None = None,
        blocks: Sequence[Block] = (),
        alarms: Sequence[AlarmEvent] = (),
    ) -> None:
        """Write all of it, or (after a crash and a restart) none of it.

        Parameters
        ----------
        outputs
            Encoded results, in order, without line ends.
        dead_letters
            Records that could not become events.
        positions
            For each partition touched, where reading goes on.
        snapshots
            For some of them, the model state that belongs to that position: its bytes, or :class:`Pieces` of them, as often as they are
            asked for. Pieces are gone once this returns.
        blocks
            The events of ``outputs``, in the same order: keys and partitions for a sink that has a use for them.
        alarms
            Starts and ends of episodes, in order. Empty unless ``takes`` names an option of ``[alarms]`` and it was set.

        Raises
        ------
        RetriableSinkError
            When this commit is lost, or may be. The runtime restores every partition and goes on from there.
        """
        ...
