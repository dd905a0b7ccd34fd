"""Alarms of one key that belong together: one episode, with a start, an end and a peak, as events of an output of their own."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Sequence
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamrnn.engine.fields import Cell, Time
from streamrnn.io import AlarmEvent, Block, Position
from streamrnn.kernels.anomaly.views import VIEWS
from streamrnn.scorers.scored import Scored

__all__ = [
    "ALARMS",
    "Columns",
    "Episode",
    "Moment",
    "Silence",
    "columns_of",
    "follow",
    "moment_of",
    "number_of",
    "silence_event",
]

KEY_CHARACTERS = 1024
"""Of a key that an alarm event shows: results hold the whole of it."""

Count = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]


class Moment(msgspec.Struct, frozen=True):
    """One event of an episode, as its alarm shows it.

    Parameters
    ----------
    position, time
        Of the event.
    score, severity
        Its score, and how severe it is, by which alarms can be sorted; None where the model does not say.
    feature, view
        Which feature decided, and which view of it; None where the model does not say.
    value, prediction
        Of that feature: what came, and what was expected; None where it is missing.
    """

    position: Position
    time: Time = None  # as the input wrote it, a whole number too
    score: float | None = None
    severity: float | None = None
    feature: str | None = None
    view: str | None = None
    value: Cell = None
    prediction: float | None = None


class Silence(msgspec.Struct, frozen=True):
    """The event that shows that a key is silent, or that it reports again, as its alarm shows it.

    Parameters
    ----------
    view
        Says that this is about silence.
    position, time
        Of the event: where a silence starts, of another key most likely.
    last_s
        When the key had reported last, in seconds since 1970.
    """

    view: Literal["silence"]
    position: Position
    time: Time
    last_s: float | None


class _Alarm(msgspec.Struct, frozen=True):
    """What every alarm begins with."""

    id: Annotated[str, msgspec.Meta(description="The same for the same alarm, however often it is computed.")]
    event: Literal["start", "end"]
    partition: Annotated[str, msgspec.Meta(description="Of the input.")]
    key: Annotated[
        str | None, msgspec.Meta(description="The first 1024 characters; null where the stream is a single series.")
    ]


class _Start(_Alarm, frozen=True):
    """An episode starts, with the event that alarmed."""

    event: Literal["start"]
    start: Moment


class _End(_Alarm, frozen=True):
    """An episode has ended: its first, its most severe and its last event; how many of its events alarmed, and how many it had."""

    event: Literal["end"]
    start: Moment
    peak: Moment
    end: Moment
    alarms: Count
    events: Count


class _SilenceStart(_Alarm, frozen=True):
    """A key has not reported for too long."""

    event: Literal["start"]
    start: Silence


class _SilenceEnd(_Alarm, frozen=True):
    """A key that was silent reports again."""

    event: Literal["end"]
    end: Silence


ALARMS: tuple[type[_Alarm], ...] = (_Start, _End, _SilenceStart, _SilenceEnd)
"""What an alarm may be. The JSON Schema of alarms comes from here."""


class Episode(msgspec.Struct):
    """An episode that has begun and not ended.

    Parameters
    ----------
    start
        Its first alarm.
    peak
        Its most severe event: by the score, where the model does not say.
    last
        Its last event that alarmed, or lasted.
    alarms
        How many events of it alarmed.
    events
        Events of the key from the first alarm to the last one.
    quiet
        Events of the key since the last one.
    """

    start: Moment
    peak: Moment
    last: Moment
    alarms: Count = 1
    events: Count = 1
    quiet: Count = 0


class Columns(NamedTuple):
    """What alarms show, for a block.

    Parameters
    ----------
    block, scored
        Events, and their results.
    features, views
        Of each event the column that decided and the view of it, -1 for none; None where the model does not say.
    lasting
        Of each event how long a change lasts, 0 for none; None where the model does not say.
    severities
        Of each event how severe it is; None where the model does not say.
    observed
        Of each event the values that were compared with the predictions.
    """

    block: Block
    scored: Scored
    features: Sequence[int] | None
    views: Sequence[int] | None
    lasting: Sequence[float] | None
    severities: Sequence[float] | None
    observed: NDArray[np.float64]


def follow(
    episode: Episode | None, rows: Sequence[int], columns: Columns, key: str | None, quiet: int
) -> tuple[Episode | None, list[tuple[int, AlarmEvent]]]:
    """Take the events of one key into its episode.

    An alarm opens an episode. It ends with the event that is the ``quiet``-th in a row without an alarm, or, where the model says
    that a change lasts (``since``), without one that belongs to it. All of it hangs on the events in their order alone.

    Parameters
    ----------
    episode
        That of the key, or None where none is open.
    rows
        The key's rows of the block.
    columns
        Of the block, see :func:`columns_of`.
    key
        The key.
    quiet
        Events without an alarm after which an episode has ended, >= 1.

    Returns
    -------
    tuple
        The episode that is open now, or None, and what began and ended, each with the row of its event.

    Examples
    --------
    >>> import numpy as np
    >>> from streamrnn.engine.episodes import columns_of, follow
    >>> from streamrnn.io import Block
    >>> from streamrnn.scorers.scored import Scored
    >>> block = Block(("flow",), np.array([[1.0], [9.0], [1.0], [1.0]]), (0, 1, 2, 3), 4)
    >>> scored = Scored(np.array([0.0, 0.9, 0.1, 0.0]), np.ones((4, 1)), [False, True, False, False], [1.0] * 4)
    >>> _, found = follow(None, range(4), columns_of(block, scored), None, quiet=2)
    >>> [(row, one.data.decode()[33:50]) for row, one in found]
    [(1, '"event":"start","'), (3, '"event":"end","pa')]
    """
    found: list[tuple[int, AlarmEvent]] = []
    alarms, partition = columns.scored.alarms, columns.block.partition
    for i in rows:
        if episode is None:
            if alarms[i]:
                episode = _begun(columns, i)
                found.append((i, _event("start", partition, key, episode)))
        elif _ends(episode, columns, i, quiet):
            found.append((i, _event("end", partition, key, episode)))
            episode = None
    return episode, found


def _ends(episode: Episode, columns: Columns, i: int, quiet: int) -> bool:
    """Take an event into its key's episode; return whether the episode has ended with it."""
    lasting = columns.lasting is not None and columns.lasting[i] > 0.0
    alarm = columns.scored.alarms[i]
    if _height(columns, i) > _rank(episode.peak):
        episode.peak = moment_of(columns, i)
    if not alarm and not lasting:
        episode.quiet += 1
        return episode.quiet >= quiet
    episode.last = moment_of(columns, i)
    episode.events += episode.quiet + 1
    episode.alarms += alarm
    episode.quiet = 0
    return False


