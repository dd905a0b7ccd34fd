"""Figures of one look, written as a picture or as a page around one."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from streamrnn.errors import ConfigError, MissingExtraError, SinkError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["check_plot", "save"]

MOST_PANELS = 4
"""Features drawn; more would not be read."""

VALUE = "#1b3a57"
"""Colour of what came, in every picture."""

_STYLE: Any = {
    "font.family": "DejaVu Sans",  # ships with matplotlib: the same picture everywhere
    "font.size": 10,
    "text.parse_math": False,  # a name is no formula, whatever it holds
    "text.usetex": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa5b1",
    "axes.labelcolor": "#333d47",
    "xtick.color": "#333d47",
    "ytick.color": "#333d47",
    "axes.grid": True,
    "grid.color": "#e3e8ed",
    "grid.linewidth": 0.7,
    "axes.axisbelow": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "streamrnn",  # fixed, so that two pictures of the same run are the same bytes
}


def check_plot(path: str) -> None:
    """Raise, before a long run, what drawing to ``path`` would raise after it.

    Parameters
    ----------
    path
        Where to.

    Raises
    ------
    ConfigError
        When the name ends in neither ``.png`` nor ``.html``.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> from streamrnn.display.figure import check_plot
    >>> check_plot("out.gif")
    Traceback (most recent call last):
    ...
    streamrnn.errors.ConfigError: --plot: the file must end in .png or .html. Got 'out.gif' instead.
    """
    if Path(path).suffix.lower() not in (".png", ".html"):
        raise ConfigError(f"--plot: the file must end in .png or .html. Got {path!r} instead.")
    try:
        import matplotlib as mpl  # noqa: F401, PLC0415  (an extra, and 0.2 s)
    except ImportError as error:
        raise MissingExtraError("Pictures need matplotlib: pip install 'streamrnn[plot]'") from error


def save(path: str, fill: Callable[[Figure], None], page: Callable[[str], str]) -> None:
    """Draw on a figure and write it, as a picture or as a page around one.

    Parameters
    ----------
    path
        ``.png`` or ``.html``.
    fill
        Draws.
    page
        Makes a page of an SVG.

    Raises
    ------
    ConfigError, MissingExtraError
        See :func:`check_plot`.
    SinkError
        When the file cannot be written.
    """
    check_plot(path)
    import matplotlib as mpl  # noqa: PLC0415
    from matplotlib.figure import Figure  # noqa: PLC0415

    with mpl.rc_context(_STYLE):
        figure = Figure(layout="constrained", dpi=130)
        fill(figure)
        buffer = io.BytesIO()
        if Path(path).suffix.lower() == ".png":
            figure.savefig(buffer, format="png", metadata={"Software": None})
            content = buffer.getvalue()
        else:
            figure.savefig(buffer, format="svg", metadata=dict.fromkeys(("Date", "Creator", "Format", "Type")))
            content = page(buffer.getvalue().decode()).encode()
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_bytes(content)
    except OSError as error:
        raise SinkError(f"--plot: {path!r} cannot be written: {error.strerror}.") from error
