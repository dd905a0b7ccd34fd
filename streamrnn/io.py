"""How events come in and results go out: the protocols every connector speaks.

A connector is a package of its own that imports this module, :mod:`streamrnn.config` and
:mod:`streamrnn.errors`, and nothing else of the library. It is found by entry point, group
``streamrnn.sources`` or ``streamrnn.sinks``; the name of the entry point is what a
configuration writes as ``kind``.

Positions are opaque: only the source that made one can read it. They survive a trip through
JSON. One input *partition* (a file, or one partition of a Kafka topic) has one total order of
events and one model; a source with a single input names its partition ``"0"``.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from streamrnn.errors import ConfigError, StreamrnnError

__all__ = [
    "AttachedSink",
    "Block",
    "Checkable",
    "DeadLetter",
    "Event",
    "HasClient",
    "HasFiles",
    "LimitedSink",
    "Poll",
    "Position",
    "ReadableSink",
    "Rereadable",
    "Restored",
    "RetainingSource",
    "Sink",
    "SinkContext",
    "SnapshotStore",
    "Source",
    "SourceContext",
    "StoredSnapshot",
    "connector_kinds",
    "default_kind",
    "example_names",
    "find_connector",
    "find_example",
    "nests_too_deep",
    "reached",
    "signed",
]

MAX_NESTING = 64
"""Levels of JSON. A fixed number, so that what is bad does not depend on how deep the caller's stack is."""

MISSING = frozenset(("", "nan", "-nan", "na", "n/a", "null", "none"))
"""Texts that stand for "no value", in any case: what pandas, R, SQL dumps, Python and C write."""

_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+"?')
_BRACKET = re.compile(rb"[\[\]{}]")

Position = int | str
"""Where an event lies in its partition. Opaque, JSON-serialisable, made and read by the source alone."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event, as a person handles it.

    Parameters
    ----------
    x
        Features by name; NaN where a value is missing.
    position
        Where the event lies in its partition.
    key
        Which series the event belongs to, or None.
    time
        The event's time as the input wrote it, or None.
    raw
        The record as it was read.

    Examples
    --------
    >>> from streamrnn.io import Event
    >>> Event(x={"flow": 12.5}, position=17).x["flow"]
    12.5
    """

    x: dict[str, float]
    position: Position
    key: str | None = None
    time: str | float | None = None
    raw: bytes = b""


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A record that could not become an event, and why.

    Parameters
    ----------
    position
        Where the record lies in its partition.
    reason
        One sentence: what is wrong, with the field and the value.
    raw
        The record as it was read (possibly cut; the reason then says so).
    line
        1-based line number where the input has lines, else None.
    partition
        The partition the record came from.
    key
        The record's own key, where the input has such a thing beside the value.

    Examples
    --------
    >>> from streamrnn.io import DeadLetter
    >>> DeadLetter(position=40, reason="column 'flow': 'abc' is not a number.", raw=b"t,abc").line is None
    True
    """

    position: Position
    reason: str
    raw: bytes = b""
    line: int | None = None
    partition: str = "0"
    key: bytes | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive events of one partition, as columns.

    Parameters
    ----------
    names
        Feature names, the columns of ``values``.
    values
        float64, shape (n, I); NaN where a value is missing.
    positions
        One per event, in order.
    next_position
        Where reading goes on after this block: what a commit records.
    keys
        One per event, or None when the stream is a single series.
    times
        One per event, as the input wrote them, or None.
    raws
        The records as they were read, or () when the source was told not to keep them.
    dead_letters
        Records among these that could not become events.
    partition
        The partition they came from.
    time_name
        What the input calls the column of ``times``, so that a model can be given it by name; None where nobody knows.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.io import Block
    >>> block = Block(names=("flow",), values=np.array([[1.0], [np.nan]]), positions=(0, 9), next_position=14)
    >>> len(block), [event.x for event in block.events()]
    (2, [{'flow': 1.0}, {'flow': nan}])
    """

    names: tuple[str, ...]
    values: NDArray[np.float64]
    positions: Sequence[Position]
    next_position: Position
    keys: Sequence[str | None] | None = None
    times: Sequence[str | float | None] | None = None
    raws: Sequence[bytes] = ()
    dead_letters: Sequence[DeadLetter] = ()
    partition: str = "0"
    time_name: str | None = None

    def __len__(self) -> int:
        return len(self.positions)

    def events(self) -> list[Event]:
        """Return the same events one by one.

        Examples
        --------
        >>> import numpy as np
        >>> from streamrnn.io import Block
        >>> Block(("a",), np.array([[2.0]]), (0,), 1).events()[0].x
        {'a': 2.0}
        """
        return [
            Event(
                x=dict(zip(self.names, row, strict=True)),
                position=self.positions[i],
                key=self.keys[i] if self.keys is not None else None,
                time=self.times[i] if self.times is not None else None,
                raw=self.raws[i] if self.raws else b"",
            )
            for i, row in enumerate(self.values.tolist())
        ]


