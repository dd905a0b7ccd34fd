"""``streamrnn run``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from streamrnn.cli.options import debug, plot_option, starting
from streamrnn.cli.watching import run_at_terminal

if TYPE_CHECKING:
    from streamrnn.engine.monitor import Summary


@click.command(short_help="Run a configuration: source, model, sink.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--fresh", is_flag=True, help="Forget the state and outputs of earlier runs; start from nothing.")
@plot_option
@debug
def run(config_file: str, fresh: bool, plot: str | None) -> None:
    """Run what CONFIG (TOML, YAML or JSON) describes: source -> model -> sink, until the source ends or a signal comes.

    SIGINT (Ctrl-C) and SIGTERM finish what has been read, write it, and exit with 0; a second one ends at once.
    """
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

    # before all else: a signal that comes while much is imported counts
    with StopSignals(reload=True, own_process=True) as signals:
        with starting():
            from streamrnn import config  # noqa: PLC0415
            from streamrnn.daemon.daemon import Daemon  # noqa: PLC0415
            from streamrnn.scorers.check_model import check_model  # noqa: PLC0415

            checked = config.load(config_file, check_model)

        def carry_out(observers: list[Any]) -> Summary:
            again = lambda: config.load(config_file, check_model)  # noqa: E731
            return Daemon(checked, again, config_file, fresh=fresh, observers=observers, signals=signals).run()

        run_at_terminal(checked, carry_out, plot=plot, title=config_file)
