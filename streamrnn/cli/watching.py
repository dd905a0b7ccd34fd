"""A run with all that belongs to a terminal: progress, picture, summary."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from streamrnn.cli.terminal import one_line, print_lines
from streamrnn.errors import BadDataError

if TYPE_CHECKING:
    from streamrnn.config import Config
    from streamrnn.engine.monitor import Summary
    from streamrnn.io import DeadLetter

__all__ = ["run_at_terminal"]


def run_at_terminal(
    config: Config,
    carry_out: Callable[[list[Any]], Summary],
    *,
    plot: str | None,
    title: str,
    chosen: Callable[[], Mapping[str, Any] | None] | None = None,
    windows: Callable[[], Mapping[str, int]] = dict,
    as_json: bool = False,
) -> None:
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
    chosen
        Says what the source chose of its input; None: nobody asks.
    windows
        Says what windows hold and what they left out; nothing where records are events.
    as_json
        Whether that is for a program.

    Raises
    ------
    BadDataError
        When what the source chose is said, and most of the input could not be read.
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
    choice = _Choice(chosen, config, as_json=as_json)
    with Progress() as progress:
        observers: list[Any] = [lambda block, _, summary: progress.show(summary, block.next_position), choice]
        if plot is not None:
            observers.append(curve if fan is None else fan)
        summary = carry_out(observers)
    drawn = curve.events if fan is None else fan.events
    if plot is not None and fan is not None and drawn:
        draw_forecast(fan, plot, Path(title).stem)
    elif plot is not None and drawn:
        draw(curve, plot, Path(title).stem, config.alarm.warm_up)
    choice.say()
    _say(summary, config, sys.stderr.isatty())
    choice.say_unread()
    _say_windows(windows(), config)
    if plot is not None and not drawn:
        print_lines(f"streamrnn: no event came, so {plot} was not drawn.", err=True)
    if chosen is not None and summary.dead_letters > summary.events:
        raise BadDataError(
            f"{summary.dead_letters:,} of {summary.events + summary.dead_letters:,} records could not become events. The first: "
            f"{summary.first_dead_letters[0].reason} What was chosen stands above; name what is wrong with an option."
        )


class _Choice:
    """Says once, on standard error, what a source chose of its input, as soon as that is known; an observer of the loop.

    Parameters
    ----------
    chosen
        Says it; None: nobody asks.
    config
        A checked configuration.
    as_json
        Whether it is for a program.
    """

    def __init__(self, chosen: Callable[[], Mapping[str, Any] | None] | None, config: Config, *, as_json: bool) -> None:
        self._chosen = chosen
        self._config = config
        self._as_json = as_json
        self._said = False

    def __call__(self, *_: Any) -> None:
        """Say it, if it was not."""
        self.say()

    def say(self) -> None:
        """Say what was chosen, if it was not said."""
        found = None if self._said or self._chosen is None else self._chosen()
        if found is None:
            return
        self._said = True
        if not self._as_json:
            from streamrnn.display.chosen import chosen_lines  # noqa: PLC0415

            records = self._config.records
            events = [f"  events    windows of {records.every}: {records.aggregate}"] if records.windows else []
            print_lines("\n".join([*chosen_lines(found), *events]), err=True)

    def say_unread(self) -> None:
        """Say at the end what could not be read; for a program, all of it."""
        found = None if self._chosen is None else self._chosen()
        if found is None:
            return
        if self._as_json:
            import json  # noqa: PLC0415

            print_lines(json.dumps(found), err=True)
            return
        from streamrnn.display.chosen import unread_lines  # noqa: PLC0415

        for line in unread_lines(found):
            print_lines(f"streamrnn: {line}", err=True)


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


def _say_windows(counts: Mapping[str, int], config: Config) -> None:
    """Say what windows left out, and that the last ones are still open."""
    from streamrnn.display.chosen import window_lines  # noqa: PLC0415

    for line in window_lines(counts, config.alarms.max_ahead):
        print_lines(f"streamrnn: {line}", err=True)


def _place(letter: DeadLetter) -> str:
    return f"position {letter.position}" if letter.line is None else f"line {letter.line}"
