"""Every option, declared once: with type, default, range and text."""

from __future__ import annotations

import math
import re
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from streamrnn.config.alarm_options import Alarm
from streamrnn.config.records import Records, seconds
from streamrnn.config_secrets import remember
from streamrnn.errors import ConfigError

__all__ = [
    "Alarms",
    "Config",
    "DeadLetters",
    "Forecast",
    "Log",
    "Named",
    "Output",
    "Server",
    "State",
]

DEFAULT_MODEL = "RNNAnomalyDetector"
"""What ``[model] kind`` is where nothing else is said."""

Field = Literal[
    "time", "key", "value", "prediction", "residual", "score", "alarm", "p_value", "threshold", "warm", "change", "since", "low", "high", "contribution", "severity", "episode", "feature", "view", "views", "feedback", "position", "partition", "input",
    "forecast", "forecast_low", "forecast_high", "limit", "limit_alarm",
]  # fmt: skip
DEFAULT_FIELDS: tuple[Field, ...] = ("time", "key", "value", "prediction", "score", "alarm", "position")
"""What a result holds where nothing else is asked for."""
FORECAST_FIELDS: tuple[Field, ...] = (*DEFAULT_FIELDS, "forecast", "forecast_low", "forecast_high")
"""The same for a replay that forecasts."""
LIMIT_FIELDS: tuple[Field, ...] = ("limit", "limit_alarm")
"""Added where it has limits."""


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """``[output]``: what a result holds.

    Parameters
    ----------
    fields
        Fields of a result, in this order.

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


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """``[forecast]``: what is said of events to come, by a :class:`streamrnn.RNNForecaster` beside the model.

    Parameters
    ----------
    horizon
        Events ahead that are forecast, after each event. 0: none.
    level
        Share of values that lie between the lower and the upper bound, between 0 and 1.
    period
        The season in events, or that and the one within it. None: they are found.
    minimum
        What no value lies below: the bounds are cut off there. ``"auto"``: 0 for columns of counts; ``"none"``: nothing is cut off.
    limits
        Values that a forecast may reach, by ``"high"`` and ``"low"``, or such a table for each column. None: there are none.
    calendar
        What of the events' time is known to matter: ``"hour"``, ``"weekday"``.
    holidays
        Dates, ``"2024-12-25"``, past and to come, on which a week goes otherwise.

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
    period: Annotated[
        int | tuple[int, ...] | None,
        Meta(description="The season in events, or that and the one within it: [24, 168]. Unset: they are found."),
    ] = None
    minimum: Annotated[
        float | Literal["auto", "none"],
        Meta(
            description="What no value lies below: bounds are cut off there. auto: 0 for columns of counts; none: nothing is cut off."
        ),
    ] = "auto"

    limits: Annotated[
        dict[str, float | dict[str, float]] | None,
        Meta(
            description="Values that a forecast may reach: {high = 90}, {low = 5}, or such a table for each column: {disk = {high = 90}}."
        ),
    ] = None

    calendar: Annotated[
        tuple[Literal["hour", "weekday"], ...],
        Meta(
            description="What of the events' time is known to matter: hour (a day is a season), weekday (a week is one)."
        ),
    ] = ()
    holidays: Annotated[
        tuple[str, ...],
        Meta(
            description="Dates, 2024-12-25, past and to come, that are forecast as partly a Sunday. May change between runs."
        ),
    ] = ()

    def __post_init__(self) -> None:
        self._check_limits()
        if wrong := [day for day in self.holidays if not _is_day(day)]:
            raise ConfigError(f"[forecast] holidays: must be dates as 2024-12-25. Got {wrong[0]!r} instead.")
        if len(set(self.calendar)) < len(self.calendar):
            raise ConfigError(f"[forecast] calendar: must differ from each other. Got {list(self.calendar)!r} instead.")
        given = (self.period,) if isinstance(self.period, int) else self.period
        fine = given is None or (1 <= len(given) == len(set(given)) <= 2 and all(2 <= one <= 10_000 for one in given))
        if not fine:
            raise ConfigError(
                f"[forecast] period: must be one or two different numbers from 2 to 10000. Got {self.period!r} instead."
            )

    @property
    def by_time(self) -> bool:
        """Whether the time of events is needed."""
        return bool(self.horizon and (self.calendar or self.holidays))

    def _check_limits(self) -> None:
        plain = {name: one for name, one in (self.limits or {}).items() if not isinstance(one, dict)}
        tables = [one for one in (self.limits or {}).values() if isinstance(one, dict)]
        for table in (plain, *tables):
            numbers = {"low": -math.inf, "high": math.inf, **table}
            fine = set(numbers) == {"low", "high"} and all(math.isfinite(one) for one in table.values())
            if not fine or numbers["low"] >= numbers["high"] or not (table or table is plain):
                raise ConfigError(
                    "[forecast] limits: must be numbers named low and high, low < high, or such a table for each column, as "
                    f"{{disk = {{high = 90}}}}. Got {self.limits!r} instead."
                )
        if self.limits and not self.horizon:
            raise ConfigError("[forecast] limits: nothing is forecast that could reach them. Set horizon as well.")


