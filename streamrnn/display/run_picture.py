"""The picture of a run: what came, what the net expected, the score, and where it alarmed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from streamrnn.display.dates import date_axis, date_of
from streamrnn.display.figure import MOST_PANELS, VALUE, save
from streamrnn.display.run_page import page_of
from streamrnn.display.run_summary import RunSummary
from streamrnn.display.span import span_of
from streamrnn.safe_text import safe_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw"]

_MAX_REASONS = 8  # alarms with their reason beside them: more would not be read
_LONGEST, _WIDE, _HIGH = (
    28,
    0.0062,
    0.16,
)  # letters of a reason; the width of one, and the height of a line, of the panel
_EXPECTED, _ALARM, _SCORE, _REASON = "#e08214", "#c8102e", "#5b6b7a", "#8f0b21"


def draw(run: RunSummary, path: str, title: str, warm_up: int = 0) -> None:
    """Draw a run as a PNG, or as a self-contained HTML page with the picture inside.

    Parameters
    ----------
    run
        What the run left.
    path
        Where to, ``.png`` or ``.html``.
    title
        Name of the stream.
    warm_up
        Events at the start that could not alarm; drawn shaded.

    Raises
    ------
    ConfigError, MissingExtraError
        See :func:`streamrnn.display.figure.check_plot`.
    SinkError
        When the file cannot be written.
    """
    save(path, lambda figure: _fill(figure, run, title, warm_up), lambda svg: page_of(svg, run, title))


def _axis(run: RunSummary) -> tuple[Any, Any, str, bool]:
    """Return x of the buckets, x of their alarms, the axis' label, and whether they are dates."""
    b = run.buckets
    times = [date_of(t) for t in b.time]
    if any(t is None for t in times):
        return b.index, b.top_index, "event number", False
    if any(later < earlier for earlier, later in pairwise(times)):  # type: ignore[operator]
        return b.index, b.top_index, "event number (the times of this stream run backward in places)", False
    zone = any((isinstance(t, str) and t[-6:-5] in ("+", "-")) or str(t).endswith(("Z", "z")) for t in b.time[:1])
    label = "time (UTC)" if zone or not isinstance(b.time[0], str) else "time"
    x = np.array(times, dtype="datetime64[us]")
    tops = np.array([date_of(t) or times[i] for i, t in enumerate(b.top_time)], dtype="datetime64[us]")
    return x, tops, label, True


