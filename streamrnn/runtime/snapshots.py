"""Looking at what a run has stored: ``streamrnn snapshot``. Reads alone; a run may go on meanwhile."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from streamrnn.config import Config
from streamrnn.errors import ConfigError, SinkError, StateError
from streamrnn.io import SnapshotStore, StoredSnapshot
from streamrnn.runtime.assemble import make_shards, make_sink
from streamrnn.runtime.container import unpack

__all__ = ["chosen", "described", "export", "listed", "stored", "verified"]


def stored(config: Config) -> Sequence[StoredSnapshot]:
    """Return the snapshots of a configuration's run, the newest of each partition first.

    Raises
    ------
    ConfigError
        When its sink keeps none that can be looked at.
    StateError
        When the store is damaged.
    """
    sink = make_sink(config)
    if not isinstance(sink, SnapshotStore):
        raise ConfigError(f"[sink] kind: the connector {config.sink.kind!r} has no snapshots that can be looked at.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is damaged is in the answer
        return sink.snapshots()


def _problem(one: StoredSnapshot) -> str | None:
    """Say what is wrong with a snapshot's bytes, or None."""
    if one.problem is not None:
        return one.problem
    try:
        unpack(one.data)
    except StateError as error:
        return str(error)
    return None


def listed(config: Config) -> list[str]:
    """Return a line for each snapshot: partition, name, position, events, keys, bytes, and whether it is good."""
    rows = [("partition", "name", "position", "events", "keys", "bytes", "")]
    for one in stored(config):
        problem = _problem(one)
        manifest: dict[str, Any] = {} if problem else unpack(one.data)[0]
        rows.append((
            one.partition, one.name, str(one.position), str(manifest.get("events", "")), str(len(manifest.get("keys", "")) or ""),
            str(len(one.data)), "good" if problem is None else f"DAMAGED: {problem}",
        ))  # fmt: skip
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def chosen(config: Config, name: str | None) -> StoredSnapshot:
    """Return the snapshot of this name, or the newest good one.

    Raises
    ------
    StateError
        When there is none, or it is damaged.
    """
    found = stored(config)
    if name is not None:
        named = [one for one in found if one.name == name]
        if not named:
            known = ", ".join(one.name for one in found) or "none"
            raise StateError(f"There is no snapshot {name!r}. There is: {known}.")
        if problem := _problem(named[0]):
            raise StateError(f"The snapshot {name!r} is damaged: {problem}")
        return named[0]
    good = [one for one in found if _problem(one) is None]
    if not good:
        raise StateError("There is no good snapshot." if found else "There is no snapshot yet.")
    return good[0]


def described(one: StoredSnapshot) -> str:
    """Return all of a snapshot but its numbers, as JSON."""
    manifest, blobs = unpack(one.data)
    keys = manifest.pop("keys", [])
    shown = {
        "partition": one.partition, "name": one.name, "position": one.position, "bytes": len(one.data), **manifest,
        "keys": len(keys), "first_keys": keys[:20], "model_bytes": sum(map(len, blobs[1::2])),
    }  # fmt: skip
    return msgspec.json.format(msgspec.json.encode(shown), indent=2).decode()


def export(one: StoredSnapshot, path: str) -> None:
    """Write a snapshot's bytes to a file, whole or not at all.

    Raises
    ------
    SinkError
        When it cannot be written.
    """
    place = Path(path)
    beside = place.with_name(place.name + ".tmp")
    try:
        with beside.open("wb") as file:
            file.write(one.data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except OSError as error:
        raise SinkError(f"The snapshot cannot be written to {path!r}: {error.strerror}.") from error


def verified(config: Config) -> tuple[list[str], bool]:
    """Restore every snapshot into a model and write it again: the bytes must be the same.

    Returns
    -------
    tuple
        A line for each snapshot, and whether all are good.
    """
    make = make_shards(config)
    lines, good = [], True
    for one in stored(config):
        said = one.problem
        if said is None:
            try:
                shard = make()
                shard.restore(one.data)
                again = unpack(shard.snapshot())
                written = unpack(one.data)
                again[0]["numerics"] = written[0].get("numerics")
                said = None if again == written else "restored and written again it is another one"
            except StateError as error:
                said = str(error)
        lines.append(f"{one.name}: {'good' if said is None else said}")
        good = good and said is None
    return lines or ["There is no snapshot yet."], good
