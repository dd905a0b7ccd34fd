"""``streamrnn backfill``."""

from __future__ import annotations

import click

from streamrnn.cli.options import debug, load_config
from streamrnn.cli.terminal import one_line, print_lines


@click.command(short_help="Learn from history, and have a run go on behind it.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--history", metavar="CONFIG", help="Whose [source] is the history. [that of CONFIG, up to its end now]")
@click.option("--partition", help="Which partition of the run goes on from a history with one. [that of the same name]")
@debug
def backfill(config_file: str, history: str | None, partition: str | None) -> None:
    """Learn from what there is already, write no results, and have the next run of CONFIG start from that.

    Without --history the input of CONFIG is read, from its beginning to what is its end now; the run goes on exactly there: no event is
    left out and none is learned twice. With --history another input is read, and the run reads its own from its beginning.
    The run must not have begun. Nothing is stored before all is learned.
    """
    from streamrnn.commands.backfill import backfill as learn  # noqa: PLC0415
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415
    from streamrnn.display.progress import Progress  # noqa: PLC0415
    from streamrnn.engine.monitor import Summary  # noqa: PLC0415

    config = load_config(config_file)
    past = None if history is None else load_config(history)
    summary = Summary()
    with StopSignals() as stop, Progress() as progress:

        def told(events: int) -> None:
            summary.events = events
            progress.show(summary, position=events)

        lines = learn(config, past, partition, lambda: stop.stopped, told)
    print_lines("\n".join(one_line(line) for line in lines))
