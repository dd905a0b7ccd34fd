"""Tries what a configuration names, without running it: the part of ``streamrnn check`` that touches the world."""

from __future__ import annotations

import contextlib
import time

import numpy as np

from streamrnn.config import Config
from streamrnn.errors import ConfigError, ModelChangedError, StreamrnnError, UnavailableError
from streamrnn.io import AttachedSink, Block, Checkable, DeadLetter, Rereadable, SnapshotStore, Source
from streamrnn.runtime.assemble import check_state, make_shards, make_sink, make_source
from streamrnn.runtime.fit import check_columns, check_fit
from streamrnn.runtime.loop import POLL_S
from streamrnn.runtime.models import model_kind
from streamrnn.runtime.places import cut
from streamrnn.runtime.shard import Shard

__all__ = ["try_parts", "try_together"]

PEEK_EVENTS = 16  # of the input that a model is tried with
PEEK_S = 5.0  # longest wait for them


def try_parts(config: Config) -> tuple[list[str], list[StreamrnnError]]:
    """Ask source and sink whether they would work, and try the newest snapshots.

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
        if role == "sink" and _same_place(config) and any(isinstance(error, UnavailableError) for error in wrong):
            tried.append("sink: not tried")
        elif isinstance(part, Checkable):
            found = part.check()
            known = {str(error) for error in wrong}  # one broker that is away is one error, not one for each role
            wrong += [error for error in found if str(error) not in known]
            tried.append(f"{role}: {'not good' if found else 'good'}")
        else:
            tried.append(f"{role}: the connector {getattr(config, role).kind!r} has no way to try it")
        if role == "sink" and isinstance(part, SnapshotStore) and not wrong:
            tried.append(_try_snapshots(config, part, wrong))
    if not wrong and source is not None:
        _try_events(config, source, tried, wrong)
    return tried, wrong


def _try_events(config: Config, source: Source, tried: list[str], wrong: list[StreamrnnError]) -> None:
    """See whether the model fits the first events of the input, as far as those can be had beforehand."""
    kind = model_kind(config.model.kind, config.model.options)
    block, bad = _first_block(source)
    names = _named(config) or (("value",) if block is None else block.names)
    try:
        if block is not None:
            names = block.names
            check_fit(kind, block)
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
        if getattr(config.source.options, "key", None) is not None or config.state.memory_mb is not None:
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
    """Return the columns that the configuration names itself; () where it leaves them to the input."""
    return tuple(getattr(config.source.options, "columns", None) or ())


def _check_named(config: Config, *, foreign: bool) -> None:
    """Raise where a model needs a column that is not among those named: no look at the input is needed for that."""
    kind, names = model_kind(config.model.kind, config.model.options, foreign=foreign), _named(config)
    time_name = getattr(config.source.options, "time", None)
    problems = check_columns(kind, names) if names else []
    if names and time_name and kind.time not in (None, time_name, *names):
        block = Block(names, np.empty((0, len(names))), (), 0, times=(), time_name=time_name)
        try:
            check_fit(kind, block)
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
        See :func:`streamrnn.runtime.assemble.check_state` and :func:`streamrnn.runtime.assemble.make_sink`.
    """
    problems: list[str] = []
    for try_it in (
        lambda: check_state(config, model_kind(config.model.kind, config.model.options, foreign=foreign)),
        lambda: make_sink(config),
        lambda: _check_named(config, foreign=foreign),
    ):
        try:
            try_it()
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)


def _same_place(config: Config) -> bool:
    """Whether source and sink are at the same servers: where they do not answer the one, the other need not wait for them."""
    source, sink = (getattr(part.options, "servers", None) for part in (config.source, config.sink))
    return source is not None and hasattr(config.sink.options, "servers") and sink in (source, None, "")


def _memory(config: Config, names: tuple[str, ...]) -> str:
    """Say what the series of a partition take, and how many fit."""
    shard = make_shards(config)()
    each, room = shard.series_bytes(names), shard.room_for(names)
    keeps = config.state.mode == "snapshot" and (config.state.dir is not None or config.sink.kind != "files")
    values = f"{len(names)} value{'s' if len(names) > 1 else ''}"
    return (
        f"memory: a series of {values} takes {each / 1000:,.0f} KB; there is room for {room:,}, {each * room / 1e6:,.0f} MB for each "
        f"partition{', and as much again for its snapshots' if keeps else ''}"
    )


def _try_snapshots(config: Config, store: SnapshotStore, wrong: list[StreamrnnError]) -> str:
    """Restore the newest snapshot of each partition, as a run would."""
    try:
        newest: dict[str, bytes] = {}
        for one in store.snapshots():
            if one.problem is None:
                newest.setdefault(one.partition, one.data)
        make = make_shards(config)
        for data in newest.values():
            make().restore(data)
    except ModelChangedError as error:
        if config.state.on_change == "fresh":
            return "snapshot: of another model; a new one would go on"
        wrong.append(error)
    except StreamrnnError as error:
        wrong.append(error)
    else:
        return f"snapshot: {'good' if newest else 'none yet'}"
    return "snapshot: not good"
