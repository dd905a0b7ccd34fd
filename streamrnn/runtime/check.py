"""Tries what a configuration names, without running it: the part of ``streamrnn check`` that touches the world."""

from __future__ import annotations

from streamrnn.config import Config
from streamrnn.errors import ConfigError, ModelChangedError, StreamrnnError, UnavailableError
from streamrnn.io import AttachedSink, Checkable, SnapshotStore, Source
from streamrnn.runtime.assemble import check_state, make_shards, make_sink, make_source
from streamrnn.runtime.models import model_kind

__all__ = ["try_parts", "try_together"]


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
    if not wrong and (getattr(config.source.options, "key", None) is not None or config.state.memory_mb is not None):
        tried.append(_memory(config))
    return tried, wrong


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


def _memory(config: Config) -> str:
    """Say what the series of a partition take, and how many fit."""
    names = tuple(getattr(config.source.options, "columns", ())) or ("value",)
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
