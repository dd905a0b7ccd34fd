"""Makes the running parts that a configuration describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from streamrnn.config import Config, State
from streamrnn.config.options import FORECAST_FIELDS, LIMIT_FIELDS
from streamrnn.engine.given_policy import by_time, number_or_text, policy_options
from streamrnn.engine.loop import Runtime
from streamrnn.engine.monitor import Monitor
from streamrnn.engine.panes import COUNT
from streamrnn.engine.shard import Shard
from streamrnn.errors import ConfigError, UsageError
from streamrnn.io import (
    CONTEXT_OPTIONS,
    FeedbackSource,
    HasClient,
    HasFiles,
    Sink,
    SinkContext,
    SourceContext,
    find_connector,
)
from streamrnn.scorers.kinds import ModelKind, model_kind
from streamrnn.scorers.table import NET, SHARE

__all__ = [
    "check_feedback",
    "check_run",
    "check_share",
    "check_state",
    "check_windows",
    "client_loggers",
    "is_keyed",
    "make_runtime",
    "make_shards",
    "make_sink",
    "make_source",
    "replay_tables",
]


def make_shards(config: Config, kind: ModelKind | None = None) -> Callable[[], Shard]:
    """Return what makes an empty shard for a partition.

    Parameters
    ----------
    config
        A checked configuration.
    kind
        The model, where it is not the one of ``[model]``.
    """
    chosen = kind or model_kind(config.model.kind, config.model.options)
    memory = None if config.state.memory_mb is None else int(config.state.memory_mb * 1e6)
    columns = tuple(getattr(config.source.options, "columns", None) or ())
    state = config.state
    keyed = is_keyed(config)
    return lambda: Shard(
        chosen,
        config.alarm,
        state.max_keys,
        state.numerics,
        memory,
        config.forecast,
        columns,
        keyed=keyed,
        alarms=config.alarms,
        records=config.records,
    )


def is_keyed(config: Config) -> bool:
    """Whether events have keys.

    Parameters
    ----------
    config
        A checked configuration.
    """
    options = config.source.options
    return getattr(options, "key", None) is not None or bool(getattr(options, "record_key", False))


def make_runtime(
    config: Config,
    *,
    fresh: bool = False,
    kind: ModelKind | None = None,
    monitor: Monitor | None = None,
    block_events: int | None = None,
) -> Runtime:
    """Return the runtime of a configuration, ready to run.

    Parameters
    ----------
    config
        A checked configuration.
    fresh
        Forget the state and the outputs of earlier runs.
    kind
        The model, where it is not one that ``[model]`` can name: any river detector or pipeline.
    monitor
        Told by the loop as it goes.
    block_events
        Events asked for at once; None: as many as are done in a moment. Changes nothing in the outputs.
    """
    made = kind or model_kind(config.model.kind, config.model.options)
    sink = make_sink(config, fresh=fresh)
    check_run(config, made, sink)
    replay = config.state.mode == "replay"
    return Runtime(
        make_source(config),
        sink,
        make_shards(config, made),
        every=config.state.every if sink.keeps_state and not replay else None,
        every_s=config.state.every_s,
        fields=config.output.fields,
        on_change=config.state.on_change,
        replay=replay,
        monitor=monitor,
        block_events=block_events,
    )


def check_run(config: Config, kind: ModelKind, sink: Sink) -> None:
    """Raise where source, model, state and sink do not go together.

    Parameters
    ----------
    config
        A checked configuration.
    kind
        The model.
    sink
        Its sink.

    Raises
    ------
    ConfigError
        With what to change.
    """
    check_state(config, kind, sink)
    check_windows(config, kind)
    check_share(config, kind)
    check_feedback(config, kind)


def check_feedback(config: Config, kind: ModelKind) -> None:
    """Raise where people are to say what they think of alarms, and it could not be written or would not be heard.

    Parameters
    ----------
    config
        A checked configuration.
    kind
        The model.

    Raises
    ------
    ConfigError
        With what to change.
    """
    if config.server.feedback_token is None:
        return
    if not kind.feedback_memory:
        raise ConfigError(
            "[server] feedback_token: the model takes no feedback on earlier events. Give a detector [model] label, the name of one more "
            "column for it, and feedback_memory, how many events of a key are remembered."
        )
    source = make_source(config)
    if not isinstance(source, FeedbackSource):
        raise ConfigError(f"[server] feedback_token: nothing can be added to the input of {config.source.kind!r}.")
    source.check_feedback()


def check_state(config: Config, kind: ModelKind, sink: Sink) -> None:
    """Raise where a restart could not bring the model back.

    Parameters
    ----------
    config
        A checked configuration.
    kind
        The model.
    sink
        Its sink: where that keeps no state, every run starts from nothing.

    Raises
    ------
    ConfigError
        With what to set instead.
    """
    if not sink.keeps_state:
        return
    if config.state.mode == "snapshot" and kind.dumps is None:
        raise ConfigError(
            f"[state] mode: a {kind.name} cannot be written without pickle. Set it to 'replay', so that a restart reads the "
            "input again from its beginning, or leave [state] dir unset, so that each run starts from nothing."
        )
    if config.state.mode == "replay" and not find_connector("source", config.source.kind).begins_again:
        raise ConfigError(
            f"[state] mode: 'replay' needs a source that begins at its beginning again. {config.source.kind!r} does not."
        )


def check_share(config: Config, kind: ModelKind) -> None:
    """Raise where keys are to share a net, and there are none.

    Parameters
    ----------
    config
        A checked configuration.
    kind
        The model.

    Raises
    ------
    ConfigError
        With what to change.
    """
    if kind.parameters.get(SHARE) == NET and not is_keyed(config):
        raise ConfigError(
            f"[model] {SHARE}: events have no key, so there is nothing to share. Name the column with [source] key, or leave it out."
        )


def check_windows(config: Config, kind: ModelKind) -> None:
    """Raise where windows of records would leave out what other tables ask for.

    Parameters
    ----------
    config
        A checked configuration.
    kind
        The model.

    Raises
    ------
    ConfigError
        With what to change.
    """
    if not config.records.windows:
        return
    problems = []
    if "input" in config.output.fields:
        problems.append("[output] fields: a window is of many records, none of them is its 'input'; leave that out.")
    if kind.feedback_memory:
        problems.append(
            "[model] feedback_memory: feedback names its event by the time, and comes behind the end of its window. Leave it out, or "
            "[source] every."
        )
    if problems:
        raise ConfigError(problems)


def client_loggers(config: Config) -> list[str]:
    """Return the loggers of the client libraries that source and sink use.

    Parameters
    ----------
    config
        The configuration of the run.
    """
    made = (find_connector("source", config.source.kind), find_connector("sink", config.sink.kind))
    return sorted({name for one in made if isinstance(one, HasClient) for name in one.client_loggers})


def make_source(config: Config) -> Any:
    """Return the source of a configuration, not yet entered.

    Parameters
    ----------
    config
        A checked configuration.

    Raises
    ------
    ConfigError
        When results should show records as they were read, and it does not keep them.
    """
    made = find_connector("source", config.source.kind)
    keep_raw, records = "input" in config.output.fields, config.records
    if keep_raw and not made.keeps_raw:
        raise ConfigError(
            f"[output] fields: the source {config.source.kind!r} does not keep records as they were read; leave out 'input'."
        )
    return made(
        config.source.options,
        SourceContext(keep_raw=keep_raw, counted=records.windows and records.aggregate == COUNT, zone=records.zone),
    )


def make_sink(config: Config, *, fresh: bool = False) -> Any:
    """Return the sink of a configuration, not yet entered.

    Parameters
    ----------
    config
        A checked configuration.
    fresh
        Forget the state and the outputs of earlier runs.

    Raises
    ------
    ConfigError
        When it does not support what other tables ask of it, or would write over the input.
    """
    made = find_connector("sink", config.sink.kind)
    sink = made(config.sink.options, _sink_context(config, made.takes, fresh=fresh))
    if isinstance(sink, HasFiles):
        _spare_input(config, sink)
    return sink


def _spare_input(config: Config, sink: HasFiles) -> None:
    """Raise where results or dead letters would be written over what is read."""
    source = make_source(config)
    read = source.files() if isinstance(source, HasFiles) else {}
    problems = [
        f"{name}: {path!r} is the file that {option} reads: it would be overwritten. Name another one."
        for name, path in sink.files().items()
        for option, other in read.items()
        if _same_file(Path(path), Path(other))
    ]
    if problems:
        raise ConfigError(problems)


def _same_file(one: Path, other: Path) -> bool:
    """Whether two names are of one file on a disk, links followed."""
    if one.exists() and other.exists():
        return one.samefile(other) and one.is_file()
    return str(one) != "-" and one.resolve() == other.resolve()


def _sink_context(config: Config, takes: frozenset[str], *, fresh: bool) -> SinkContext:
    """Return what other tables, or the command line, ask of the sink; raise where it does not heed that."""
    asked = {
        "[dead_letter] path": config.dead_letter.path,
        "[dead_letter] topic": config.dead_letter.topic,
        "[alarms] path": config.alarms.path,
        "[alarms] topic": config.alarms.topic,
        "[alarms] table": config.alarms.table,
        "[state] dir": config.state.dir,
        "[state] topic": config.state.topic,
        "[state] keep": None if config.state.keep == State().keep else config.state.keep,
        "--fresh": fresh or None,
    }
    asked = {option: value for option, value in asked.items() if value is not None}
    if lacking := [option for option in asked if option not in takes]:
        raise ConfigError([f"{option}: the sink {config.sink.kind!r} does not support this." for option in lacking])
    given: dict[str, Any] = {CONTEXT_OPTIONS[option]: value for option, value in asked.items()}
    return SinkContext(**given)


def _seasons(text: str) -> int | list[int] | str:
    """Return what ``--period`` says; text that is no number, or none with commas, is left to the check of options."""
    parts = text.split(",")
    if not all(part.strip().isdecimal() for part in parts):
        return text
    return int(text) if len(parts) == 1 else [int(part) for part in parts]


def _limits(texts: Sequence[str]) -> dict[str, Any] | None:
    """Return what ``--limit`` says: high=90, or disk.high=90. What is wrong with a value is left to the check of options."""
    found: dict[str, Any] = {}
    for text in texts:
        name, _, value = text.rpartition("=")
        column, dot, side = name.rpartition(".")
        if side not in ("high", "low"):
            raise UsageError(f"--limit must be high=NUMBER or low=NUMBER, or COLUMN.high=NUMBER. Got {text!r} instead.")
        try:
            number: float | str = float(value)
        except ValueError:
            number = value
        (found.setdefault(column, {}) if dot else found)[side] = number
    return found or None


def replay_tables(
    file: str,
    *,
    columns: Sequence[str] = (),
    time_column: str | None = None,
    key_column: str | None = None,
    counters: Sequence[str] = (),
    alarm_rate: float | str | None = None,
    direction: Sequence[str] = (),
    min_deviation: Sequence[str] = (),
    valid_range: Sequence[str] = (),
    maintenance: Sequence[str] = (),
    hidden_size: int | None = None,
    seed: int | None = None,
    forecast: int | None = None,
    period: str | None = None,
    limits: Sequence[str] = (),
    dead_letters: str | None = None,
    missing: str | None = None,
    **reading: Any,
) -> dict[str, Mapping[str, Any]]:
    """Return the configuration that ``streamrnn replay`` runs: what is None is left to its default.

    Parameters
    ----------
    file
        What to read; ``-`` is standard input.
    columns
        To watch; none: all that hold numbers.
    time_column
        The column with the time.
    key_column
        The column with the key.
    counters
        Columns that count, of which it is watched how fast they grow: in a second with ``time_column``, else from event to event.
    alarm_rate
        Share of normal events that may alarm, from 0 to 0.5, or with ``time_column`` how many in what time: ``"2/day"``.
    direction, min_deviation, valid_range
        What alarms, of all columns or of one: ``"below"``, ``"flow=10%"``, ``"0:100"``.
    maintenance
        A column, or weekly times.
    hidden_size
        Of the net.
    seed
        Of the net's first weights.
    forecast
        Events ahead that are forecast.
    period
        The season in events, or that and the one within it, with a comma: ``"24"``, ``"24,168"``.
    limits
        What forecasts may reach: ``"high=90"``, ``"disk.high=90"``.
    dead_letters
        File of records that are no events.
    missing
        What else stands for no value, with commas.
    **reading
        Other options of ``[source]``: how the file is written.

    Raises
    ------
    UsageError
        When a limit, or what should alarm, is none.

    Examples
    --------
    >>> from streamrnn.engine.assemble import replay_tables
    >>> replay_tables("a.csv", seed=3)["model"]
    {'seed': 3}
    """
    marks = None if missing is None else [mark.strip() for mark in missing.split(",") if mark.strip()]
    reading["missing"] = marks
    tables: dict[str, dict[str, Any]] = {
        "source": {"path": file, "columns": list(columns) or None, "time": time_column, "key": key_column, **reading},
        "model": {
            "hidden_size": hidden_size,
            "seed": seed,
            "counters": list(counters) or None,
            "time": time_column if counters or by_time(alarm_rate, maintenance) else None,
        },
        "alarm": {
            "rate": number_or_text(alarm_rate),
            **policy_options(direction, min_deviation, valid_range, maintenance),
        },
        "forecast": {
            "horizon": forecast,
            "period": None if period is None else _seasons(period),
            "limits": _limits(limits),
        },
        "output": {"fields": (*FORECAST_FIELDS, *(LIMIT_FIELDS if limits else ())) if forecast else None},
        "sink": {"path": "-"},
        "dead_letter": {"path": dead_letters},
    }
    return {
        name: {option: value for option, value in table.items() if value is not None} for name, table in tables.items()
    }
