"""The command line: ``streamrnn run``, ``check``, ``config``, ``replay``, ``snapshot``, ``top``, ``verify`` and ``warmup``.

Nothing heavy is imported before a command knows that it needs it: ``--help`` answers at once.

Exit codes: 0 done or asked to stop; 64 wrong usage; 65 too many dead letters; 66 input missing; 69 nobody answers; 70 a bug; 73 output
cannot be written; 75 temporary; 76 state does not fit; 77 credentials refused; 78 wrong configuration; 128 + n after a second signal n. No secret of a configuration is ever printed.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from streamrnn.config_secrets import redact
from streamrnn.errors import ConfigError, SinkError, StreamrnnError

if TYPE_CHECKING:
    from streamrnn.config import Config
    from streamrnn.engine.loop import Summary
    from streamrnn.io import DeadLetter

__all__ = ["cli", "main"]

EXIT_USAGE = 64
EXIT_BUG = 70
FULL = errno.ENOSPC, errno.EDQUOT, errno.EFBIG

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
_debug: Option = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
)  # main() reads it from the command line: it must work where the command itself fails
_plot: Option = click.option(
    "--plot", metavar="FILE", help="Draw the run: a .png picture, or an .html page with picture and alarms."
)


@contextlib.contextmanager
def _starting() -> Iterator[None]:
    """Import without looking for garbage: there is none, and what is loaded stays. A tenth of a second less to the first score."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="streamrnn", message="%(prog)s %(version)s")
def cli() -> None:
    """Watch a stream with a recurrent net that never stops learning."""


@cli.command(short_help="Run a configuration: source, model, sink.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--fresh", is_flag=True, help="Forget the state and outputs of earlier runs; start from nothing.")
@_plot
@_debug
def run(config_file: str, fresh: bool, plot: str | None) -> None:
    """Run what CONFIG (TOML, YAML or JSON) describes: source -> model -> sink, until the source ends or a signal comes.

    SIGINT (Ctrl-C) and SIGTERM finish what has been read, write it, and exit with 0; a second one ends at once.
    """
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

    with StopSignals(reload=True) as signals:  # before all else: a signal that comes while much is imported counts
        with _starting():
            from streamrnn import config  # noqa: PLC0415
            from streamrnn.daemon.daemon import Daemon  # noqa: PLC0415
            from streamrnn.scorers.model_kinds import check_model  # noqa: PLC0415

            checked = config.load(config_file, check_model)

        def carry_out(observers: list[Any]) -> Summary:
            again = lambda: config.load(config_file, check_model)  # noqa: E731
            return Daemon(checked, again, config_file, fresh=fresh, observers=observers, signals=signals).run()

        _run(checked, carry_out, plot=plot, title=config_file)


@cli.command(short_help="Say what is wrong with a configuration.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--offline", is_flag=True, help="Look at the file alone; try neither source nor sink.")
@_debug
def check(config_file: str, offline: bool) -> None:
    """Say all that is wrong with CONFIG, each with file and line, without running it.

    With --offline no code is run that the file names: of a model module:factory nothing is known but its name.

    Then try what it names: whether the source can be read and the sink written. Exit code 0: it would run; else the
    code that the run would end with (78 wrong configuration, 66 input missing, 73 output cannot be written, ...).
    """
    from streamrnn import config  # noqa: PLC0415
    from streamrnn.commands.check import try_parts, try_together  # noqa: PLC0415
    from streamrnn.scorers.model_kinds import check_model, is_foreign  # noqa: PLC0415

    checked = config.load(config_file, lambda name, given: check_model(name, given, foreign=not offline))
    try_together(checked, foreign=not offline)
    tried = ["offline", *([f"{checked.model.kind!r} was not imported"] if is_foreign(checked.model.kind) else [])]
    wrong: list[StreamrnnError] = []
    if not offline:
        tried, wrong = try_parts(checked)
    for error in wrong:
        _complain(error, sys.argv)
    if wrong:
        sys.exit(wrong[0].exit_code)
    _print(f"{config_file}: good ({'; '.join(tried)}).")


@cli.command(short_help="Compile ahead, so that the first start is warm.")
@click.argument("config_file", metavar="[CONFIG]", required=False)
@_debug
def warmup(config_file: str | None) -> None:
    """Compile what CONFIG needs (a detector with default settings), so that the first start is a warm one.

    Compiled code is kept on disk, beside the package or in NUMBA_CACHE_DIR. For images: at build time.
    """
    import time  # noqa: PLC0415

    from streamrnn.engine.warmup import warm_up  # noqa: PLC0415
    from streamrnn.scorers.model_kinds import model_kind  # noqa: PLC0415

    config = _loaded(config_file) if config_file else None
    kind = model_kind(config.model.kind, config.model.options) if config else model_kind("RNNAnomalyDetector", {})
    started = time.perf_counter()
    warm_up(kind, config.forecast if config else None)
    done = "compiled and kept" if kind.numerics else "none of ours, nothing to compile"
    _print(f"{kind.name}: {done} ({time.perf_counter() - started:.1f} s).")