class DeadLetters(msgspec.Struct, frozen=True, kw_only=True):
    """``[dead_letter]``: where records go that could not become events.

    Parameters
    ----------
    path
        File of JSON Lines for them. None: they are only counted.
    topic
        Topic for them, for a sink that writes to topics. None: they are only counted.
    max_share
        Stop when more than this share of the last ``window`` records were dead letters. None: never.
    window
        Records over which ``max_share`` is taken.

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


class Alarms(msgspec.Struct, frozen=True, kw_only=True):
    """``[alarms]``: an output for alarms alone: one start and one end for each episode, committed with the results.

    Parameters
    ----------
    path
        File of JSON Lines. None: there is none.
    topic
        Topic for them, for a sink that writes to topics.
    table
        Table for them, for a sink that writes to tables.
    ends_after
        Events of a key without an alarm after which its episode has ended.
    max_gap
        Seconds without an event of a key after which it is silent; ``"auto"``: learned from its gaps; None: nobody asks.
    max_ahead
        Seconds: times further from the partition's watermark than that are passed over.
    webhook
        Address that ``streamrnn alerts`` posts them to. None: it must be told one.
    position_file
        File in which ``streamrnn alerts`` keeps how far it has come.
    timeout_s
        Seconds that ``streamrnn alerts`` waits for an answer.
    alertmanager
        Address of an Alertmanager that ``streamrnn alerts`` tells of episodes. None: none.
    labels
        Labels that every alert of it gets.
    link
        Where people look at an alert's source.
    max_per_hour
        Of one key, episodes that are posted within an hour. None: all.

    Examples
    --------
    >>> from streamrnn.config import Alarms
    >>> Alarms().ends_after
    10
    """

    path: Annotated[
        str | None,
        Meta(
            description="File of JSON Lines: one line when an episode starts, one when it ends. Unset: no such output."
        ),
    ] = None
    topic: Annotated[
        str | None, Meta(description="Topic for them, for a sink that writes to topics. Unset: no such output.")
    ] = None
    table: Annotated[
        str | None, Meta(description="Table for them, for a sink that writes to tables. Unset: no such output.")
    ] = None
    ends_after: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="Events of a key without an alarm after which its episode has ended."),
    ] = 10
    max_gap: Annotated[
        float | str | None,
        Meta(
            description="A key without an event for so long is silent: an alarm as soon as the times of other records have passed that. "
            "Seconds, or '90s', '10m', '6h', '2d'; 'auto': three times its longest usual gap. Unset: silence is no alarm."
        ),
    ] = None
    max_ahead: Annotated[
        float | str,
        Meta(
            description="Times further than this from the latest one of the partition are passed over and counted, unless ten in a "
            "row say the same: one record from 2099 silences nobody. As 'max_gap'."
        ),
    ] = "1d"
    webhook: Annotated[
        str | None,
        Meta(description="http:// or https:// address that 'streamrnn alerts' posts each of them to, as JSON."),
    ] = None
    position_file: Annotated[
        str | None,
        Meta(description="File in which 'streamrnn alerts' keeps how far it has come: a restart goes on there."),
    ] = None
    timeout_s: Annotated[
        float, Meta(gt=0, le=600, description="Seconds that 'streamrnn alerts' waits for an answer.")
    ] = 10.0
    alertmanager: Annotated[
        str | None,
        Meta(
            description="http:// or https:// address of an Alertmanager that 'streamrnn alerts' tells of them: an episode that starts fires, one "
            "that ends is resolved."
        ),
    ] = None
    labels: Annotated[
        dict[Annotated[str, Meta(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$")], str],
        Meta(description="Labels that every alert of it gets, for its routes, as {team = 'pumps', severity = 'page'}."),
    ] = {}
    link: Annotated[
        str | None, Meta(description="Address where people look at an alert's source, most likely the status page.")
    ] = None
    max_per_hour: Annotated[
        Annotated[int, Meta(ge=1, le=1_000_000)] | None,
        Meta(
            description="Of one key, episodes that 'streamrnn alerts' posts within an hour; what comes beyond lies in a file beside the "
            "position file. Unset: all are posted.",
        ),
    ] = None

    @property
    def wanted(self) -> bool:
        """Whether there is such an output."""
        return any(place is not None for place in (self.path, self.topic, self.table))

    @property
    def max_gap_s(self) -> float | None:
        """``max_gap`` in seconds; None where it is learned, or nobody asks."""
        return None if self.max_gap in (None, "auto") else seconds(self.max_gap)

    @property
    def max_ahead_s(self) -> float:
        """``max_ahead`` in seconds."""
        return seconds(self.max_ahead)

    def __post_init__(self) -> None:
        if self.webhook is not None and not self.webhook.startswith(("http://", "https://")):
            raise ConfigError("[alarms] webhook: must begin with http:// or https://.")
        for name, value in (("max_gap", self.max_gap_s), ("max_ahead", self.max_ahead_s)):
            if value is not None and not 0 < value < 1e12:
                also = ", or 'auto'" if name == "max_gap" else ""
                raise ConfigError(
                    f"[alarms] {name}: must be seconds > 0, or a number with s, m, h or d, such as '10m'{also}. Got "
                    f"{getattr(self, name)!r} instead."
                )


class State(msgspec.Struct, frozen=True, kw_only=True):
    """``[state]``: how a run survives a restart, and how much it keeps in memory.

    Parameters
    ----------
    mode
        What a restart starts from: the newest snapshot, or the input, read again from its beginning.
    dir
        Directory of snapshots. None: every run starts from nothing.
    topic
        Topic of snapshots, for a sink that keeps them in one. None: the sink names it.
    every
        Events of a partition between two snapshots.
    every_s
        Seconds between two snapshots of a partition that has moved, where ``every`` events take longer. 0: events alone
        count.
    keep
        Snapshots kept of each partition.
    on_change
        What to do with a snapshot of another model: stop, or start from a new model.
    numerics
        What to do with a snapshot whose continuation is not exact to the last bit: warn and continue, or stop.
    max_keys
        Keys held in a partition; the least recently used is evicted first.
    memory_mb
        Memory for the keys of a partition, in MB, as an upper estimate. None: ``max_keys`` alone limits them.

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
        int, Meta(ge=1, description="Keys held in a partition; the one unseen for longest goes first.")
    ] = 1000
    memory_mb: Annotated[
        Annotated[float, Meta(gt=0)] | None,
        Meta(
            description="Memory for the keys of a partition, in MB, estimated from above: where it allows fewer than "
            "max_keys, fewer are held. Unset: max_keys alone."
        ),
    ] = None


