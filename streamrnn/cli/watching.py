"""A run with all that belongs to a terminal: progress, picture, summary."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from streamrnn.cli.terminal import one_line, print_lines

if TYPE_CHECKING:
    from streamrnn.config import Config
    from streamrnn.engine.monitor import Summary
    from streamrnn.io import DeadLetter

__all__ = ["run_at_terminal"]


def run_at_terminal(config: Config, carry_out: Callable[[list[Any]], Summary], *, plot: str | None, title: str) -> None:
    """Run with all that belongs to a terminal: progress, picture, summary.

    Parameters
    ----------
    config
        A checked configuration.
    carry_out
        Runs with these observers.
    plot
        File of the picture; None: none is wanted.
    title
        What the picture calls the run.
    """
    from pathlib import Path  # noqa: PLC0415

    from streamrnn.display.figure import check_plot  # noqa: PLC0415
    from streamrnn.display.forecast_picture import draw_forecast  # noqa: PLC0415
    from streamrnn.display.forecast_summary import ForecastSummary  # noqa: PLC0415
    from streamrnn.display.progress import Progress  # noqa: PLC0415
    from streamrnn.display.run_picture import draw  # noqa: PLC0415
    from streamrnn.display.run_summary import RunSummary  # noqa: PLC0415

    if plot is not None:
        check_plot(plot)
    fan = ForecastSummary(config.forecast) if config.forecast.horizon else None
    curve = RunSummary()
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
        print_lines(f"streamrnn: no event came, so {plot} was not drawn.", err=True)


def _say(summary: Summary, config: Config, terminal: bool) -> None:
    """Say what was done, on standard error: dead letters always, the rest where a person looks."""
    if terminal:
        print_lines(f"{summary.events:,} events, {summary.alarms:,} alarms.", err=True)
    if summary.dead_letters == 0:
        return
    noun = "record" if summary.dead_letters == 1 else "records"
    places = [place for place in (config.dead_letter.path, config.dead_letter.topic) if place]
    kept = f"; all are in {places[0]}" if places else ""
    print_lines(f"streamrnn: {summary.dead_letters:,} {noun} could not become events{kept}:", err=True)
    for letter in summary.first_dead_letters:
        print_lines(f"  {_place(letter)}: {one_line(letter.reason)}", err=True)
    left = summary.dead_letters - len(summary.first_dead_letters)
    if left:
        print_lines(f"  ... and {left:,} more.", err=True)


def _place(letter: DeadLetter) -> str:
    return f"position {letter.position}" if letter.line is None else f"line {letter.line}"
