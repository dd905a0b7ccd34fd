"""``streamrnn replay``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from streamrnn.cli.options import debug, plot_option, starting
from streamrnn.cli.watching import run_at_terminal

if TYPE_CHECKING:
    from streamrnn.engine.monitor import Summary


@click.command(short_help="Watch a file, or a stretch of a run's input again.")
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--column", "-c", "columns", multiple=True, help="A column to watch; repeat it for more. [all numbers]")
@click.option("--time", "time_column", help="The column that holds the time. [found by name and content]")
@click.option("--key", "key_column", help="The column that says which key an event belongs to. [one key]")
@click.option("--alarm-rate", type=float, help="Share of normal events that may alarm. [0.01]")
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
def replay(file: str | None, plot: str | None, **options: Any) -> None:
    """Watch FILE (CSV or JSON Lines; - is standard input), and write one line of JSON for each event.

    The fields are time, key, value, prediction (what the net expected), score (0 to 1), alarm, position; with --forecast
    also forecast, forecast_low and forecast_high: lists, the next event first, made when this one had come; with --limit
    also limit (when it is reached) and limit_alarm. With --config, a stretch of that configuration's input is read beside
    its run, a Kafka topic too, and nothing is committed.
    """
    with starting():
        from streamrnn.commands.replay import from_command  # noqa: PLC0415

        checked, make = from_command(file, options)

    def carry_out(observers: list[Any]) -> Summary:
        from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

        with StopSignals() as stop:
            runtime = make()
            runtime.stopped = lambda: stop.stopped
            runtime.observers = observers
            return runtime.run()

    title = options["config_file"] if file is None else "standard input" if file == "-" else file
    run_at_terminal(checked, carry_out, plot=plot, title=title)
