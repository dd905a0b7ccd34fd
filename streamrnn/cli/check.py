"""``streamrnn check``, ``warmup``, ``top``, ``config`` and ``schema``: before a run, and beside it."""

from __future__ import annotations

import sys
from functools import partial
from typing import TYPE_CHECKING

import click

from streamrnn.cli.options import debug, load_config
from streamrnn.cli.terminal import complain, print_lines

if TYPE_CHECKING:
    from streamrnn.errors import StreamrnnError


@click.command(short_help="Say what is wrong with a configuration.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--offline", is_flag=True, help="Look at the file alone; try neither source nor sink.")
@debug
def check(config_file: str, offline: bool) -> None:
    """Say all that is wrong with CONFIG, each with file and line, without running it.

    With --offline no code is run that the file names: of a model module:factory nothing is known but its name.

    Then try what it names: whether the source can be read and the sink written. Exit code 0: it would run; else the
    code that the run would end with (78 wrong configuration, 66 input missing, 73 output cannot be written, ...).
    """
    from streamrnn import config  # noqa: PLC0415
    from streamrnn.commands.check import try_parts, try_together  # noqa: PLC0415
    from streamrnn.scorers.check_model import check_model, is_foreign  # noqa: PLC0415

    checked = config.load(config_file, partial(check_model, foreign=not offline))
    try_together(checked, foreign=not offline)
    tried = ["offline", *([f"{checked.model.kind!r} was not imported"] if is_foreign(checked.model.kind) else [])]
    wrong: list[StreamrnnError] = []
    if not offline:
        tried, wrong = try_parts(checked)
    for error in wrong:
        complain(error, sys.argv)
    if wrong:
        sys.exit(wrong[0].exit_code)
    print_lines(f"{config_file}: good ({'; '.join(tried)}).")


@click.command(short_help="Compile ahead, so that the first start is warm.")
@click.argument("config_file", metavar="[CONFIG]", required=False)
@debug
def warmup(config_file: str | None) -> None:
    """Compile what CONFIG needs (a detector with default settings), so that the first start is a warm one.

    Compiled code is kept on disk, beside the package or in NUMBA_CACHE_DIR. For images: at build time.
    """
    import time  # noqa: PLC0415

    from streamrnn.engine.warmup import warm_columns, warm_up  # noqa: PLC0415
    from streamrnn.scorers.kinds import model_kind  # noqa: PLC0415

    config = load_config(config_file) if config_file else None
    kind = model_kind(config.model.kind, config.model.options) if config else model_kind("RNNAnomalyDetector", {})
    started = time.perf_counter()
    warm_up(kind, config.forecast if config else None)
    if kind.numerics:
        warm_columns()
    done = "compiled and kept" if kind.numerics else "none of ours, nothing to compile"
    print_lines(f"{kind.name}: {done} ({time.perf_counter() - started:.1f} s).")


@click.command(short_help="Watch a run in the terminal.")
@click.argument("address", default="127.0.0.1:9100")
@click.option("--once", is_flag=True, help="Print one picture and end.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between two pictures."
)
@debug
def top(address: str, once: bool, every: float) -> None:
    """Watch a run in the terminal: throughput, alarms, partitions, the worst keys with their last values.

    ADDRESS is host:port of its [server]. Ctrl-C ends it; the run does not notice.
    """
    from streamrnn.display.top import watch  # noqa: PLC0415

    watch(address, once=once, every_s=every)


@click.command(name="config", short_help="Print an example, the schema, or all options.")
@click.option(
    "--example",
    metavar="NAME",
    help="A configuration to start from, with comments: file, or the name of another connector.",
)
@click.option("--schema", is_flag=True, help="The JSON Schema of a configuration, for editors.")
@click.option("--options", "page", is_flag=True, help="Every option with type, default and text, as Markdown.")
@debug
def describe(example: str | None, schema: bool, page: bool) -> None:
    """Print a configuration to start from, its JSON Schema, or the list of all options."""
    if [example is not None, schema, page].count(True) != 1:
        raise click.UsageError("Give one of --example NAME, --schema, --options.")
    if example is not None:
        from streamrnn.io import find_example  # noqa: PLC0415

        made = find_example(example)
    else:
        from streamrnn.commands import config_docs  # noqa: PLC0415

        made = config_docs.schema() if schema else config_docs.page()
    print_lines(made.removesuffix("\n"))


@click.command(name="schema", short_help="Print the JSON Schema of what a run writes.")
@click.argument("output", type=click.Choice(["result", "alarm", "dead-letter"]))
@click.argument("config_file", metavar="[CONFIG]", required=False)
@debug
def output_schema(output: str, config_file: str | None) -> None:
    """Print the JSON Schema of a result, an alarm or a dead letter: one line of what a run writes.

    With CONFIG, a result has the fields that it names, all of them.
    """
    from streamrnn.commands.output_schema import schema  # noqa: PLC0415

    fields = load_config(config_file).output.fields if config_file else None
    print_lines(schema(output, fields).removesuffix("\n"))
