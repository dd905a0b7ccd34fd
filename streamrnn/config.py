"""What a configuration file may say: every option declared once, with type, default, range and text.

A configuration is one file of nine tables, in TOML (YAML and JSON, by the name's end, say the same)::

    [source]       kind = "files", and the options of that connector
    [model]        kind = "RNNAnomalyDetector", and the parameters of that class
    [alarm]        when a score becomes an alarm      (Alarm)
    [output]       what a result holds                (Output)
    [sink]         kind = "files", and the options of that connector
    [dead_letter]  where records go that are no events (DeadLetters)
    [state]        how the run survives a restart     (State)
    [server]       health, metrics and a page         (Server)
    [log]          lines on standard error            (Log)

The options of a connector are the fields of its ``Options`` struct, declared in the connector and
checked here by the same code as the tables of this module. All mistakes of a file are reported at
once, each with file and line, the option, the rule, the value and, for an unknown name, the nearest known one.
Relative paths are relative to the configuration file. In texts, ``${NAME}``, ``${NAME:-default}`` and
``${file:/path}`` stand for a variable of the environment or the content of a file; see
:mod:`streamrnn.config_secrets`.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from streamrnn.config_file import read
from streamrnn.config_secrets import Filled, fill, plain, shown
from streamrnn.errors import ConfigError, StreamrnnError

__all__ = [
    "Alarm",
    "Config",
    "DeadLetters",
    "Forecast",
    "Log",
    "Named",
    "Output",
    "Server",
    "State",
    "check_table",
    "checked_table",
    "describe_type",
    "load",
    "nearest",
    "parameter_names",
    "parse",
]


class Alarm(msgspec.Struct, frozen=True, kw_only=True):
    """``[alarm]``: when a score is an alarm. ``RNNAnomalyDetector`` has a rule of its own, others rank their scores.

    Examples
    --------
    >>> from streamrnn.config import Alarm
    >>> Alarm().rate
    0.01
    """

    rate: Annotated[float, Meta(gt=0, le=0.5, description="Share of normal events that may raise an alarm.")] = 0.01
    window: Annotated[
        int,
        Meta(
            ge=10,
            le=1_000_000,
            description="How many of the last scores of a series a new score is ranked among; not for RNNAnomalyDetector.",
        ),
    ] = 2000
    warm_up: Annotated[
        int, Meta(ge=0, description="Events of a series before its first alarm: the net must see something first.")
    ] = 200
    quiet: Annotated[
        int, Meta(ge=0, description="Events after an alarm that raise no other one. 0: every event may.")
    ] = 0


Field = Literal[
    "time", "key", "value", "prediction", "residual", "score", "alarm", "p_value", "threshold", "warm", "change", "since", "low", "high", "contribution", "view", "feature", "decided", "heard", "position", "partition", "input",
    "forecast", "forecast_low", "forecast_high",
]  # fmt: skip
DEFAULT_FIELDS: tuple[Field, ...] = ("time", "key", "value", "prediction", "score", "alarm", "position")
"""What a result holds where nothing else is asked for."""
FORECAST_FIELDS: tuple[Field, ...] = (*DEFAULT_FIELDS, "forecast", "forecast_low", "forecast_high")
"""The same for a replay that forecasts."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """``[output]``: what a result holds.

    Examples
    --------
    >>> from streamrnn.config import Output
    >>> Output(fields=("time", "score")).fields
    ('time', 'score')
    """

    fields: Annotated[
        tuple[Field, ...],
        Meta(
            min_length=1,
            description="Fields of a result, in this order. residual: value less prediction; input: the record as it was read; "
            "forecast, forecast_low, forecast_high: of the next [forecast] horizon events, null without one.",
        ),
    ] = DEFAULT_FIELDS

    def __post_init__(self) -> None:
        if len(set(self.fields)) != len(self.fields):
            raise ConfigError(f"[output] fields: must differ from each other. Got {list(self.fields)} instead.")


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """``[forecast]``: what is said of events to come, by a :class:`streamrnn.RNNForecaster` beside the model.

    Examples
    --------
    >>> from streamrnn.config import Forecast
    >>> Forecast().horizon
    0
    """

    horizon: Annotated[
        int, Meta(ge=0, le=1000, description="Events ahead that are forecast, after each event. 0: none.")
    ] = 0
    level: Annotated[
        float, Meta(gt=0, lt=1, description="Share of what comes that lies between forecast_low and forecast_high.")
    ] = 0.8


class DeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """``[dead_letter]``: where records go that could not become events.

    Examples
    --------
    >>> from streamrnn.config import DeadLetters
    >>> DeadLetters().path is None
    True
    """

    path: Annotated[
        str | None, Meta(description="File of JSON Lines (position, line, reason, raw). Unset: they are only counted.")
    ] = None
    topic: Annotated[
        str | None,
        Meta(description="Topic for them, for a sink that writes to topics. Unset: they are only counted."),
    ] = None
    max_share: Annotated[
        float | None,
        Meta(
            description="Stop with exit code 65 when more than this share of the last 'window' records were dead letters. Unset: never."
        ),
    ] = None
    window: Annotated[int, Meta(ge=10, le=1_000_000, description="Records over which 'max_share' is taken.")] = 1000

    def __post_init__(self) -> None:
        if self.max_share is not None and not 0 < self.max_share <= 1:
            raise ConfigError(f"[dead_letter] max_share: must be a number > 0 and <= 1. Got {self.max_share} instead.")


class State(msgspec.Struct, frozen=True, kw_only=True):
    """``[state]``: how a run survives a restart, and how much it keeps in memory.

    Examples
    --------
    >>> from streamrnn.config import State
    >>> State().every
    10000
    """

    mode: Annotated[
        Literal["snapshot", "replay"],
        Meta(
            description="What a restart starts from. snapshot: the newest one; replay: the input, read again from its beginning, "
            "for models that cannot be written without pickle (river's); nothing is written twice."
        ),
    ] = "snapshot"
    dir: Annotated[str | None, Meta(description="Directory of snapshots. Unset: every run starts from nothing.")] = None
    topic: Annotated[
        str | None,
        Meta(description="Topic of snapshots, for a sink that keeps them in one. Unset: the sink names it."),
    ] = None
    every: Annotated[
        int, Meta(ge=1, description="Events of a partition between two snapshots. One more is written at the end.")
    ] = 10_000
    every_s: Annotated[
        float,
        Meta(
            ge=0,
            description="Seconds between two snapshots of a partition that has moved, where 'every' events take longer. 0: "
            "events alone count. Changes nothing in the outputs.",
        ),
    ] = 300.0
    keep: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Snapshots kept of each partition: where the newest is damaged, an older one serves.",
        ),
    ] = 3
    on_change: Annotated[
        Literal["refuse", "fresh"],
        Meta(
            description="A snapshot of another [model]. refuse: stop and show the difference; fresh: a new model from there "
            "on, outputs and position stay."
        ),
    ] = "refuse"
    numerics: Annotated[
        Literal["warn", "refuse"],
        Meta(
            description="A snapshot of another kind of processor, compiler or kernels: its continuation is not exact to the "
            "last bit. warn: go on and say so; refuse: stop."
        ),
    ] = "warn"
    max_keys: Annotated[
        int, Meta(ge=1, description="Series (keys) with a net of their own; the one unseen for longest goes first.")
    ] = 1000
    memory_mb: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(
            description="Memory for the series of a partition, in MB, estimated from above: where it allows fewer than "
            "max_keys, fewer are held. Unset: max_keys alone."
        ),
    ] = None


_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """``[server]``: health, metrics, status and a page over HTTP. Off unless a port is given; read-only, no passwords.

    Examples
    --------
    >>> from streamrnn.config import Server
    >>> Server().port is None, Server(port=9100).host
    (True, '127.0.0.1')
    """

    port: Annotated[
        Annotated[int, Meta(ge=0, le=65535)] | None,
        Meta(description="Port of /livez /readyz /startupz /metrics /status and the page at /. 0: any free one."),
    ] = None
    host: Annotated[
        str, Meta(min_length=1, description="Address to listen on. 0.0.0.0 or :: lets everybody in the network look.")
    ] = "127.0.0.1"
    hosts: Annotated[
        tuple[Annotated[str, Meta(min_length=1)], ...],
        Meta(
            description="Names that it is asked by, where a proxy or a service has one for it: a browser that was sent here under another "
            "name gets no answer (DNS rebinding). IP addresses, localhost and 'host' need not be listed."
        ),
    ] = ()
    stuck_after_s: Annotated[
        float, Meta(ge=1, le=86400, description="Seconds without progress of the loop after which /livez says no.")
    ] = 60.0

    def __post_init__(self) -> None:
        if wrong := [name for name in self.hosts if not _HOST_NAME.fullmatch(name)]:
            raise ConfigError(
                f"[server] hosts: must be names alone, such as 'watch.example.org', without port or path. Got {wrong[0]!r} instead."
            )


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """``[log]``: lines on standard error: one for start, stop and each change of state.

    Examples
    --------
    >>> from streamrnn.config import Log
    >>> Log().level
    'info'
    """

    format: Annotated[Literal["auto", "logfmt", "json"], Meta(description="auto: logfmt on a terminal, else JSON.")] = (
        "auto"
    )
    level: Annotated[Literal["debug", "info", "warning", "error"], Meta(description="What is said at least.")] = "info"


class Named(msgspec.Struct, frozen=True):
    """A part chosen by name, with its options: a connector or a model.

    Examples
    --------
    >>> from streamrnn.config import Named
    >>> Named("RNNAnomalyDetector", {"seed": 7}).options
    {'seed': 7}
    """

    kind: str
    options: Any


class Config(msgspec.Struct, frozen=True, kw_only=True):
    """A whole configuration, checked. :func:`load` makes one from a file, :func:`parse` from a mapping.

    Examples
    --------
    >>> from streamrnn.config import Config, Named
    >>> Config(source=Named("files", None), sink=Named("files", None)).model.kind
    'RNNAnomalyDetector'
    """

    source: Named
    sink: Named
    model: Named = Named("RNNAnomalyDetector", {})
    alarm: Alarm = Alarm()
    output: Output = Output()
    forecast: Forecast = Forecast()
    dead_letter: DeadLetters = DeadLetters()
    state: State = State()
    server: Server = Server()
    log: Log = Log()


OWN_RULE = {"RNNAnomalyDetector": 1e-5, "RNNSupervisedAnomalyDetector": 1e-5}
"""Models with an alarm rule of their own, and the least rate that it holds; others are ranked among the last ``window`` scores."""

OPTION_TABLES: dict[str, type] = {
    "alarm": Alarm,
    "output": Output,
    "forecast": Forecast,
    "dead_letter": DeadLetters,
    "state": State,
    "server": Server,
    "log": Log,
}
"""The tables that are declared here; ``[source]`` and ``[sink]`` are by their connector, ``[model]`` by its class."""

_TABLES = ("source", "model", "sink", *OPTION_TABLES)


def nearest(name: str, known: Iterable[str]) -> str:
    """Return what to say about an unknown ``name``: the nearest known ones, or all of them.

    Examples
    --------
    >>> from streamrnn.config import nearest
    >>> nearest("pth", ["path", "format"])
    "Did you mean 'path'?"
    >>> nearest("zzz", ["path", "format"])
    'Known: format, path.'
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=2, cutoff=0.6)
    if close:
        return "Did you mean " + " or ".join(repr(c) for c in close) + "?"
    return f"Known: {', '.join(known) or 'none'}."