@dataclass(frozen=True, slots=True)
class Poll:
    """What one call of :meth:`Source.poll` brought.

    Parameters
    ----------
    blocks
        Events, at most one block a partition. May be empty.
    assigned, revoked
        Partitions that came or went since the last poll. The runtime drops the state of a revoked partition
        and restores that of an assigned one, then calls :meth:`Source.seek`.
    ended
        True when no more events will ever come.

    Examples
    --------
    >>> from streamrnn.io import Poll
    >>> Poll(ended=True).blocks
    ()
    """

    blocks: Sequence[Block] = ()
    assigned: Sequence[str] = ()
    revoked: Sequence[str] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class Restored:
    """What a sink knows of a partition from earlier runs.

    Parameters
    ----------
    position
        Where the last commit left off: outputs up to here have been written.
    snapshot
        The newest model state, or None.
    snapshot_position
        The position that ``snapshot`` corresponds to. Events between it and ``position`` are
        replayed without output.
    passing
        Whether the store may not hold that snapshot for long: the next commit brings another.

    Examples
    --------
    >>> from streamrnn.io import Restored
    >>> Restored(position=120).snapshot is None
    True
    """

    position: Position
    snapshot: bytes | None = None
    snapshot_position: Position | None = None
    passing: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceContext:
    """What a run asks of its source besides the options in ``[source]``.

    Parameters
    ----------
    keep_raw
        Keep each record as it was read in :attr:`Block.raws`: a result shows it.

    Examples
    --------
    >>> from streamrnn.io import SourceContext
    >>> SourceContext().keep_raw
    False
    """

    keep_raw: bool = False


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
    fresh: bool = False

    def __post_init__(self) -> None:
        if self.snapshots_kept < 1:
            raise ConfigError(f"[state] keep: must be an int >= 1. Got {self.snapshots_kept} instead.")


