"""What a run has stored: ``streamrnn snapshot``. All but ``import`` reads alone; a run may go on meanwhile."""

from __future__ import annotations

import json
import time
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

from streamrnn.config import Config
from streamrnn.config_secrets import shown
from streamrnn.container import unpack
from streamrnn.engine.assemble import make_shards, make_sink, make_source
from streamrnn.engine.manifest import read_manifest
from streamrnn.engine.positions import start_of
from streamrnn.errors import ConfigError, GoneError, SourceError, StateError
from streamrnn.io import AttachedSink, Position, Sink, SnapshotStore, Source, StoredSnapshot
from streamrnn.safe_text import safe_text
from streamrnn.scorers.kinds import model_kind

__all__ = [
    "check_keeps",
    "chosen",
    "described",
    "handed_over",
    "listed",
    "other_numerics",
    "stored",
    "taken_in",
    "verified",
]


COMES_S = 30.0
"""How long to wait for a partition that a snapshot is taken in for."""


def stored(config: Config) -> Sequence[StoredSnapshot]:
    """Return the snapshots of a configuration's run, the newest of each partition first.

    Parameters
    ----------
    config
        A checked configuration.

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
    if isinstance(sink, AttachedSink):
        sink.attach(make_source(config))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is damaged is in the answer
        return sink.snapshots()


def _problem(one: StoredSnapshot) -> str | None:
    """Say what is wrong with a snapshot's bytes, or None."""
    if one.problem is not None:
        return one.problem
    try:
        read_manifest(one.data)
    except StateError as error:
        return str(error)
    return None


