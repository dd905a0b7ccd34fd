"""``streamrnn alerts``."""

from __future__ import annotations

import click

from streamrnn.cli.options import debug, load_config
from streamrnn.cli.terminal import print_lines


@click.command(short_help="Post a run's alarms to a webhook.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--webhook", metavar="URL", help="Where to. [[alarms] webhook]")
@click.option("--position", metavar="FILE", help="File that keeps how far it has come. [[alarms] position_file]")
@click.option("--once", is_flag=True, help="End when all that was committed is posted.")
@debug
def alerts(config_file: str, webhook: str | None, position: str | None, once: bool) -> None:
    """Post the alarms that CONFIG's run has committed to a webhook, as JSON, until a signal comes.

    Each start and each end of an episode is posted at least once, in order, with the same id in the header Idempotency-Key whenever it
    is posted again. A receiver that is away, or answers with 5xx, is tried again; nothing is held in memory alone.
    """
    from streamrnn.commands.alerts import Alerts, alarm_sink  # noqa: PLC0415
    from streamrnn.daemon.log import say, set_up  # noqa: PLC0415
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415
    from streamrnn.engine.assemble import client_loggers  # noqa: PLC0415
    from streamrnn.errors import ConfigError  # noqa: PLC0415

    with StopSignals() as stop:
        config = load_config(config_file)
        to, kept = webhook or config.alarms.webhook, position or config.alarms.position_file
        if to is None:
            raise ConfigError("[alarms] webhook: is missing. Set it, or name it with --webhook URL.")
        if not to.startswith(("http://", "https://")):
            raise click.UsageError("--webhook must begin with http:// or https://.")
        if kept is None:
            raise ConfigError(
                "[alarms] position_file: is missing. Name a file of its own, or one with --position FILE."
            )
        set_up(config.log.format, config.log.level, clients=client_loggers(config))
        timeout_s = config.alarms.timeout_s
        sent = Alerts(alarm_sink(config), to, kept, timeout_s=timeout_s, stopped=lambda: stop.stopped, say=say)
        sent.run(once=once)
    refused = f", {sent.refused:,} refused" if sent.refused else ""
    print_lines(f"streamrnn: {sent.posted:,} alarms posted{refused}.", err=True)