CONTEXT_OPTIONS = {
    "[dead_letter] path": "dead_letters",
    "[dead_letter] topic": "dead_letters",
    "[state] dir": "state",
    "[state] topic": "state",
    "[state] keep": "snapshots_kept",
    "--fresh": "fresh",
}
"""What ``Sink.takes`` may name, and the field of :class:`SinkContext` that brings it."""


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

        Of ``[dead_letter] path``, ``[dead_letter] topic``, ``[state] dir``, ``[state] topic``, ``[state] keep``, ``--fresh``.
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
        snapshots: Mapping[str, bytes | memoryview] | None = None,
        blocks: Sequence[Block] = (),
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
            For some of them, the model state that belongs to that position. Views are gone once this returns.
        blocks
            The events of ``outputs``, in the same order: keys and partitions for a sink that has a use for them.

        Raises
        ------
        RetriableSinkError
            When this commit is lost, or may be. The runtime restores every partition and goes on from there.
        """
        ...


@runtime_checkable
class Checkable(Protocol):
    """What a source or a sink may be besides: one that can say beforehand whether it would work.

    ``streamrnn check`` asks it, before it was entered.

    Examples
    --------
    >>> from streamrnn.io import Checkable, find_connector
    >>> issubclass(find_connector("source", "files"), Checkable)
    True
    """

    def check(self) -> list[StreamrnnError]:
        """Return what is wrong, all of it, with the exit code of each: input, rights, servers. Changes nothing."""
        ...


@runtime_checkable
class Rereadable(Protocol):
    """What a source may be besides: one whose input can be read again from outside a run.

    Examples
    --------
    >>> from streamrnn.io import Rereadable, find_connector
    >>> issubclass(find_connector("source", "files"), Rereadable)
    True
    """

    def reread(self) -> Source:
        """Return a source of the same input that takes no part in the run and ends at what is the input's end now.

        Its first poll announces all partitions and brings no events.
        """
        ...


@runtime_checkable
class RetainingSource(Protocol):
    """What a source may be besides: one whose input loses its oldest records while it grows.

    A restart reads again from the newest snapshot on: it must not be older than what the input holds.

    Examples
    --------
    >>> from streamrnn.io import RetainingSource, find_connector
    >>> issubclass(find_connector("source", "files"), RetainingSource)  # a Kafka source is one
    False
    """

    def retained(self, partition: str) -> tuple[Position, Position] | None:
        """Return the position of the oldest record that the input holds, and of its end; None where nobody knows yet.

        As of some seconds ago; may be called from another thread.

        Parameters
        ----------
        partition
            One that this source has.
        """
        ...


@runtime_checkable
class ReadableSink(Protocol):
    """What a sink may be besides: one whose results can be read back, while a run goes on too.

    Examples
    --------
    >>> from streamrnn.io import ReadableSink, find_connector
    >>> issubclass(find_connector("sink", "files"), ReadableSink)
    True
    """

    def written(self) -> Iterator[tuple[str, bytes]]:
        """Yield each committed result with the partition of its event, those of a partition in order."""
        ...


@runtime_checkable
class LimitedSink(Protocol):
    """What a sink may be besides: one that takes results, and commits, up to a size.

    Examples
    --------
    >>> from streamrnn.io import LimitedSink, find_connector
    >>> issubclass(find_connector("sink", "files"), LimitedSink)  # a Kafka sink is one
    False
    """

    def too_long(self, block: Block, outputs: Sequence[bytes]) -> Mapping[int, str]:
        """Return which of a block's results cannot be written, by their place, with a sentence that says why.

        Lengths and options alone decide: whoever asks again is told the same, with a server at hand or without.

        Parameters
        ----------
        block
            The events.
        outputs
            The bytes of their results, in the same order.
        """
        ...

    def too_large(self, snapshot_bytes: int) -> str | None:
        """Say why a commit with snapshots of so many bytes may never succeed, and what to set; None: it should.

        Parameters
        ----------
        snapshot_bytes
            The sum of their lengths, in bytes.
        """
        ...


@runtime_checkable
class AttachedSink(Protocol):
    """What a sink may be besides: one that commits positions where the source keeps them.

    Examples
    --------
    >>> from streamrnn.io import AttachedSink, find_connector
    >>> issubclass(find_connector("sink", "files"), AttachedSink)  # a Kafka sink is one
    False
    """

    def attach(self, source: Source) -> None:
        """Take notice of the source whose positions will be committed. Called once, before either is entered.

        Parameters
        ----------
        source
            Of the same run.
        """
        ...


@runtime_checkable
class HasFiles(Protocol):
    """What a source or a sink may be besides: one that reads, or writes anew, whole files that no other may write.

    A sink whose file is the source's is refused. A database that both use is none of these.

    Examples
    --------
    >>> from streamrnn.io import HasFiles, find_connector
    >>> issubclass(find_connector("sink", "files"), HasFiles)
    True
    """

    def files(self) -> Mapping[str, str]:
        """Return the path of each, by the name of the option that says it."""
        ...


@runtime_checkable
class HasClient(Protocol):
    """What the class of a source or a sink may be besides: one whose client library writes to the log.

    What a client logs is shown with ``[log] level = "debug"`` alone: what it cannot mend is an error of the connector.

    Examples
    --------
    >>> from streamrnn.io import HasClient, find_connector
    >>> isinstance(find_connector("source", "files"), HasClient)
    False
    """

    @property
    def client_loggers(self) -> tuple[str, ...]:
        """Names of the client's loggers. A class attribute."""
        ...


@dataclass(frozen=True, slots=True)
class StoredSnapshot:
    """A snapshot as it lies in a store.

    Parameters
    ----------
    partition
        Whose state it is.
    name
        What the store calls it.
    position
        Where reading goes on after it.
    data
        Its bytes; empty where they cannot be read.
    problem
        What is wrong with it, or None.

    Examples
    --------
    >>> from streamrnn.io import StoredSnapshot
    >>> StoredSnapshot("0", "0-7.snapshot", 120, b"weights").problem is None
    True
    """

    partition: str
    name: str
    position: Position
    data: bytes = b""
    problem: str | None = None


@runtime_checkable
class SnapshotStore(Protocol):
    """What a sink may be besides: one whose snapshots can be looked at from outside, while a run goes on too.

    Examples
    --------
    >>> from streamrnn.io import SnapshotStore, find_connector
    >>> issubclass(find_connector("sink", "files"), SnapshotStore)
    True
    """

    def snapshots(self) -> Sequence[StoredSnapshot]:
        """Return what is stored, by partition, the newest first: good and damaged ones. Changes nothing."""
        ...


@functools.cache
def _registered(group: str) -> dict[str, EntryPoint]:
    """Return the entry points of a group by name. Looking through all that is installed takes a while."""
    return {point.name: point for point in entry_points(group=group)}


def connector_kinds(role: str, *, ours: bool = False) -> list[str]:
    """Return the kinds that are installed, in order.

    Parameters
    ----------
    role
        ``"source"`` or ``"sink"``.
    ours
        Those alone that come with the library itself, whatever the packages of others are called.

    Examples
    --------
    >>> from streamrnn.io import connector_kinds
    >>> {"files", "kafka", "sqlite"} <= set(connector_kinds("source"))
    True
    """
    found = _registered(f"streamrnn.{role}s")
    return sorted(name for name, point in found.items() if not ours or _is_ours(point))