@cli.command(short_help="Watch a run in the terminal.")
@click.argument("address", default="127.0.0.1:9100")
@click.option("--once", is_flag=True, help="Print one picture and end.")
@click.option(
    "--every", type=click.FloatRange(min=0.1), default=1.0, show_default=True, help="Seconds between two pictures."
)
@_debug
def top(address: str, once: bool, every: float) -> None:
    """Watch a run in the terminal: throughput, alarms, partitions, the worst series with their last values.

    ADDRESS is host:port of its [server]. Ctrl-C ends it; the run does not notice.
    """
    from streamrnn.display.top import watch  # noqa: PLC0415

    watch(address, once=once, every_s=every)


@cli.group(short_help="List, keep and take in what a run has learned.")
def snapshot() -> None:
    """Look at what a run has stored, keep it, take it in elsewhere. All but import change nothing; a run may go on meanwhile."""


def _loaded(config_file: str) -> Config:
    from streamrnn import config  # noqa: PLC0415
    from streamrnn.scorers.model_kinds import check_model  # noqa: PLC0415

    return config.load(config_file, check_model)


@snapshot.command(name="list", short_help="List the snapshots of a run.")
@click.argument("config_file", metavar="CONFIG")
@_debug
def list_(config_file: str) -> None:
    """List the snapshots of CONFIG's run, the newest of each partition first."""
    from streamrnn.commands import snapshot  # noqa: PLC0415

    _print("\n".join(snapshot.listed(_loaded(config_file))))


@snapshot.command(short_help="Show what a snapshot is of.")
@click.argument("config_file", metavar="CONFIG")
@click.argument("name", required=False)
@_debug
def show(config_file: str, name: str | None) -> None:
    """Show what the snapshot NAME (the newest good one) is of: model, numerics, events, keys."""
    from streamrnn.commands import snapshot  # noqa: PLC0415

    _print(snapshot.described(snapshot.chosen(_loaded(config_file), name)))


@snapshot.command(short_help="Write a snapshot to a file.")
@click.argument("config_file", metavar="CONFIG")
@click.argument("file", metavar="FILE")
@click.option("--name", help="Which one. [the newest good one]")
@click.option("--partition", help="Of which partition. [any]")
@_debug
def export(config_file: str, file: str, name: str | None, partition: str | None) -> None:
    """Write a snapshot to FILE: to keep it, to import it elsewhere, to replay from it."""
    from streamrnn.commands import export, snapshot  # noqa: PLC0415

    export.write_export(snapshot.chosen(_loaded(config_file), name, partition), file)


@snapshot.command(name="import", short_help="Have the next run start from a file.")
@click.argument("config_file", metavar="CONFIG")
@click.argument("file", metavar="FILE")
@click.option("--partition", help="Whose it is from now on. [as before]")
@click.option(
    "--from-start", is_flag=True, help="Read the input from its beginning: another one than the snapshot has seen."
)
@click.option(
    "--skip-gap", is_flag=True, help="The input behind the snapshot is gone: go on where the run's results end."
)
@_debug
def import_(config_file: str, file: str, partition: str | None, from_start: bool, skip_gap: bool) -> None:
    """Have the next run of CONFIG start from the exported snapshot FILE, and read on where that one stood.

    The run must not have begun: where it has state of this partition, this is refused. Its outputs begin behind the snapshot.
    With --skip-gap it must have begun, and be stopped: FILE takes the place of its state. Where the input no longer goes back to
    the end of its results either, it goes on at the oldest record there is.
    """
    from streamrnn.commands import export, snapshot  # noqa: PLC0415

    if from_start and skip_gap:
        raise click.UsageError("--from-start and --skip-gap say different places to go on at. Give one of them.")
    one = export.read_export(file)
    position = snapshot.taken_in(
        _loaded(config_file), one, partition=partition, from_start=from_start, skip_gap=skip_gap
    )
    _print(f"{config_file}: partition {partition or one.partition} goes on from {one.name}, position {position}.")


@snapshot.command(short_help="Restore every snapshot, and compare.")
@click.argument("config_file", metavar="CONFIG")
@_debug
def verify(config_file: str) -> None:
    """Restore every snapshot and write it again: good if the bytes are the same. Exit code 76 if any is not."""
    from streamrnn.commands import snapshot  # noqa: PLC0415

    lines, good = snapshot.verified(_loaded(config_file))
    _print("\n".join(lines))
    sys.exit(0 if good else 76)