def _zigzag(x: Any, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the line through the lowest and highest value of each bucket, broken where the stream paused."""
    gaps = _gaps(x)
    low = np.insert(low, gaps, np.nan)
    high = np.insert(high, gaps, np.nan)
    x = np.insert(x, gaps, x[gaps])
    if np.array_equal(low, high, equal_nan=True):
        return x, low
    return np.repeat(x, 2), np.column_stack([low, high]).ravel()


def _gaps(x: Any) -> Any:
    """Return the places before which the stream paused: a step of more than ten usual ones."""
    steps = np.diff(x)
    if len(steps) < 2:
        return np.empty(0, dtype=np.int64)
    return np.flatnonzero(steps > 10 * np.median(steps)) + 1


def _fill(figure: Figure, run: RunSummary, title: str, warm_up: int) -> None:
    features = min(len(run.names), MOST_PANELS)
    figure.set_size_inches(12, 1.0 + 3.1 * features + 1.7)
    grid = figure.subplots(
        features + 1, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [3.1] * features + [1.7]}
    )
    axes: Sequence[Axes] = list(grid[:, 0])
    b = run.buckets
    x, tops, label, dates = _axis(run)
    alarmed = b.alarms > 0
    for i, ax in enumerate(axes[:-1]):
        _value_panel(ax, run, i, x, tops)
    score = axes[-1]
    score_x, score_y = _zigzag(x, b.score, b.score)
    score.fill_between(score_x, 0, score_y, color=_SCORE, alpha=0.25, linewidth=0)
    score.plot(score_x, score_y, color=_SCORE, linewidth=0.9)
    score.plot(tops[alarmed], b.alarm_score[alarmed], "o", color=_ALARM, markersize=4.5, zorder=5)
    _say_why(score, run, x, tops)
    score.set_yscale("function", functions=(_root, np.square))  # an alarm at a hundredth of the largest is seen
    score.set_yticks([0, 0.01, 0.1, 0.25, 0.5, 1], ["0", "0.01", "0.1", "0.25", "0.5", "1"])
    score.set_ylim(0, 1.15)
    score.set_ylabel("anomaly score\n(0 to 1)")
    score.set_xlabel(label)
    _shade(axes, x, tops[alarmed], run, warm_up)
    score.margins(x=0.005)
    if dates:
        date_axis(score)
    _head(figure, axes, run, title)


def _root(score: Any) -> Any:
    return np.sqrt(np.maximum(score, 0.0))


def _say_why(ax: Axes, run: RunSummary, x: Any, tops: Any) -> None:
    """Write what decided beside the strongest alarms, where there is room."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    b = run.buckets
    taken: list[tuple[float, float, float]] = []
    for i in np.argsort(-b.alarm_score, kind="stable")[: int((b.alarms > 0).sum())].tolist():
        said = run.reason(i, _LONGEST)
        if not said or len(taken) == _MAX_REASONS or x[-1] == x[0]:
            continue
        score = float(b.alarm_score[i])
        place, width, height = float((tops[i] - x[0]) / (x[-1] - x[0])), _WIDE * len(said) + 0.01, math.sqrt(score)
        right = place + width > 1
        start = place - width if right else place
        if any(start < end and begin < start + width and abs(height - other) < _HIGH for begin, end, other in taken):
            continue
        taken.append((start, start + width, height))
        ax.annotate(
            said, (tops[i], score), (-6 if right else 6, 3), textcoords="offset points", ha="right" if right else "left",
            fontsize=8, color=_REASON, zorder=6, path_effects=[withStroke(linewidth=2.5, foreground="white")],
        )  # fmt: skip


def _value_panel(ax: Axes, run: RunSummary, i: int, x: Any, tops: Any) -> None:
    b = run.buckets
    ax.plot(
        *_zigzag(x, b.expected_low[:, i], b.expected_high[:, i]),
        color=_EXPECTED, linewidth=3.2, alpha=0.55, label="expected before it came", zorder=2, solid_joinstyle="round",
    )  # fmt: skip
    ax.plot(*_zigzag(x, b.low[:, i], b.high[:, i]), color=VALUE, linewidth=1.1, label="value", zorder=3)
    own = (b.alarms > 0) & ((b.feature == i) | (b.feature < 0))  # the bands show the alarms of the others
    values = np.concatenate([b.low[:, i], b.high[:, i]])
    low, high = span_of(values)
    ax.plot(
        tops[own], np.clip(b.top[own, i], low, high), "o",
        color=_ALARM, markersize=6, markeredgecolor="white", markeredgewidth=0.8, label="alarm", zorder=5,
    )  # fmt: skip
    ax.set_ylabel(safe_name(run.names[i], isolate=False))
    if low <= high:  # the values set the scale: a wild first expectation must not flatten them
        margin = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
        ax.set_ylim(low - margin, high + margin)
        _say_beyond(ax, values, low, high)


def _say_beyond(ax: Axes, values: Any, low: float, high: float) -> None:
    """Say on a panel that values lie beyond its axis, and how far they go."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    beyond = values[(values < low) | (values > high)]
    if not len(beyond):
        return
    furthest = beyond[np.argmax(np.abs(beyond - 0.5 * (low + high)))]
    ax.annotate(
        f"axis cut: values go to {furthest:,.6g}", (1, 1), (-6, -6), xycoords="axes fraction", textcoords="offset points", ha="right", va="top",
        fontsize=8, color=_REASON, zorder=6, path_effects=[withStroke(linewidth=2.5, foreground="white")],
    )  # fmt: skip


def _shade(axes: Sequence[Axes], x: Any, tops: Any, run: RunSummary, warm_up: int) -> None:
    """Shade the warm-up in grey, each run of alarms in red, and what belongs to one in pale red, on all panels."""
    b = run.buckets
    warm = min(int(np.searchsorted(b.index, warm_up)), len(x) - 1)
    span = x[-1] - x[0]
    pad = span / 400  # a single alarm stays visible
    for i, (start, end) in enumerate(_stretches(b.goes_on)):
        said = "belongs to an alarm" if i == 0 else None
        for ax in axes:
            ax.axvspan(x[start], x[min(end, len(x) - 1)], color=_ALARM, alpha=0.08, linewidth=0, zorder=0, label=said)
    runs: list[list[Any]] = []
    for top in tops:
        if runs and top - runs[-1][1] <= 2 * pad:
            runs[-1][1] = top
        else:
            runs.append([top, top])
    for ax in axes:
        if warm > 0:
            ax.axvspan(x[0], x[warm], color="#8593a1", alpha=0.13, linewidth=0, zorder=0)
        for start, end in runs:
            ax.axvspan(start - pad, end + pad, color=_ALARM, alpha=0.16, linewidth=0, zorder=1)
    if warm > 0:
        axes[0].annotate(
            "warm-up: no alarms yet", (x[0], 1), (6, -6),
            xycoords=("data", "axes fraction"), textcoords="offset points", va="top", fontsize=9, color="#5b6b7a",
        )  # fmt: skip


def _stretches(flags: Any) -> list[tuple[int, int]]:
    """Return the first place and the one behind the last of each run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(start), int(end)) for start, end in edges.reshape(-1, 2)]


def _head(figure: Figure, axes: Sequence[Axes], run: RunSummary, title: str) -> None:
    whose = "" if run.key is None else f", key '{safe_name(run.key, isolate=False)}'"
    whose += " (the first of several)" if run.other_keys else ""
    more = f"; {len(axes) - 1} of {len(run.names)} features drawn" if len(run.names) > len(axes) - 1 else ""
    plural = "alarm" if run.alarms == 1 else "alarms"
    figure.suptitle(
        f"{safe_name(title, isolate=False)}{whose}: {run.alarms:,} {plural} in {run.events:,} events{more}",
        x=0.012, ha="left", fontsize=13, fontweight="bold", color="#1f2933",
    )  # fmt: skip
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, borderaxespad=0.2)
