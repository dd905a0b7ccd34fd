"""What the snapshot of a shard says of itself, checked as a whole before anything is made of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from streamrnn.container import unpack
from streamrnn.engine.episodes import Episode
from streamrnn.engine.local_times import WrittenTimes
from streamrnn.engine.silence import Clock, Report
from streamrnn.engine.window_state import WrittenWindows
from streamrnn.errors import ModelChangedError, StateError

__all__ = ["ShardManifest", "WrittenModel", "check_shared", "manifest_of", "read_manifest"]

Count = Annotated[int, msgspec.Meta(ge=0, le=2**60)]


class WrittenModel(msgspec.Struct, frozen=True):
    """Kind and parameters of the model that was written.

    Parameters
    ----------
    kind
        The name of the model, as in ``[model] kind``.
    parameters
        Its parameters by name, as JSON can hold them.
    """

    kind: str
    parameters: dict[str, Any]


class ShardManifest(msgspec.Struct, frozen=True, kw_only=True):
    """The manifest of a shard, see :meth:`streamrnn.engine.shard.Shard.snapshot_pieces`.

    Parameters
    ----------
    model
        The model that was written.
    events, alarms, evicted
        Counters of the shard.
    keys
        Those held, the one unseen for longest first; where they share one net, those that an output for alarms follows.
    numerics
        What the last bits were computed with.
    forecast, period
        The horizon in events, 0: nothing is forecast; and the seasons given, none where they are found.
    columns
        Each with the events that were learned before it came.
    unwritten
        Events whose results the sink could not take.
    shared, held
        Whether the keys share one net; then, how many there are.
    episodes
        The episodes that are open, each with the place of its key in ``keys``.
    clock
        How far the partition's time has come.
    reports
        When each key reported last, in the order of ``keys``; empty where silence is no alarm.
    windows
        The windows that are open; None: records are events.
    times
        What is known of local times; None: times are passed on as they are written.
    content
        What the container holds.
    """

    model: WrittenModel
    events: Count
    alarms: Count
    evicted: Count
    keys: list[str | None]
    numerics: dict[str, str]
    forecast: Count
    period: list[Count]
    columns: dict[str, Count]
    unwritten: Count
    shared: bool = False
    held: Count = 0
    episodes: list[tuple[Count, Episode]] = []
    clock: Clock = msgspec.field(default_factory=Clock)
    reports: list[Report] = []
    windows: WrittenWindows | None = None
    times: WrittenTimes | None = None
    content: Literal["shard"] = "shard"


def check_shared(shares: bool, written: ShardManifest) -> None:
    """Raise where keys share a net now and did not when a snapshot was written, or the other way round.

    Parameters
    ----------
    shares
        Whether they do now.
    written
        The snapshot.

    Raises
    ------
    ModelChangedError
        With what to set.
    """
    if shares is written.shared:
        return
    then, now = (
        ("one net for all keys", "a net for each key") if written.shared else ("a net for each key", "one for all")
    )
    raise ModelChangedError(
        f"The snapshot was written with {then}, and the configuration asks for {now}. Set [model] share = "
        f"'{'net' if written.shared else 'none'}', let a new model go on with [state] on_change = 'fresh', or start anew with --fresh."
    )


def manifest_of(shard: ShardManifest) -> dict[str, Any]:
    """Return a manifest as an object of JSON.

    Parameters
    ----------
    shard
        What it says.
    """
    found: dict[str, Any] = msgspec.to_builtins(shard)
    return found


def read_manifest(data: bytes) -> tuple[ShardManifest, list[bytes]]:
    """Return what the snapshot of a shard says of itself, and its blobs: of each key as many.

    Parameters
    ----------
    data
        A whole snapshot.

    Raises
    ------
    StateError
        When it is damaged, or something else.

    Examples
    --------
    >>> from streamrnn.container import pack
    >>> from streamrnn.engine.manifest import read_manifest
    >>> read_manifest(pack({"content": "export"}, []))
    Traceback (most recent call last):
    ...
    streamrnn.errors.StateError: The snapshot lacks what this release needs: Invalid enum value 'export' - at `$.content`.
    """
    found, blobs = unpack(data)
    try:
        manifest = msgspec.convert(found, ShardManifest)
    except msgspec.ValidationError as error:
        raise StateError(f"The snapshot lacks what this release needs: {str(error)[:200]}.") from error
    if not manifest.shared and len(blobs) % max(1, len(manifest.keys)):
        raise StateError("The snapshot's keys do not fit its content.")
    if any(place >= len(manifest.keys) for place, _ in manifest.episodes):
        raise StateError("The snapshot holds an episode of a key that it does not hold.")
    if len(manifest.reports) not in (0, len(manifest.keys)):
        raise StateError("The snapshot's reports do not fit its keys.")
    if len(set(manifest.keys)) != len(manifest.keys):
        raise StateError("The snapshot holds a key twice.")
    return manifest, blobs
