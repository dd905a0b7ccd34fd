"""Tries what a configuration names, without running it: the part of ``streamrnn check`` that touches the world."""

from __future__ import annotations

import contextlib
import time

import numpy as np

from streamrnn.config import Config
from streamrnn.engine.assemble import (
    check_feedback,
    check_share,
    check_state,
    check_windows,
    is_keyed,
    make_shards,
    make_sink,
    make_source,
)
from streamrnn.engine.fit import check_columns, check_fit
from streamrnn.engine.pace import POLL_S
from streamrnn.engine.panes import COUNT
from streamrnn.engine.positions import cut, distance
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, GoneError, ModelChangedError, StreamrnnError, UnavailableError
from streamrnn.io import (
    AttachedSink,
    Block,
    Checkable,
    DeadLetter,
    LimitedSink,
    Position,
    Rereadable,
    RetainingSource,
    SnapshotStore,
    Source,
    StoredSnapshot,
    reached,
)
from streamrnn.scorers.kinds import model_kind

__all__ = ["try_parts", "try_together"]

PEEK_EVENTS = 16  # of the input that a model is tried with
PEEK_S = 5.0  # longest wait for them


def try_parts(config: Config) -> tuple[list[str], list[StreamrnnError]]:
    """Ask source and sink whether they would work, and try the newest snapshots.

    Parameters
    ----------
    config
        A checked configuration.

    Returns
    -------
    tuple
        What was tried, in words; and what is wrong, all of it.
    """
    tried: list[str] = []
    wrong: list[StreamrnnError] = []
    source: Source | None = None
    for role, make in (("source", make_source), ("sink", make_sink)):
        try:
            part = make(config)
        except ConfigError as error:
            wrong.append(error)
            continue
        if role == "source":
            source = part
        if isinstance(part, AttachedSink):
            if source is None:
                continue  # whose fault is told already
            try:
                part.attach(source)
            except ConfigError as error:
                wrong.append(error)
                continue
        if isinstance(part, AttachedSink) and any(isinstance(error, UnavailableError) for error in wrong):
            tried.append("sink: not tried")
        elif isinstance(part, Checkable):
            found = part.check()
            known = {str(error) for error in wrong}  # one broker that is away is one error, not one for each role
            wrong += [error for error in found if str(error) not in known]
            tried.append(f"{role}: {'not good' if found else 'good'}")
        else:
            tried.append(f"{role}: the connector {getattr(config, role).kind!r} has no way to try it")
        if role == "sink" and isinstance(part, SnapshotStore) and not wrong:
            tried += _try_stored(config, part, source, wrong)
    if not wrong and source is not None:
        _try_events(config, source, tried, wrong)
    return tried, wrong


def _keyed(config: Config) -> bool:
    """Whether a partition holds many keys, or their memory is limited."""
    return is_keyed(config) or config.state.memory_mb is not None


def _try_stored(config: Config, store: SnapshotStore, source: Source | None, wrong: list[StreamrnnError]) -> list[str]:
    """Try the newest good snapshot of each partition: as a run would restore it, read on behind it, and write it again."""
    newest: dict[str, StoredSnapshot] = {}
    try:
        for one in store.snapshots():
            if one.problem is None:
                newest.setdefault(one.partition, one)
    except StreamrnnError as error:
        wrong.append(error)
        return ["snapshot: not good"]
    tried = [_try_snapshots(config, newest, wrong)]
    if not wrong and isinstance(source, Rereadable):
        tried += _try_retention(source, newest, wrong)
    if not wrong and isinstance(store, LimitedSink):
        tried += _try_size(config, store, newest)
    return tried


def _try_retention(source: Rereadable, newest: dict[str, StoredSnapshot], wrong: list[StreamrnnError]) -> list[str]:
    """Say where the input begins behind a snapshot, or soon will."""
    outside = source.reread()
    if not newest or not isinstance(outside, RetainingSource):
        return []
    said: list[str] = []
    try:
        with outside:
            for name, one in newest.items():
                held = outside.retained(name)
                if held is None:
                    continue
                if not reached(one.position, held[0]):
                    wrong.append(_gone(one, held[0]))
                elif _nears(held, one.position):
                    said.append(
                        f"retention: the input of {name} begins at {held[0]}, close to its newest snapshot, from position "
                        f"{one.position}, and ends at {held[1]}. Keep records for longer, or let snapshots be taken more often "
                        "([state] every, every_s)."
                    )
    except StreamrnnError as error:
        wrong.append(error)
    return said


def _nears(held: tuple[Position, Position], position: Position) -> bool:
    """Whether an input that has lost records before holds less than a quarter of its own before ``position``."""
    before, all_of_it = distance(held[0], position), distance(*held)
    return bool(held[0]) and before is not None and all_of_it is not None and 4 * before < all_of_it


def _gone(one: StoredSnapshot, first: Position) -> GoneError:
    return GoneError(
        f"The newest snapshot of partition {one.partition!r} is from position {one.position}, and the input begins at {first}: "
        f"the run would refuse to start. To keep what was learned: streamrnn snapshot export CONFIG FILE --partition "
        f"{one.partition}, then streamrnn snapshot import CONFIG FILE --skip-gap. --fresh forgets it.",
        first,
    )


def _try_size(config: Config, sink: LimitedSink, newest: dict[str, StoredSnapshot]) -> list[str]:
    """Say where the snapshots that must be expected are more than the sink takes at once: at the end, that is all of them."""
    expected = sum(len(one.data) for one in newest.values())
    if _keyed(config):
        expected = max(expected, _room(config, _named(config) or ("value",))[1])
    why = sink.too_large(expected)
    return [] if why is None else [f"snapshot size: {why}"]