@cli.command(name="verify", short_help="Prove that a run's results are right.")
@click.argument("config_file", metavar="CONFIG")
@click.option("--snapshot", "file", metavar="FILE", help="Begin behind this exported snapshot. [the input's beginning]")
@click.option("--imported", is_flag=True, help="The run began with that snapshot: its results begin behind it.")
@_debug
def verify_output(config_file: str, file: str | None, imported: bool) -> None:
    """Read CONFIG's input again, and prove that each result its run has written is right, to the last bit.

    Changes nothing; the run may go on meanwhile. Exit code 76 where a result differs: the first one is shown;
    75 where there is none to compare.
    """
    from streamrnn.commands import export, snapshot, verify  # noqa: PLC0415
    from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

    if imported and file is None:
        raise click.UsageError("--imported needs --snapshot FILE, the snapshot that the run began with.")
    start = None if file is None else export.read_export(file)
    config = _loaded(config_file)
    with StopSignals() as stop:
        verdict = verify.verify(config, start, lambda: stop.stopped, imported=imported)
    if not any(verdict.results.values()) and verdict.difference is None and not stop.stopped:
        _print("streamrnn: There is no result to compare yet; nothing is proven.", err=True)
        sys.exit(75)
    for name, n in verdict.results.items():
        _print(f"partition {_one_line(name)}: {n:,} results are the same, bit for bit.")
    if verdict.difference is not None:
        _print(f"streamrnn: {_one_line(verdict.difference)}", err=True)
        if changes := snapshot.other_numerics(config):
            _print(f"streamrnn: The run computes with other numerics ({changes}): verify where it runs.", err=True)
        sys.exit(76)
    sys.exit(128 + 2 if stop.stopped else 0)


@cli.command(name="config", short_help="Print an example, the schema, or all options.")
@click.option(
    "--example",
    metavar="NAME",
    help="A configuration to start from, with comments: file, or the name of another connector.",
)
@click.option("--schema", is_flag=True, help="The JSON Schema of a configuration, for editors.")
@click.option("--options", "page", is_flag=True, help="Every option with type, default and text, as Markdown.")
@_debug
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
    _print(made.removesuffix("\n"))


