"""The picture of a forecast: history, the fan of the bands, and what really came."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Any

import numpy as np

from streamrnn.display.dates import date_axis, dates_of
from streamrnn.display.figure import MOST_PANELS, VALUE, save
from streamrnn.display.forecast_summary import ForecastSummary
from streamrnn.safe_text import safe_name
from streamrnn.scorers.forecast import HIGH, HIGH_HALF, LOW, LOW_HALF, MIDDLE
from streamrnn.scorers.limits import limits_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw_forecast"]

_BAND, _MIDDLE, _NEXT, _LIMIT = "#e08214", "#b35806", "#2c7fb8", "#b2182b"


def draw_forecast(fan: ForecastSummary, path: str, title: str) -> None:
    """Draw the end of a run: what was forecast of its last events before they came, and what is forecast now.

    Parameters
    ----------
    fan
        What the run left.
    path
        Where to, ``.png`` or ``.html``.
    title
        Name of the stream.

    Raises
    ------
    ConfigError, MissingExtraError
        See :func:`streamrnn.display.figure.check_plot`.
    SinkError
        When the file cannot be written.
    """
    heading = _heading(fan, title)
    save(path, lambda figure: _fill(figure, fan, heading), lambda svg: _page(svg, heading))


def _heading(fan: ForecastSummary, title: str) -> str:
    whose = "" if fan.key is None else f", key '{safe_name(fan.key, isolate=False)}'"
    return f"{safe_name(title, isolate=False)}{whose}: {fan.settings.horizon} events ahead, after {fan.events:,}"


def _axis(fan: ForecastSummary) -> tuple[Any, Any, bool]:
    """Return x of the values, x of the events to come, and whether they are dates: steps go on as the last usual one."""
    n, H = len(fan.values), fan.settings.horizon
    dates = dates_of(list(fan.times)) if n > 1 else None
    if dates is None:
        first = fan.events - n
        return np.arange(first, fan.events), np.arange(fan.events, fan.events + H), False
    step = np.median(np.diff(dates).astype(np.int64)).astype("timedelta64[us]")
    return dates, dates[-1] + step * np.arange(1, H + 1), True


def _fill(figure: Figure, fan: ForecastSummary, heading: str) -> None:
    panels = min(len(fan.names), MOST_PANELS)
    figure.set_size_inches(12, 1.2 + 3.4 * panels)
    axes = list(figure.subplots(panels, 1, sharex=True, squeeze=False)[:, 0])
    x, to_come, dates = _axis(fan)
    values = np.array(fan.values)
    H = fan.settings.horizon
    for c, ax in enumerate(axes):
        if len(fan.forecasts) == H + 1 and len(values) > H:
            _draw_fan(
                ax, np.concatenate([x[-H - 1 : -H], x[-H:]]), values[-H - 1, c], fan.forecasts[0][:, c], _BAND, fan
            )
        _draw_fan(ax, np.concatenate([x[-1:], to_come]), values[-1, c], fan.forecasts[-1][:, c], _NEXT, None)
        came = max(len(values) - H, 1)
        ax.plot(x[:came], values[:came, c], color=VALUE, linewidth=1.3, label="history", zorder=4)
        ax.plot(
            x[came - 1 :], values[came - 1 :, c], color=VALUE, linewidth=1.3, marker="o", markersize=3.2,
            label="what really came", zorder=5,
        )  # fmt: skip
        for limit in limits_of(fan.settings, fan.names[c]):
            ax.axhline(limit, color=_LIMIT, linestyle="--", linewidth=1, label="limit")
        ax.set_ylabel(safe_name(fan.names[c], isolate=False))
        ax.margins(x=0.01)
    axes[-1].set_xlabel("time" if dates else "event number")
    if dates:
        date_axis(axes[-1])
    figure.suptitle(heading, x=0.012, ha="left", fontsize=13, fontweight="bold", color="#1f2933")
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=6, frameon=False, borderaxespad=0.2, fontsize=9)


def _draw_fan(ax: Axes, x: Any, start: float, ahead: Any, color: str, fan: ForecastSummary | None) -> None:
    """Draw the bands that open behind the last value known, and the forecast in their middle."""
    from_start = np.vstack([np.full((1, ahead.shape[1]), start), ahead])
    level = None if fan is None else f"{fan.settings.level:.0%} band, forecast before"
    ax.fill_between(x, from_start[:, LOW], from_start[:, HIGH], color=color, alpha=0.2, linewidth=0, label=level)
    ax.fill_between(x, from_start[:, LOW_HALF], from_start[:, HIGH_HALF], color=color, alpha=0.3, linewidth=0)
    label = "forecast before" if fan is not None else "forecast now"
    ax.plot(x, from_start[:, MIDDLE], color=_MIDDLE if fan is not None else color, linewidth=1.6, label=label, zorder=3)


def _page(svg: str, heading: str) -> str:
    """Return a page that holds the picture and needs nothing else."""
    svg = svg[svg.index("<svg") :]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(heading)}</title><style>'
        "body{max-width:1200px;margin:1.5em auto;padding:0 1em}svg{width:100%;height:auto}"
        f"</style></head><body>\n{svg}\n</body></html>\n"
    )