def _try_events(config: Config, source: Source, tried: list[str], wrong: list[StreamrnnError]) -> None:
    """See whether the model fits the first events of the input, as far as those can be had beforehand."""
    kind = model_kind(config.model.kind, config.model.options)
    block, bad = _first_block(source)
    names = _named(config) or (("value",) if block is None else block.names)
    try:
        if block is not None:
            block = next(make_shards(config)().gather(block)).block
            names = block.names
            check_fit(kind, block, config.forecast, config.alarm)
            if not kind.numerics:  # ours have been tried by their makers; to compile one takes long
                Shard(kind, config.alarm).score(cut(block, 0, min(len(block), PEEK_EVENTS)))
            tried.append("model: good with the first events")
        elif bad is not None:
            tried.append(
                f"model: not tried, for none of the first records could become an event ({bad.reason.rstrip('.')})"
            )
    except StreamrnnError as error:
        wrong.append(error)
        tried.append("model: not good")
    else:
        if _keyed(config):
            tried.append(_memory(config, names))


def _first_block(source: Source) -> tuple[Block | None, DeadLetter | None]:
    """Return some of the first events of the input, read beside any run, and a record that is none; None where there are none in time."""
    bad: DeadLetter | None = None
    if not isinstance(source, Rereadable):
        return None, bad
    end = time.monotonic() + PEEK_S
    with contextlib.suppress(StreamrnnError), source.reread() as again:
        while time.monotonic() < end:
            poll = again.poll(PEEK_EVENTS, POLL_S)
            if found := [block for block in poll.blocks if len(block)]:
                return found[0], bad
            bad = next((letter for block in poll.blocks for letter in block.dead_letters), bad)
            if poll.ended:
                break
    return None, bad


def _named(config: Config) -> tuple[str, ...]:
    """Return the columns of events that the configuration names itself; () where it leaves them to the input."""
    names = tuple(getattr(config.source.options, "columns", None) or ())
    return (COUNT,) if config.records.windows and config.records.aggregate == COUNT else names


def _check_named(config: Config, *, foreign: bool) -> None:
    """Raise where a model needs a column that is not among those named: no look at the input is needed for that."""
    kind, names = model_kind(config.model.kind, config.model.options, foreign=foreign), _named(config)
    time_name = getattr(config.source.options, "time", None)
    problems = check_columns(kind, names, config.forecast, config.alarm) if names else []
    if names and time_name and kind.time not in (None, time_name, *names):
        block = Block(names, np.empty((0, len(names))), (), 0, times=(), time_name=time_name)
        try:
            check_fit(kind, block, config.forecast, config.alarm)
        except ConfigError as error:
            problems = error.problems
    if problems:
        raise ConfigError(problems)


def try_together(config: Config, *, foreign: bool = True) -> None:
    """Raise where the run would refuse how its tables go together: what needs no look at the world.

    Parameters
    ----------
    config
        A checked configuration.
    foreign
        Whether the user's own ``module:factory`` may be imported and run.

    Raises
    ------
    ConfigError
        See :func:`streamrnn.engine.assemble.check_state` and :func:`streamrnn.engine.assemble.make_sink`.
    """
    problems: list[str] = []
    for try_it in (
        lambda: make_source(config),
        lambda: check_state(
            config, model_kind(config.model.kind, config.model.options, foreign=foreign), make_sink(config)
        ),
        lambda: check_windows(config, model_kind(config.model.kind, config.model.options, foreign=foreign)),
        lambda: check_share(config, model_kind(config.model.kind, config.model.options, foreign=foreign)),
        lambda: check_feedback(config, model_kind(config.model.kind, config.model.options, foreign=foreign)),
        lambda: _check_named(config, foreign=foreign),
    ):
        try:
            try_it()
        except ConfigError as error:
            problems += [problem for problem in error.problems if problem not in problems]
    if problems:
        raise ConfigError(problems)


def _memory(config: Config, names: tuple[str, ...]) -> str:
    """Say what the keys of a partition take, and how many fit."""
    each, held = _room(config, names)
    room = held // each
    keeps = config.state.mode == "snapshot" and make_sink(config).keeps_state
    values = f"{len(names)} value{'s' if len(names) > 1 else ''}"
    return (
        f"memory: a key with {values} takes {each / 1000:,.0f} KB; there is room for {room:,}, {held / 1e6:,.0f} MB for each "
        f"partition{', and as much again for its snapshots' if keeps else ''}"
    )


def _room(config: Config, names: tuple[str, ...]) -> tuple[int, int]:
    """Return the bytes that a key takes, and those of all that a partition may hold."""
    shard = make_shards(config)()
    each = shard.key_bytes(names)
    return each, each * shard.room_for(names)


def _try_snapshots(config: Config, newest: dict[str, StoredSnapshot], wrong: list[StreamrnnError]) -> str:
    """Restore the newest snapshot of each partition, as a run would."""
    try:
        make = make_shards(config)
        for one in newest.values():
            make().restore(one.data)
    except ModelChangedError as error:
        if config.state.on_change == "fresh":
            return "snapshot: of another model; a new one would go on"
        wrong.append(error)
    except StreamrnnError as error:
        wrong.append(error)
    else:
        return f"snapshot: {'good' if newest else 'none yet'}"
    return "snapshot: not good"