def silence_event(event: str, key: str | None, block: Block, i: int, last: float | None) -> AlarmEvent:
    """Return the start or the end of a silence.

    Parameters
    ----------
    event
        ``"start"`` or ``"end"``.
    key
        That is silent, or was.
    block
        Of the event that shows it: for a start that of another key, most likely.
    i
        Its row.
    last
        When the key reported last before it, in seconds.
    """
    when = None if block.times is None else block.times[i]
    kind = _SilenceStart if event == "start" else _SilenceEnd
    known_by = ["silence", block.positions[i], when]
    return _made(kind, event, block.partition, key, known_by, Silence("silence", block.positions[i], when, last))


def columns_of(block: Block, scored: Scored) -> Columns:
    """Return what alarms show of a block.

    Parameters
    ----------
    block, scored
        Events, and their results.
    """
    details = scored.details
    features, views, since, severe = (details.get(name) for name in ("feature", "view", "since", "severity"))
    return Columns(
        block,
        scored,
        None if features is None else features.tolist(),
        None if views is None else views.tolist(),
        None if since is None else since.tolist(),
        None if severe is None else severe.tolist(),
        scored.observed(block.values),
    )


def _height(columns: Columns, i: int) -> float:
    """Return what peaks are compared by."""
    value = columns.scored.scores[i] if columns.severities is None else columns.severities[i]
    return -math.inf if math.isnan(value) else float(value)


def _rank(moment: Moment) -> float:
    value = moment.score if moment.severity is None else moment.severity
    return -math.inf if value is None else value


def number_of(value: float) -> float | None:
    """Return a number as alarms hold it: None where it is missing or infinite.

    Parameters
    ----------
    value
        NaN where it is missing.
    """
    return float(value) if math.isfinite(value) else None


def _value(value: float) -> Cell:
    """Return what came as results hold it: infinity as text."""
    if math.isinf(value):
        return "Infinity" if value > 0.0 else "-Infinity"
    return number_of(value)


def moment_of(columns: Columns, i: int) -> Moment:
    """Return an event as an alarm shows it.

    Parameters
    ----------
    columns
        Of its block.
    i
        Its row.
    """
    block, scored = columns.block, columns.scored
    if scored.label is not None:
        at = scored.column(block.names)
    elif columns.features is not None:
        at = columns.features[i]
    else:
        at = 0 if len(block.names) == 1 else -1
    named = 0 <= at < len(block.names)
    view = -1 if columns.views is None else columns.views[i]
    return Moment(
        block.positions[i],
        None if block.times is None else block.times[i],
        number_of(scored.scores[i]),
        None if columns.severities is None else number_of(columns.severities[i]),
        block.names[at] if named else None,
        VIEWS[view] if 0 <= view < len(VIEWS) else None,
        _value(columns.observed[i, at]) if named else None,
        number_of(scored.predictions[i, at]) if named else None,
    )


def _begun(columns: Columns, i: int) -> Episode:
    first = moment_of(columns, i)
    return Episode(first, first, first)


def _event(event: str, partition: str, key: str | None, episode: Episode) -> AlarmEvent:
    start, known_by = episode.start, [episode.start.position, episode.start.time]
    if event == "start":
        return _made(_Start, event, partition, key, known_by, start)
    more = episode.peak, episode.last, episode.alarms, episode.events
    return _made(_End, event, partition, key, known_by, start, *more)


def _made(
    kind: type[_Alarm], event: str, partition: str, key: str | None, known_by: list[Any], *fields: Any
) -> AlarmEvent:
    shown = None if key is None else key[:KEY_CHARACTERS]
    told = msgspec.json.encode([partition, key, *known_by, event])
    name = hashlib.sha256(told).hexdigest()[:24]
    return AlarmEvent(name, msgspec.json.encode(kind(name, event, partition, shown, *fields)), partition, shown)  # type: ignore[arg-type]