_TOKEN = re.compile(r"[!-~]+")
_HOST_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?")


class Server(msgspec.Struct, frozen=True, kw_only=True):
    """``[server]``: health, metrics, status and a page over HTTP. Off unless a port or a socket is given; read-only unless a token is.

    Parameters
    ----------
    port
        The port to listen on. 0: any free one; None: none.
    socket_file
        The socket file to listen on, beside a port or instead of one; None: none.
    host
        The address to listen on.
    hosts
        Names besides IP addresses, localhost and ``host`` that requests may be addressed to.
    stuck_after_s
        Seconds without progress of the loop after which the process is no longer live.
    feedback_token
        Whoever sends it may say of an alarm whether it was one; None: nobody may.

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
    socket_file: Annotated[
        Annotated[str, Meta(min_length=1, max_length=100)] | None,
        Meta(
            description="A UNIX socket with the same answers, beside a port or instead of one: the rights of its file, 0660, say who may ask. "
            "curl --unix-socket and streamrnn top take it."
        ),
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
    feedback_token: Annotated[
        Annotated[str, Meta(min_length=16, max_length=256)] | None,
        Meta(
            description="Whoever types this into the page may say of an alarm 'was an anomaly' or 'was usual': it is appended to the input, and "
            "counts from there on. Better a reference, ${FEEDBACK_TOKEN}. Needs [model] label and feedback_memory. Unset: nobody may."
        ),
    ] = None

    @property
    def wanted(self) -> bool:
        """Whether there is a server at all."""
        return self.port is not None or self.socket_file is not None

    def __post_init__(self) -> None:
        if self.feedback_token is not None and not _TOKEN.fullmatch(self.feedback_token):
            raise ConfigError("[server] feedback_token: must be of ASCII letters, digits and signs, without blanks.")
        if self.feedback_token is not None:
            remember(self.feedback_token)
        if self.feedback_token is not None and not self.wanted:
            raise ConfigError("[server] feedback_token: has a meaning with a port or a socket only.")
        if wrong := [name for name in self.hosts if not _HOST_NAME.fullmatch(name)]:
            raise ConfigError(
                f"[server] hosts: must be names alone, such as 'watch.example.org', without port or path. Got {wrong[0]!r} instead."
            )


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """``[log]``: lines on standard error: one for start, stop and each change of state.

    Parameters
    ----------
    format
        How a line is written. ``"auto"``: logfmt on a terminal, else JSON.
    level
        The lowest level that is written.

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

    Parameters
    ----------
    kind
        The name that it is chosen by.
    options
        Its options: a mapping, or what a connector has made of it.

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

    Parameters
    ----------
    source
        ``[source]``: the connector that events come from.
    sink
        ``[sink]``: the connector that results go to.
    model
        ``[model]``: what scores the events.
    alarm
        ``[alarm]``: when a score is an alarm.
    output
        ``[output]``: what a result holds.
    forecast
        ``[forecast]``: how far ahead is forecast.
    dead_letter
        ``[dead_letter]``: where records go that could not become events.
    alarms
        ``[alarms]``: an output for alarms alone.
    state
        ``[state]``: how a run survives a restart, and how much it keeps in memory.
    server
        ``[server]``: health, metrics and status over HTTP.
    log
        ``[log]``: lines on standard error.
    records
        ``[source]``: what of it is the same for every connector.

    Examples
    --------
    >>> from streamrnn.config import Config, Named
    >>> Config(source=Named("files", None), sink=Named("files", None)).model.kind
    'RNNAnomalyDetector'
    """

    source: Named
    sink: Named
    model: Named = Named(DEFAULT_MODEL, {})
    alarm: Alarm = Alarm()
    output: Output = Output()
    forecast: Forecast = Forecast()
    dead_letter: DeadLetters = DeadLetters()
    alarms: Alarms = Alarms()
    state: State = State()
    server: Server = Server()
    log: Log = Log()
    records: Records = Records()


OPTION_TABLES: dict[str, type] = {
    "alarm": Alarm,
    "output": Output,
    "forecast": Forecast,
    "dead_letter": DeadLetters,
    "alarms": Alarms,
    "state": State,
    "server": Server,
    "log": Log,
}
"""The tables that are declared here; ``[source]`` and ``[sink]`` are by their connector, ``[model]`` by its class."""