def _is_ours(point: EntryPoint) -> bool:
    return point.dist is not None and point.dist.name == "streamrnn"


def default_kind(role: str) -> str:
    """Return what ``kind`` is where a configuration does not say it: the connector that is registered as the default.

    Parameters
    ----------
    role
        ``"source"`` or ``"sink"``.

    Raises
    ------
    ConfigError
        When the library is installed without its own connectors.

    Examples
    --------
    >>> from streamrnn.io import default_kind
    >>> default_kind("source")
    'files'
    """
    default = _registered("streamrnn.default").get(role)
    same = [
        name for name, point in _registered(f"streamrnn.{role}s").items() if default and point.value == default.value
    ]
    if not same:
        raise ConfigError(
            f"[{role}] kind: is missing, and no connector is registered as the default. Install the library again."
        )
    return same[0]


def example_names() -> list[str]:
    """Return the names of the example configurations that connectors bring, in order.

    Examples
    --------
    >>> from streamrnn.io import example_names
    >>> "file" in example_names()
    True
    """
    return sorted(_registered("streamrnn.examples"))


def find_example(name: str) -> str:
    """Return an example configuration, with comments.

    Parameters
    ----------
    name
        One of :func:`example_names`.

    Raises
    ------
    ConfigError
        When there is none; the message lists those there are.

    Examples
    --------
    >>> from streamrnn.io import find_example
    >>> "[source]" in find_example("file")
    True
    """
    found = _registered("streamrnn.examples")
    if name not in found:
        raise ConfigError(f"There is no example {name!r}. Known: {', '.join(example_names()) or 'none installed'}.")
    return str(found[name].load())


def find_connector(role: str, kind: str) -> Any:
    """Return the class registered under ``kind``.

    Parameters
    ----------
    role
        ``"source"`` or ``"sink"``.
    kind
        Name of the entry point, as a configuration writes it.

    Raises
    ------
    ConfigError
        When there is none; the message lists those there are.

    Examples
    --------
    >>> from streamrnn.io import find_connector
    >>> find_connector("source", "files").__name__
    'FileSource'
    """
    found = _registered(f"streamrnn.{role}s")
    if kind not in found:
        known = ", ".join(sorted(found)) or "none installed"
        raise ConfigError(f"[{role}] kind: there is no {role} connector {kind!r}. Known: {known}.")
    return found[kind].load()


def reached(position: Position, target: Position) -> bool:
    """Whether ``position`` lies at or behind ``target`` in its partition: how a run knows what an earlier one has written.

    Two ints are compared, and two texts that end in ``:number`` after the same start. Any other text is opaque: then only the
    very same one counts, and a source must see to it that ``next_position`` is the position of the record that follows.

    Parameters
    ----------
    position, target
        Both made by one source, of one partition.

    Examples
    --------
    >>> from streamrnn.io import reached
    >>> reached("f:12", "f:9"), reached(3, 4), reached("b", "a")
    (True, False, False)
    """
    if isinstance(position, int) and isinstance(target, int):
        return position >= target
    if isinstance(position, str) and isinstance(target, str):
        (start, _, number), (target_start, _, target_number) = position.rpartition(":"), target.rpartition(":")
        if start == target_start and number.isdecimal() and target_number.isdecimal():
            return int(number) >= int(target_number)
    return position == target


def nests_too_deep(record: bytes) -> bool:
    """Tell whether JSON is nested deeper than ``MAX_NESTING``: a decoder that recurses must not see it.

    Parameters
    ----------
    record
        JSON, or what claims to be.

    Examples
    --------
    >>> from streamrnn.io import nests_too_deep
    >>> nests_too_deep(b"[" * 64 + b"]" * 64), nests_too_deep(b"[" * 65), nests_too_deep(b'"' + b"[" * 65 + b'"')
    (False, True, False)
    """
    if record.count(b"[") + record.count(b"{") <= MAX_NESTING:
        return False
    depth = deepest = 0
    for bracket in _BRACKET.findall(_STRING.sub(b"", record)):
        depth += 1 if bracket in b"[{" else -1
        deepest = max(deepest, depth)
    return deepest > MAX_NESTING


def signed(value: float, text: str) -> float:
    """Return the number that ``text`` was read as, with the sign of its zero: -0.0 has one, the integer -0 has none.

    JSON readers take ``-0`` for the integer 0; so does every format, whichever way a record is read.

    Parameters
    ----------
    value
        ``float(text)``.
    text
        The number as it was written.

    Examples
    --------
    >>> from streamrnn.io import signed
    >>> [signed(float(text), text) for text in ("-0.0", "-0", "-0e0", "-2")]
    [-0.0, 0.0, -0.0, -2.0]
    """
    return value if value or not text.strip().lstrip("+-").isdecimal() else 0.0
