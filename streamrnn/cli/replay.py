"""``streamrnn replay``."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import click

from streamrnn.cli.options import debug, plot_option, starting
from streamrnn.cli.watching import run_at_terminal

if TYPE_CHECKING:
    from streamrnn.engine.monitor import Summary


READING: dict[str, tuple[Any, str]] = {
    "format": (str, "auto, csv, jsonl, json, influx or parquet. [found]"),
    "skip": (int, "Lines before the table. [found]"),
    "comment": (str, "What lines begin with that are no rows; '' for none. [# where the first does]"),
    "header/--no-header": (bool, "Whether the first row of the table names the columns. [found]"),
    "delimiter": (str, "What separates columns; ' ' for any number of blanks. [found]"),
    "decimal": (str, "The decimal mark, . or a comma. [found]"),
    "encoding": (str, "Of the text, such as cp1252 or utf-16. [found]"),
    "missing": (str, "What else stands for no value, with commas: -999,n.a.; '' for none. [found]"),
    "time-format": (str, "How times are written, such as '%d/%m/%Y %H:%M'. [found]"),
    "order": (str, "auto, or as_written: newest-first files too are read from their beginning. [auto]"),
}
"""How a file is read: each is the option of ``[source]`` with the same name, which says what it may be."""


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of :data:`READING` to a command.

    Parameters
    ----------
    command
        The command.
    """
    for name, (kind, text) in reversed(READING.items()):
        command = click.option(f"--{name}", type=kind, default=None, help=text)(command)
    return command


@click.command(short_help="Watch a file, or a stretch of a run's input again.")
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--column", "-c", "columns", multiple=True, help="A column to watch; repeat it for more. [all numbers]")
@click.option(
    "--time", "time_column", help="The column with the time; 'Date + Time' where two make it. [found by content]"
)
@click.option("--key", "key_column", help="The column that says which key an event belongs to; '' for none. [found]")
@reading_options
@click.option("--zone", metavar="Europe/Berlin", help="Zone of times that are written without one. [UTC]")
@click.option("--every", metavar="1m", help="Windows of this length by the time of records, instead of records.")
@click.option("--aggregate", help="With --every: count, sum, mean, max or last of each window. [count]")
@click.option("--lateness", metavar="30s", help="With --every: how much longer a window waits for late records. [0]")
@click.option("--json", "as_json", is_flag=True, help="Say what was chosen as one line of JSON, at the end.")
@click.option(
    "--counter",
    "counters",
    multiple=True,
    metavar="COLUMN",
    help="Watch how fast COLUMN grows, with --time in a second; repeat it for more.",
)
@click.option("--alarm-rate", help="Largest share of normal events that may alarm, or with --time 2/day. [0.001]")
@click.option(
    "--direction", multiple=True, metavar="[COLUMN=]SIDE", help="Alarm on one side alone: above or below. [both]"
)
@click.option(
    "--min-deviation", multiple=True, metavar="[COLUMN=]N", help="Alarm from N units, or N%, off the expected. [0]"
)
@click.option(
    "--valid-range",
    multiple=True,
    metavar="[COLUMN=]LOW:HIGH",
    help="Values outside alarm at once; an end may be open.",
)
@click.option(
    "--maintenance",
    multiple=True,
    metavar="COLUMN|TIMES",
    help="No alarm where COLUMN is not 0, or with --time at 'Sun 02:00-04:00'; repeat times.",
)
@click.option("--hidden-size", type=int, help="Size of the net's hidden state.")
@click.option("--seed", type=int, help="Seed of the net's first weights.")
@click.option(
    "--forecast", type=click.IntRange(1, 1000), metavar="N", help="Forecast N events ahead; --plot draws that."
)
@click.option(
    "--period", metavar="N", help="With --forecast: the season in events, or 24,168: a day and a week. [found]"
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="[COLUMN.]SIDE=N",
    help="With --forecast: say when it reaches high=90, or disk.low=5; repeat it for more.",
)
@click.option("--dead-letters", metavar="FILE", help="Keep records that are no events in this file.")
@click.option(
    "--snapshot", metavar="FILE", help="Start from this exported snapshot: its model, and what it has learned."
)
@click.option(
    "--config", "config_file", metavar="CONFIG", help="Instead of FILE: the input of CONFIG, behind the snapshot."
)
@click.option("--partition", help="With --config: the partition to read. [the snapshot's, or all]")
@click.option(
    "--from",
    "start",
    metavar="POSITION",
    help="With --config: the first event. [behind the snapshot, or the beginning]",
)
@click.option("--to", "end", metavar="POSITION", help="With --config: the first event to leave out. [the end]")
@plot_option
@debug
def replay(file: str | None, plot: str | None, *, as_json: bool, **options: Any) -> None:
    """Watch FILE (CSV, JSON, line protocol or Parquet, packed or not; - is standard input), and write one line of JSON for each event.

    What was chosen of FILE stands on standard error: columns, time, key, how numbers and times are written. Options correct it.

    The fields are time, key, value, prediction (what the net expected), score (0 to 1), alarm, position; with --forecast
    also forecast, forecast_low and forecast_high: lists, the next event first, made when this one had come; with --limit
    also limit (when it is reached) and limit_alarm. With --config, a stretch of that configuration's input is read beside
    its run, a Kafka topic too, and nothing is committed.
    """
    with starting():
        from streamrnn.commands.replay import from_command  # noqa: PLC0415

        checked, make = from_command(file, options)

    made: list[Any] = []

    def carry_out(observers: list[Any]) -> Summary:
        from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

        with StopSignals() as stop:
            runtime = make()
            made.append(runtime)
            runtime.stopped = lambda: stop.stopped
            runtime.observers = observers
            return runtime.run()

    title = options["config_file"] if file is None else "standard input" if file == "-" else file

    def chosen() -> Any:
        return made[0].source.chosen()

    run_at_terminal(
        checked,
        carry_out,
        plot=plot,
        title=title,
        chosen=None if file is None else chosen,
        windows=lambda: made[0].windows() if made else {},
        as_json=as_json,
    )
