"""``streamrnn replay``: a file, or a stretch of a configuration's input, through a new model or an exported snapshot.

Results go to standard output; nothing is kept, and nothing of a run that may go on meanwhile is changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from streamrnn import config as configs
from streamrnn.commands.export import read_export
from streamrnn.commands.verify import Stretch, reread
from streamrnn.config import Config, DeadLetters, Named, State, checked_table
from streamrnn.container import unpack
from streamrnn.engine.assemble import make_shards, make_sink, make_source, replay_tables
from streamrnn.engine.loop import Runtime
from streamrnn.engine.shard import Shard
from streamrnn.errors import StateError, UsageError
from streamrnn.io import Position, Source, StoredSnapshot, default_kind, find_connector
from streamrnn.scorers.check_model import check_model
from streamrnn.scorers.table import MODELS

__all__ = ["from_command", "model_of"]

STRETCH = ("partition", "start", "end")
"""Options of the command that say which part of a configuration's input is meant."""


def from_command(file: str | None, options: Mapping[str, Any]) -> tuple[Config, Callable[[], Runtime]]:
    """Return the configuration that the options of the command describe, and what makes its runtime.

    Parameters
    ----------
    file
        What to read; None: the input of the configuration ``options["config_file"]``.
    options
        Of the command, by name.

    Raises
    ------
    UsageError
        When they contradict each other.
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    path = given.pop("snapshot", None)
    kept = None if path is None else read_export(path)
    if file is not None:
        if wrong := [name for name in ("config_file", *STRETCH) if name in given]:
            raise UsageError(f"FILE and {_spelled(wrong[0])} do not go together.")
        return _from_file(file, given, kept)
    if "config_file" not in given:
        raise UsageError("Give FILE, or --config CONFIG.")
    if wrong := sorted(set(given) - {"config_file", *STRETCH}):
        raise UsageError(f"{_spelled(wrong[0])} and --config do not go together: CONFIG says it.")
    return _from_config(given, kept)


def _spelled(option: str) -> str:
    names = {
        "config_file": "--config",
        "start": "--from",
        "end": "--to",
        "columns": "--column",
        "time_column": "--time",
        "key_column": "--key",
        "counters": "--counter",
        "limits": "--limit",
    }
    return names.get(option, "--" + option.replace("_", "-"))


def _from_file(file: str, given: dict[str, Any], kept: StoredSnapshot | None) -> tuple[Config, Callable[[], Runtime]]:
    if "period" in given and "forecast" not in given:
        raise UsageError("--period says what the season of a forecast is. Add --forecast N.")
    if "limits" in given and "forecast" not in given:
        raise UsageError("--limit says what a forecast may reach. Add --forecast N.")
    if kept is not None and (wrong := sorted({"hidden_size", "seed"} & set(given))):
        raise UsageError(f"{_spelled(wrong[0])} and --snapshot do not go together: the snapshot says it.")
    checked = configs.parse(replay_tables(file, **given), Path.cwd(), check_model)
    if kept is not None:
        checked = msgspec.structs.replace(checked, model=model_of(kept))
    return checked, _runtime(checked, lambda: make_source(checked), kept)


def _from_config(given: dict[str, Any], kept: StoredSnapshot | None) -> tuple[Config, Callable[[], Runtime]]:
    checked = configs.load(given["config_file"], check_model)
    state = State(max_keys=checked.state.max_keys, memory_mb=checked.state.memory_mb, numerics=checked.state.numerics)
    checked = msgspec.structs.replace(checked, sink=_standard_output(), state=state, dead_letter=DeadLetters())
    partition, start = given.get("partition"), _position(given.get("start"))
    if kept is not None:
        partition = partition or kept.partition
        start = kept.position if start is None else start
    end = _position(given.get("end"))
    return checked, _runtime(checked, lambda: Stretch(reread(checked), partition, start, end), kept)


def _standard_output() -> Named:
    """Return the sink that ``[sink]`` names with the path - and nothing else."""
    kind = default_kind("sink")
    return Named(kind, checked_table("sink", find_connector("sink", kind).Options, {"path": "-"}))


def _position(text: str | None) -> Position | None:
    return int(text) if text is not None and text.isdecimal() else text


def _runtime(checked: Config, source: Callable[[], Source], kept: StoredSnapshot | None) -> Callable[[], Runtime]:
    make = make_shards(checked)

    def start() -> Shard:
        shard = make()
        if kept is not None:
            shard.restore(kept.data)
        return shard

    start()  # what is wrong with a snapshot is said before anything is read
    return lambda: Runtime(source(), make_sink(checked), start, fields=checked.output.fields)


def model_of(one: StoredSnapshot) -> Named:
    """Return the model that a snapshot is of, as ``[model]`` would name it.

    Parameters
    ----------
    one
        The snapshot.

    Raises
    ------
    StateError
        When it is damaged, or names a model that is not one of this library's: a file never says what code to run.
    """
    written = unpack(one.data)[0].get("model")
    if not isinstance(written, dict) or not isinstance(written.get("parameters"), dict):
        raise StateError(f"The snapshot {one.name!r} does not say what model it is of.")
    if written.get("kind") not in MODELS:
        raise StateError(f"The snapshot {one.name!r} is of {written.get('kind')!r}, none of {', '.join(MODELS)}.")
    return Named(written["kind"], written["parameters"])
