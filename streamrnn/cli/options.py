"""Options that several commands have, and what each command does first."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from streamrnn.config import Config

__all__ = ["load_config", "starting"]

Option = Callable[[Callable[..., Any]], Callable[..., Any]]
debug: Option = click.option(
    "--debug", is_flag=True, expose_value=False, help="Show the traceback of an error."
)  # main() reads it from the command line: it must work where the command itself fails
plot_option: Option = click.option(
    "--plot", metavar="FILE", help="Draw the run: a .png picture, or an .html page with picture and alarms."
)


@contextlib.contextmanager
def starting() -> Iterator[None]:
    """Import without looking for garbage: there is none, and what is loaded stays. A tenth of a second less to the first score."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def load_config(config_file: str) -> Config:
    """Return a configuration, checked with its model.

    Parameters
    ----------
    config_file
        Its path.

    Raises
    ------
    SourceError, ConfigError
        See :func:`streamrnn.config.load`.
    """
    from streamrnn import config  # noqa: PLC0415
    from streamrnn.scorers.check_model import check_model  # noqa: PLC0415

    return config.load(config_file, check_model)
