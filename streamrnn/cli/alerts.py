"""``streamrnn alerts``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from streamrnn.cli.options import debug, load_config
from streamrnn.cli.terminal import print_lines

if TYPE_CHECKING:
    from streamrnn.commands.receivers import Receiver
    from streamrnn.config import Config


class _OrPost(click.Group):
    """A group whose name before a configuration means ``post``."""

    default = "post"

    def resolve_command(self, ctx: click.Context, args: list[str]) -> Any:
        """Return the command that is asked for."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [self.default, *args])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Leave options in front of the configuration to ``post``."""
        mine = not args or args[0] in self.commands or args[0] in ctx.help_option_names
        return super().parse_args(ctx, args if mine else [self.default, *args])


@click.group(cls=_OrPost, short_help="Tell a webhook or an Alertmanager of a run's alarms.")
def alerts() -> None:
    """Tell those who are to know of a run's alarms: `streamrnn alerts CONFIG` posts them, `streamrnn alerts test CONFIG` tries the way."""


_receivers = (
    click.option("--webhook", metavar="URL", help="Where to, each as JSON. [[alarms] webhook]"),
    click.option("--alertmanager", metavar="URL", help="Where to, as alerts of its API. [[alarms] alertmanager]"),
)


def _to(command: Any) -> Any:
    for option in reversed(_receivers):
        command = option(command)
    return command


@alerts.command(short_help="Post them, as they come.")
@click.argument("config_file", metavar="CONFIG")
@_to
@click.option("--position", metavar="FILE", help="File that keeps how far it has come. [[alarms] position_file]")
@click.option("--once", is_flag=True, help="End when all that was committed is posted.")
@debug
def post(config_file: str, webhook: str | None, alertmanager: str | None, position: str | None, once: bool) -> None:
    """Post the alarms that CONFIG's run has committed to a webhook, an Alertmanager or both, until a signal comes.

    Each start and each end of an episode is posted at least once, in order, with the same id whenever it is posted again. A receiver
    that is away, or answers with 5xx, is tried again; nothing is held in memory alone, and no receiver waits for another.
    """
    from streamrnn.commands.alerts import alarm_sink, post_to_all  # noqa: PLC0415
    from streamrnn.daemon.log import say, set_up  # noqa: PLC0415
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415
    from streamrnn.engine.assemble import client_loggers  # noqa: PLC0415
    from streamrnn.errors import ConfigError  # noqa: PLC0415

    with StopSignals() as stop:
        config = load_config(config_file)
        found, kept = _asked(config, webhook, alertmanager), position or config.alarms.position_file
        if kept is None:
            raise ConfigError(
                "[alarms] position_file: is missing. Name a file of its own, or one with --position FILE."
            )
        set_up(config.log.format, config.log.level, clients=client_loggers(config))
        sinks = [(one, alarm_sink(config)) for one in found]
        sent = post_to_all(
            sinks, kept, max_per_hour=config.alarms.max_per_hour, once=once, stopped=lambda: stop.stopped, say=say
        )
    for one in sent:
        more = "".join(f", {n:,} {what}" for n, what in ((one.refused, "refused"), (one.held, "held back")) if n)
        to = "" if len(sent) == 1 else f" to the {one.receiver.name}"
        print_lines(f"streamrnn: {one.posted:,} alarms posted{to}{more}.", err=True)


@alerts.command(short_help="Send a test alarm, and say what became of it.")
@click.argument("config_file", metavar="CONFIG")
@_to
@debug
def test(config_file: str, webhook: str | None, alertmanager: str | None) -> None:
    """Tell each receiver of CONFIG of an alarm that says it is a test, and of its end at once."""
    from streamrnn.commands.alerts_test import tried  # noqa: PLC0415

    for line in tried(_asked(load_config(config_file), webhook, alertmanager)):
        print_lines(line)


def _asked(config: Config, webhook: str | None, alertmanager: str | None) -> list[Receiver]:
    """Return who is to be told."""
    from streamrnn.commands.receivers import Alertmanager, Webhook  # noqa: PLC0415
    from streamrnn.errors import ConfigError  # noqa: PLC0415

    alarms = config.alarms
    webhook, alertmanager = webhook or alarms.webhook, alertmanager or alarms.alertmanager
    if webhook is None and alertmanager is None:
        raise ConfigError(
            "[alarms] webhook: is missing. Set it or alertmanager, or name it with --webhook URL or --alertmanager URL."
        )
    for name, url in (("--webhook", webhook), ("--alertmanager", alertmanager)):
        if url is not None and not url.startswith(("http://", "https://")):
            raise click.UsageError(f"{name} must begin with http:// or https://.")
    found: list[Receiver] = []
    if webhook is not None:
        found.append(Webhook(webhook, alarms.timeout_s))
    if alertmanager is not None:
        found.append(Alertmanager(alertmanager, alarms.timeout_s, alarms.labels, alarms.link))
    return found
