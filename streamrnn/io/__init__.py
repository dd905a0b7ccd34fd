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

from streamrnn.io.capabilities import (
    AlarmSink,
    AttachedSink,
    Checkable,
    ChoosingSource,
    FeedbackSource,
    HasClient,
    HasFiles,
    LimitedSink,
    ReadableSink,
    Rereadable,
    RetainingSource,
    SnapshotStore,
    WholeLinesSink,
)
from streamrnn.io.context import CONTEXT_OPTIONS as CONTEXT_OPTIONS
from streamrnn.io.context import SinkContext, SourceContext
from streamrnn.io.events import AlarmEvent, Block, DeadLetter, Event, Poll, Position, reached
from streamrnn.io.feedback import Feedback, check_feedback_options, nested
from streamrnn.io.installed import connector_kinds, default_kind, example_names, find_connector, find_example
from streamrnn.io.letters import LetterLine as LetterLine
from streamrnn.io.letters import letter_line
from streamrnn.io.protocols import Sink, Source
from streamrnn.io.state import Restored, StoredSnapshot, restored_from, stored_row
from streamrnn.io.tally import Tally
from streamrnn.io.text import MARKS as MARKS
from streamrnn.io.text import MAX_NESTING as MAX_NESTING
from streamrnn.io.text import MISSING as MISSING
from streamrnn.io.text import json_of, kind_of, nests_too_deep, signed
from streamrnn.pieces import Pieces, in_pieces

__all__ = [
    "AlarmEvent",
    "AlarmSink",
    "AttachedSink",
    "Block",
    "Checkable",
    "ChoosingSource",
    "DeadLetter",
    "Event",
    "Feedback",
    "FeedbackSource",
    "HasClient",
    "HasFiles",
    "LimitedSink",
    "Pieces",
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
    "Tally",
    "WholeLinesSink",
    "check_feedback_options",
    "connector_kinds",
    "default_kind",
    "example_names",
    "find_connector",
    "find_example",
    "in_pieces",
    "json_of",
    "kind_of",
    "letter_line",
    "nested",
    "nests_too_deep",
    "reached",
    "restored_from",
    "signed",
    "stored_row",
]