def _bounds(info: Any) -> str:
    signs = (("gt", ">"), ("ge", ">="), ("lt", "<"), ("le", "<="))
    said = [f"{sign} {getattr(info, name)}" for name, sign in signs if getattr(info, name, None) is not None]
    return " " + " and ".join(said) if said else ""


def _rule(info: Any) -> str:
    """Say in words what a type accepts."""
    match info:
        case msgspec.inspect.Metadata():
            return _rule(info.type)
        case msgspec.inspect.IntType():
            return "an int" + _bounds(info)
        case msgspec.inspect.FloatType():
            return "a number" + _bounds(info)
        case msgspec.inspect.StrType():
            return "a text" if info.min_length is None else f"a text of at least {info.min_length} character"
        case msgspec.inspect.BoolType():
            return "true or false"
        case msgspec.inspect.LiteralType():
            return "one of " + ", ".join(repr(value) for value in info.values)
        case msgspec.inspect.ListType() | msgspec.inspect.VarTupleType():
            return f"a list, each item {_rule(info.item_type)}"
        case msgspec.inspect.DictType():
            return "a table"
        case msgspec.inspect.UnionType():
            return " or ".join(_rule(one) for one in info.types if not isinstance(one, msgspec.inspect.NoneType))
        case _:
            return "another type"