@cli.command(short_help="Watch a file, or a stretch of a run's input again.")
@click.argument("file", metavar="[FILE]", required=False)
@click.option("--column", "-c", "columns", multiple=True, help="A column to watch; repeat it for more. [all numbers]")
@click.option("--time", "time_column", help="The column that holds the time. [found by name and content]")
@click.option("--key", "key_column", help="The column that says which series an event belongs to. [one series]")
@click.option("--alarm-rate", type=float, help="Share of normal events that may alarm. [0.01]")
@click.option("--hidden-size", type=int, help="Size of the net's hidden state.")
@click.option("--seed", type=int, help="Seed of the net's first weights.")
@click.option(
    "--forecast", type=click.IntRange(1, 1000), metavar="N", help="Forecast N events ahead; --plot draws that."
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
@_plot
@_debug
def replay(file: str | None, plot: str | None, **options: Any) -> None:
    """Watch FILE (CSV or JSON Lines; - is standard input), and write one line of JSON for each event.

    The fields are time, key, value, prediction (what the net expected), score (0 to 1), alarm, position; with --forecast
    also forecast, forecast_low and forecast_high: lists, the next event first, made when this one had come. With --config, a
    stretch of that configuration's input is read beside its run, a Kafka topic too, and nothing is committed.
    """
    with _starting():
        from streamrnn.commands import replay  # noqa: PLC0415

        checked, make = replay.from_command(file, options)

    def carry_out(observers: list[Any]) -> Summary:
        from streamrnn.daemon.signals import StopSignals  # noqa: PLC0415

        with StopSignals() as stop:
            runtime = make()
            runtime.stopped = lambda: stop.stopped
            runtime.observers = observers
            return runtime.run()

    title = options["config_file"] if file is None else "standard input" if file == "-" else file
    _run(checked, carry_out, plot=plot, title=title)


def _run(config: Config, carry_out: Callable[[list[Any]], Summary], *, plot: str | None, title: str) -> None:
    """Run with all that belongs to a terminal: progress, picture, summary."""
    from pathlib import Path  # noqa: PLC0415

    from streamrnn.display.forecast_picture import draw_forecast  # noqa: PLC0415
    from streamrnn.display.forecast_summary import Fan  # noqa: PLC0415
    from streamrnn.display.progress import Progress  # noqa: PLC0415
    from streamrnn.display.run_picture import check_plot, draw  # noqa: PLC0415
    from streamrnn.display.run_summary import Curve  # noqa: PLC0415

    if plot is not None:
        check_plot(plot)
    fan = Fan(config.forecast) if config.forecast.horizon else None
    curve = Curve()
    with Progress() as progress:
        observers: list[Any] = [lambda block, _, summary: progress.show(summary, block.next_position)]
        if plot is not None:
            observers.append(curve if fan is None else fan)
        summary = carry_out(observers)
    drawn = curve.events if fan is None else fan.events
    if plot is not None and fan is not None and drawn:
        draw_forecast(fan, plot, Path(title).stem)
    elif plot is not None and drawn:
        draw(curve, plot, Path(title).stem, config.alarm.warm_up)
    _say(summary, config, sys.stderr.isatty())
    if plot is not None and not drawn:
        _print(f"streamrnn: no event came, so {plot} was not drawn.", err=True)


def _say(summary: Summary, config: Config, terminal: bool) -> None:
    """Say what was done, on standard error: dead letters always, the rest where a person looks."""
    if terminal:
        _print(f"{summary.events:,} events, {summary.alarms:,} alarms.", err=True)
    if summary.dead_letters == 0:
        return
    noun = "record" if summary.dead_letters == 1 else "records"
    places = [place for place in (config.dead_letter.path, config.dead_letter.topic) if place]
    kept = f"; all are in {places[0]}" if places else ""
    _print(f"streamrnn: {summary.dead_letters:,} {noun} could not become events{kept}:", err=True)
    for letter in summary.first_dead_letters:
        _print(f"  {_place(letter)}: {_one_line(letter.reason)}", err=True)
    left = summary.dead_letters - len(summary.first_dead_letters)
    if left:
        _print(f"  ... and {left:,} more.", err=True)


def _place(letter: DeadLetter) -> str:
    return f"position {letter.position}" if letter.line is None else f"line {letter.line}"


def _is_full(error: BaseException) -> bool:
    """Whether standard output is a file on a disk without room: other files have an error of their own."""
    return isinstance(error, OSError) and error.filename is None and error.errno in FULL


def _is_broken_pipe(error: BaseException | None) -> bool:
    """Whether nobody reads standard output any more (``| head``)."""
    return error is not None and (isinstance(error, BrokenPipeError) or _is_broken_pipe(error.__cause__))


def _print(text: str, *, err: bool = False) -> None:
    """Print lines: the one way out, without secrets, and without anything that a terminal would obey."""
    from streamrnn.safe_text import safe_text  # noqa: PLC0415

    terminal = (sys.stderr if err else sys.stdout).isatty()  # a program that reads it has no use for marks of direction
    click.echo("\n".join(safe_text(line, isolate=terminal) for line in redact(text).split("\n")), err=err)


def _warn(message: Warning | str, *_: Any, **__: Any) -> None:
    """Say what Python or a library warns of, without the place in the source; a run says it in its log instead."""
    _print(f"streamrnn: warning: {_one_line(message)}", err=True)


def _one_line(said: object) -> str:
    """Return a message in one line; without secrets before its blanks are others."""
    return " ".join(redact(str(said)).split())


def _complain(error: BaseException, arguments: Sequence[str]) -> int:
    """Say on standard error what went wrong, and return the exit code."""
    if "--debug" in arguments:
        _print("".join(traceback.format_exception(error)).rstrip(), err=True)
    if isinstance(error, ConfigError):
        for problem in error.problems:
            _print(f"streamrnn: {_one_line(problem)}", err=True)
        return error.exit_code
    if isinstance(error, StreamrnnError):
        _print(f"streamrnn: {_one_line(error)}", err=True)
        return error.exit_code
    _print(
        f"streamrnn: a bug: {type(error).__name__}: {_one_line(error)}. Please report it, with the command you ran"
        + ("." if "--debug" in arguments else " and what --debug adds."),
        err=True,
    )
    return EXIT_BUG


def main(arguments: Sequence[str] | None = None, at_end: Callable[[], None] | None = None) -> None:
    """Run the command line and exit with its code.

    Parameters
    ----------
    arguments
        As in ``sys.argv[1:]``, the default.
    at_end
        Called once the exit code is known.

    Examples
    --------
    >>> from streamrnn.cli import main
    >>> main(["replay"])
    Traceback (most recent call last):
    ...
    SystemExit: 64
    """
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        with warnings.catch_warnings():
            warnings.showwarning = _warn
            code = cli.main(list(arguments), prog_name="streamrnn", standalone_mode=False)
    except click.ClickException as error:
        shown = io.StringIO()
        error.show(shown)
        _print(shown.getvalue().rstrip(), err=True)
        code = EXIT_USAGE
    except (click.Abort, KeyboardInterrupt):
        code = 130
    except Exception as error:  # noqa: BLE001  (the last line of defence: a person gets a sentence, not a traceback)
        if _is_broken_pipe(error) or _is_full(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # or the interpreter complains when it flushes at exit
            full = SinkError("Standard output cannot be written: no space left on its disk.")
            code = _complain(full, arguments) if _is_full(error) else 0
        else:
            code = _complain(error, arguments)
    if at_end is not None:
        at_end()
    sys.exit(code or 0)