def listed(config: Config) -> list[str]:
    """Return a line for each snapshot: partition, name, position, events, keys, bytes, and whether it is good.

    Parameters
    ----------
    config
        A checked configuration.
    """
    rows = [("partition", "name", "position", "events", "keys", "bytes", "")]
    for one in stored(config):
        problem = _problem(one)
        manifest = None if problem else read_manifest(one.data)[0]
        rows.append((
            one.partition, one.name, str(one.position), "" if manifest is None else str(manifest.events),
            "" if manifest is None else str(manifest.held or len(manifest.keys) or ""),
            str(len(one.data)), "good" if problem is None else f"DAMAGED: {problem}",
        ))  # fmt: skip
    if len(rows) == 1:
        return ["There is no snapshot yet."]
    safe = [[safe_text(cell, isolate=False) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in safe) for i in range(len(safe[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in safe]


def chosen(config: Config, name: str | None, partition: str | None = None) -> StoredSnapshot:
    """Return the snapshot of this name, or the newest good one, of a partition where one is given.

    Parameters
    ----------
    config
        A checked configuration.
    name
        Of the snapshot; None: the newest good one.
    partition
        Of which; None: of any.

    Raises
    ------
    StateError
        When there is none, or it is damaged.
    """
    found = [one for one in stored(config) if partition in (None, one.partition)]
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
    """Return all of a snapshot but its numbers, as JSON.

    Parameters
    ----------
    one
        The snapshot.
    """
    read_manifest(one.data)
    manifest, blobs = unpack(one.data)
    keys = manifest.pop("keys", [])
    known: Any = shown("", manifest)  # parameters that are called secrets are not told, whoever's they were
    whole = {
        "partition": one.partition, "name": one.name, "position": one.position, "bytes": len(one.data), **known,
        "keys": manifest.get("held") or len(keys), "first_keys": keys[:20], "model_bytes": sum(map(len, blobs)),
    }  # fmt: skip
    return json.dumps(whole, indent=2, ensure_ascii=False)


def other_numerics(config: Config) -> str:
    """Say in what the newest good snapshot was computed otherwise than here; nothing where it was not, or there is none.

    Parameters
    ----------
    config
        A checked configuration.
    """
    newest = next((one for one in stored(config) if _problem(one) is None), None)
    if newest is None:
        return ""
    kind = model_kind(config.model.kind, config.model.options)
    return kind.numerics_changes(read_manifest(newest.data)[0].numerics)


def taken_in(
    config: Config,
    one: StoredSnapshot,
    *,
    partition: str | None = None,
    from_start: bool = False,
    skip_gap: bool = False,
) -> str:
    """Make a snapshot the one that the next run of a configuration starts from, and return the position it will read from.

    Parameters
    ----------
    config
        Of a run that has nothing stored yet of this partition (but for ``skip_gap``); it must not be running.
    one
        The snapshot.
    partition
        Whose it is from now on; None: as before.
    from_start
        Read the input from its beginning, instead of behind what the snapshot has seen.
    skip_gap
        Go on where the results of the run end, or at the oldest record there is: what lies between that and what the
        snapshot has seen is never learned, and where it was not scored yet never will be.

    Raises
    ------
    StateError
        When it does not fit the configuration, or the run has state already; with ``skip_gap``, when it has none.
    SourceError
        When the partition does not come, or ``from_start`` is asked of an empty input.
    ConfigError
        When ``[state] dir`` is missing.
    """
    name = partition or one.partition
    return str(handed_over(config, {name: one}, from_start=from_start, skip_gap=skip_gap)[name])


def handed_over(
    config: Config, ones: Mapping[str, StoredSnapshot], *, from_start: bool = False, skip_gap: bool = False
) -> dict[str, Position]:
    """Make snapshots those that the next run of a configuration starts from; return the position each partition will be read from.

    Parameters
    ----------
    config
        As for :func:`taken_in`.
    ones
        Snapshots, by the partition that each is for from now on.
    from_start, skip_gap
        As for :func:`taken_in`.

    Raises
    ------
    StateError
        As for :func:`taken_in`.
    SourceError
        As for :func:`taken_in`.
    ConfigError
        As for :func:`taken_in`.
    """
    for one in ones.values():
        make_shards(config)().restore(one.data)
    sink, source = make_sink(config), make_source(config)
    check_keeps(sink)
    if isinstance(sink, AttachedSink):
        sink.attach(source)
    done: dict[str, Position] = {}
    with source, sink:
        held: dict[str, Position] = {}
        end = time.monotonic() + COMES_S
        while True:
            poll = source.poll(1, 0.2)
            for name in [one for one in poll.assigned if one in ones]:
                held[name] = _place(sink, source, name, ones[name].position, from_start=from_start, skip_gap=skip_gap)
            for name in [one for one in held if one not in done]:
                first = next((start_of(block) for block in poll.blocks if block.partition == name), None)
                if from_start and first is None:
                    continue
                position = first if from_start and first is not None else held[name]
                sink.commit([], [], {name: position}, {name: ones[name].data})
                done[name] = position
            if len(done) == len(ones):
                return done
            if poll.ended or time.monotonic() > end:
                missing = ", ".join(repr(name) for name in ones if name not in held)
                raise SourceError(f"The input has {'no partition ' + missing if missing else 'no event'}.")


def check_keeps(sink: Sink) -> None:
    """Raise where a run keeps nothing that a next one could start from.

    Parameters
    ----------
    sink
        Of the run.

    Raises
    ------
    ConfigError
        When ``[state] dir`` is missing.
    """
    if not sink.keeps_state:
        raise ConfigError("[state] dir: is missing. Without it every run starts from nothing.")


def _place(sink: Sink, source: Source, name: str, position: Position, *, from_start: bool, skip_gap: bool) -> Position:
    """Return where reading is to go on; raise where a run has state already, or has none to skip from."""
    known = sink.restore(name)
    if (known is not None) != skip_gap:
        raise StateError(
            f"The run has state of partition {name!r} already. Start it anew with --fresh, or give it another place; "
            "where its input is gone: --skip-gap."
            if known is not None
            else f"The run has no state of partition {name!r}, so there is no gap. Leave --skip-gap out."
        )
    if known is not None:
        return _behind_gap(source, name, known.position)
    if not from_start:
        source.seek(name, position)  # which says whether the input holds it
    return position


def _behind_gap(source: Source, name: str, position: Position) -> Position:
    """Send the source to ``position``, or to the oldest record it has; return which."""
    try:
        source.seek(name, position)
    except GoneError as error:
        source.seek(name, error.first)
        return error.first
    return position


def verified(config: Config) -> tuple[list[str], bool]:
    """Restore every snapshot into a model and write it again: the bytes must be the same.

    Parameters
    ----------
    config
        A checked configuration.

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
        lines.append(safe_text(f"{one.name}: {'good' if said is None else said}", isolate=False))
        good = good and said is None
    return lines or ["There is no snapshot yet."], good