def describe_type(declared: Any) -> tuple[str, str]:
    """Return what an option's declaration accepts, in words, and its description.

    Examples
    --------
    >>> import msgspec
    >>> from streamrnn.config import Alarm, describe_type
    >>> describe_type(msgspec.structs.fields(Alarm)[0].type)
    ('a number > 0 and <= 0.5', 'Share of normal events that may raise an alarm.')
    """
    info = msgspec.inspect.type_info(declared)
    extra = info.extra_json_schema or {} if isinstance(info, msgspec.inspect.Metadata) else {}
    return _rule(info), str(extra.get("description", ""))


def _show(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _is_path(name: str) -> bool:
    """Whether an option names a file: by its name, in every table and connector."""
    return name in ("path", "dir", "directory") or name.endswith(("_path", "_dir", "_file"))


def _resolve(value: object, base: Path) -> object:
    if isinstance(value, str) and value not in ("", "-"):
        return str(base / value)
    if isinstance(value, list | tuple):
        return [_resolve(one, base) for one in value]
    return value


def check_table(table: str, options: type, data: object, base: Path | None = None) -> tuple[Any, list[str]]:
    r"""Check one table against its declaration.

    Parameters
    ----------
    table
        Its name, for messages.
    options
        A msgspec Struct: one field for each option.
    data
        What the file says.
    base
        Directory that relative paths are relative to, or None to leave them.

    Returns
    -------
    tuple
        The struct, or None where something is wrong, and one line for each mistake.

    Examples
    --------
    >>> from streamrnn.config import Alarm, check_table
    >>> value, problems = check_table("alarm", Alarm, {"rate": 7, "warmup": 3})
    >>> print(*problems, sep="\n")
    [alarm] rate: must be a number > 0 and <= 0.5. Got 7 instead.
    [alarm] warmup: there is no such option. Did you mean 'warm_up'?
    """
    if not isinstance(data, Mapping):
        return None, [f"[{table}]: must be a table. Got {_show(data)} instead."]
    fields = {field.name: field for field in msgspec.structs.fields(options)}
    problems: list[str] = []
    good: dict[str, Any] = {}
    for name, value in data.items():
        if name not in fields:
            problems.append(f"[{table}] {name}: there is no such option. {nearest(name, fields)}")
            continue
        given = plain(value)
        if base is not None and _is_path(name):
            given = _resolve(given, base)
        try:  # what a variable holds is always text: "9100" is as good as 9100 there
            good[name] = msgspec.convert(given, fields[name].type, strict=not isinstance(value, Filled))
        except msgspec.ValidationError:
            rule = _rule(msgspec.inspect.type_info(fields[name].type))
            problems.append(f"[{table}] {name}: must be {rule}. Got {_show(shown(name, value))} instead.")
    problems += [
        f"[{table}] {name}: is missing. It must be {_rule(msgspec.inspect.type_info(field.type))}."
        for name, field in fields.items()
        if field.required and name not in data
    ]
    if problems:
        return None, problems
    try:
        return options(**good), []
    except (ValueError, TypeError, StreamrnnError) as error:
        said = str(error)
        return None, [said if said.startswith("[") else f"[{table}]: {said}"]


def checked_table(table: str, options: type, data: object) -> Any:
    """Return one table as its struct, for whoever makes a connector without a configuration file.

    Parameters
    ----------
    table, options, data
        As for :func:`check_table`.

    Raises
    ------
    ConfigError
        With one line for each mistake.

    Examples
    --------
    >>> from streamrnn.config import Alarm, checked_table
    >>> checked_table("alarm", Alarm, {"rate": 0.1}).rate
    0.1
    """
    value, problems = check_table(table, options, data)
    if value is None:
        raise ConfigError(problems)
    return value


def _check_connector(role: str, data: object, base: Path) -> tuple[Named | None, list[str]]:
    from streamrnn.io import default_kind, find_connector  # noqa: PLC0415  (imports numpy; --help needs none)

    if not isinstance(data, Mapping):
        return None, [f"[{role}]: must be a table. Got {_show(data)} instead."]
    kind = data.get("kind")
    if kind is not None and not isinstance(kind, str):
        return None, [f"[{role}] kind: must be a text. Got {_show(kind)} instead."]
    try:
        kind = default_kind(role) if kind is None else kind
        connector = find_connector(role, kind)
    except ConfigError as error:
        return None, error.problems
    rest = {name: value for name, value in data.items() if name != "kind"}
    options, problems = check_table(role, connector.Options, rest, base)
    return (None if problems else Named(kind, options)), problems


def _guessed(value: object) -> Any:
    """Return a model's parameter: where it came from a reference, as the number or truth it reads like."""
    if not isinstance(value, Filled):
        return plain(value)
    for reading in (int, float, {"true": True, "false": False}.__getitem__):
        try:
            return reading(value)
        except (ValueError, KeyError):
            continue
    return plain(value)


def _check_rate(alarm: Alarm, kind: str) -> list[str]:
    """Say where a rate is lower than what the model's alarm rule can hold."""
    if kind in OWN_RULE:
        least = OWN_RULE[kind]
        if alarm.rate >= least:
            return []
        return [f"[alarm] rate: must be a number >= {least:g} for {kind}. Got {alarm.rate:g} instead."]
    smallest = 1 / (alarm.window + 1)
    if alarm.rate >= smallest:
        return []
    said = f"[alarm] rate: {alarm.rate:g} can never alarm with window = {alarm.window}: the smallest p-value is "
    remedy = f"Raise 'rate', or set 'window' to {round(1 / alarm.rate)} or more."
    return [f"{said}1/{alarm.window + 1} = {smallest:.2g}. {remedy}"]


def _check_model(data: object, check: Callable[[str, Mapping[str, Any]], list[str]] | None) -> tuple[Named, list[str]]:
    if not isinstance(data, Mapping):
        return Named("", {}), [f"[model]: must be a table. Got {_show(data)} instead."]
    parameters = {name: _guessed(value) for name, value in data.items()}
    kind = parameters.pop("kind", "RNNAnomalyDetector")
    if not isinstance(kind, str):
        return Named("", {}), [f"[model] kind: must be a text. Got {_show(kind)} instead."]
    return Named(kind, parameters), check(kind, parameters) if check else []


def _odd_texts(value: object, where: tuple[str, ...] = ()) -> Iterator[str]:
    """Yield a line for each text that no file can be called, and no connection can carry."""
    if isinstance(value, Mapping | list | tuple):
        for name, one in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _odd_texts(one, (*where, str(name)))
    elif isinstance(value, str) and not ("\0" not in value and (value.isascii() or _is_unicode(value))):
        yield f"{_label(where)}: must be text without the character NUL or halves of characters. Got {_show(shown(where[-1], value))} instead."


def _is_unicode(text: str) -> bool:
    return not any("\ud800" <= letter <= "\udfff" for letter in text)


def parse(
    data: Mapping[str, Any], base: Path, check_model: Callable[[str, Mapping[str, Any]], list[str]] | None = None
) -> Config:
    """Check a configuration that is already in memory.

    Parameters
    ----------
    data
        Tables by name.
    base
        Directory that relative paths are relative to.
    check_model
        Called with the model's kind and parameters; returns one line for each mistake. The runtime gives it,
        so that this module knows no model.

    Raises
    ------
    ConfigError
        With one line for each mistake.

    Examples
    --------
    >>> from pathlib import Path
    >>> from streamrnn.config import parse
    >>> parse({"source": {"path": "x.csv", "formt": "csv"}, "sorce": {}}, Path())
    Traceback (most recent call last):
    ...
    streamrnn.errors.ConfigError: [sorce]: there is no such table. Did you mean 'source'?
    [source] formt: there is no such option. Did you mean 'format'?
    """
    problems = [f"[{name}]: there is no such table. {nearest(name, _TABLES)}" for name in data if name not in _TABLES]
    if odd := list(_odd_texts(data)):  # no path and no address can hold them: nothing is tried with those
        raise ConfigError(problems + odd)
    parts: dict[str, Any] = {}
    for name, struct in OPTION_TABLES.items():
        parts[name], found = check_table(name, struct, data.get(name, {}), base)
        problems += found
    for role in ("source", "sink"):
        parts[role], found = _check_connector(role, data.get(role, {}), base)
        problems += found
    parts["model"], found = _check_model(data.get("model", {}), check_model)
    problems += found
    if isinstance(parts["alarm"], Alarm):
        problems += _check_rate(parts["alarm"], parts["model"].kind.removeprefix("streamrnn."))
    if problems:
        raise ConfigError(problems)
    return Config(**parts)


def load(path: str | Path, check_model: Callable[[str, Mapping[str, Any]], list[str]] | None = None) -> Config:
    """Read and check a configuration file.

    Parameters
    ----------
    path
        A file in TOML, YAML or JSON.
    check_model
        See :func:`parse`.

    Raises
    ------
    SourceError
        When the file is missing or cannot be read.
    ConfigError
        With one line for each mistake.

    Examples
    --------
    >>> from streamrnn.config import load
    >>> load("no-such.toml")
    Traceback (most recent call last):
    ...
    streamrnn.errors.SourceError: The configuration file 'no-such.toml' cannot be read: No such file or directory.
    """
    file = read(path)
    base = Path(path).absolute().parent
    data, unfilled = fill(file.data, base)
    problems = [f"{_label(where)}: {why}." for where, why in unfilled]
    config = None
    try:
        config = parse(data, base, check_model)
    except ConfigError as error:  # an option whose reference is wrong is reported once
        known = tuple(f"{_label(where)}:" for where, _ in unfilled)
        problems += [problem for problem in error.problems if not problem.startswith(known)]
    if config is None or problems:
        raise ConfigError([file.locate(problem) for problem in sorted(problems, key=file.line_of)])
    return config


def _label(names: Sequence[str]) -> str:
    """Return how messages name an option."""
    return f"[{names[0]}]" + (f" {'.'.join(names[1:])}" if len(names) > 1 else "")


def parameter_names(cls: Callable[..., object]) -> list[str]:
    """Return the names of the parameters that a class may be configured with.

    Examples
    --------
    >>> from streamrnn.config import parameter_names
    >>> parameter_names(complex)
    ['real', 'imag']
    """
    return [name for name in inspect.signature(cls).parameters if name != "self"]
