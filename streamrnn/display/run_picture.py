"""The picture of a run: what came, what the net expected, how surprised it was, where it alarmed."""

from __future__ import annotations

import html
import io
import math
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from streamrnn.display.run_summary import RunSummary
from streamrnn.errors import ConfigError, MissingExtraError, SinkError
from streamrnn.safe_text import safe_name

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["check_plot", "date_axis", "dates_of", "draw", "save"]

_MAX_PANELS = 4  # features drawn; more would not be read
_CELL = 64  # places of a cell in the page: a name and a reason
_MAX_ROWS = 50  # alarms listed in the page
_MAX_REASONS = 8  # alarms with their reason beside them: more would not be read
_LONGEST, _WIDE, _HIGH = (
    28,
    0.0062,
    0.16,
)  # letters of a reason; the width of one, and the height of a line, of the panel
_VALUE, _EXPECTED, _ALARM, _SCORE, _REASON = "#1b3a57", "#e08214", "#c8102e", "#5b6b7a", "#8f0b21"

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

_DATES: dict[str, Any] = {  # each tick readable by itself: day and month, or hour and day where the day begins
    "formats": ["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%S.%f"],
    "zero_formats": ["", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
    "offset_formats": ["", "", "%Y", "%Y", "%d %b %Y", "%d %b %Y %H:%M"],
}


def check_plot(path: str) -> None:
    """Raise, before a long run, what drawing to ``path`` would raise after it.

    Raises
    ------
    ConfigError
        When the name ends in neither ``.png`` nor ``.html``.
    MissingExtraError
        When matplotlib is not installed.

    Examples
    --------
    >>> from streamrnn.display.run_picture import check_plot
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


def draw(curve: RunSummary, path: str, title: str, warm_up: int = 0) -> None:
    """Draw a run as a PNG, or as a self-contained HTML page with the picture inside.

    Parameters
    ----------
    curve
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
        See :func:`check_plot`.
    SinkError
        When the file cannot be written.
    """
    save(path, lambda figure: _fill(figure, curve, title, warm_up), lambda svg: _page(svg, curve, title))


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


def _number(text: object) -> float | None:
    try:
        return float(text) if isinstance(text, str | float | int) else None
    except ValueError:
        return None


def _parse_time(text: object) -> datetime | None:
    """Return a time of the input, in UTC where it names a zone; None where it is none."""
    try:
        number = _number(text)
        if number is None and isinstance(text, str):
            found = datetime.fromisoformat(text)
            return found.astimezone(UTC).replace(tzinfo=None) if found.tzinfo else found
        if number is not None and math.isfinite(number):
            # Seconds, or the milli-, micro- or nanoseconds that give a year we live in.
            scale = next((s for s in (1.0, 1e3, 1e6, 1e9) if abs(number) / s < 1e10), 1e9)
            return datetime.fromtimestamp(number / scale, UTC).replace(tzinfo=None)
    except (ValueError, OverflowError, OSError):
        pass
    return None


def dates_of(times: Sequence[object]) -> Any:
    """Return times of the input as an array of dates that never runs backward; None where they are none.

    Examples
    --------
    >>> from streamrnn.display.run_picture import dates_of
    >>> str(dates_of(["2022-03-20T01:00:00"])[0]), dates_of([None])
    ('2022-03-20T01:00:00.000000', None)
    """
    found = [_parse_time(t) for t in times]
    if any(t is None for t in found) or any(b < a for a, b in pairwise(found)):  # type: ignore[operator]
        return None
    return np.array(found, dtype="datetime64[us]")


def date_axis(ax: Axes) -> None:
    """Write dates below an axis, as short as they may be."""
    import matplotlib.dates as mdates  # noqa: PLC0415

    locator = mdates.AutoDateLocator(minticks=5, maxticks=11)  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(mdates.ConciseDateFormatter(locator, **_DATES))  # type: ignore[no-untyped-call]


def _axis(curve: RunSummary) -> tuple[Any, Any, str, bool]:
    """Return x of the buckets, x of their alarms, the axis' label, and whether they are dates."""
    b = curve.buckets
    times = [_parse_time(t) for t in b.time]
    if any(t is None for t in times):
        return b.index, b.top_index, "event number", False
    if any(later < earlier for earlier, later in pairwise(times)):  # type: ignore[operator]
        return b.index, b.top_index, "event number (the times of this stream run backward in places)", False
    zone = any((isinstance(t, str) and t[-6:-5] in ("+", "-")) or str(t).endswith(("Z", "z")) for t in b.time[:1])
    label = "time (UTC)" if zone or not isinstance(b.time[0], str) else "time"
    x = np.array(times, dtype="datetime64[us]")
    tops = np.array([_parse_time(t) or times[i] for i, t in enumerate(b.top_time)], dtype="datetime64[us]")
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


def _fill(figure: Figure, curve: RunSummary, title: str, warm_up: int) -> None:
    features = min(len(curve.names), _MAX_PANELS)
    figure.set_size_inches(12, 1.0 + 3.1 * features + 1.7)
    grid = figure.subplots(
        features + 1, 1, sharex=True, squeeze=False, gridspec_kw={"height_ratios": [3.1] * features + [1.7]}
    )
    axes: Sequence[Axes] = list(grid[:, 0])
    b = curve.buckets
    x, tops, label, dates = _axis(curve)
    alarmed = b.alarms > 0
    for i, ax in enumerate(axes[:-1]):
        _value_panel(ax, curve, i, x, tops)
    score = axes[-1]
    score_x, score_y = _zigzag(x, b.score, b.score)
    score.fill_between(score_x, 0, score_y, color=_SCORE, alpha=0.25, linewidth=0)
    score.plot(score_x, score_y, color=_SCORE, linewidth=0.9)
    score.plot(tops[alarmed], b.alarm_score[alarmed], "o", color=_ALARM, markersize=4.5, zorder=5)
    _say_why(score, curve, x, tops)
    score.set_yscale("function", functions=(_root, np.square))  # an alarm at a hundredth of the largest is seen
    score.set_yticks([0, 0.01, 0.1, 0.25, 0.5, 1], ["0", "0.01", "0.1", "0.25", "0.5", "1"])
    score.set_ylim(0, 1.15)
    score.set_ylabel("anomaly score\n(0 to 1)")
    score.set_xlabel(label)
    _shade(axes, x, tops[alarmed], curve, warm_up)
    score.margins(x=0.005)
    if dates:
        date_axis(score)
    _head(figure, axes, curve, title)


def _root(score: Any) -> Any:
    return np.sqrt(np.maximum(score, 0.0))


def _say_why(ax: Axes, curve: RunSummary, x: Any, tops: Any) -> None:
    """Write what decided beside the strongest alarms, where there is room."""
    from matplotlib.patheffects import withStroke  # noqa: PLC0415

    b = curve.buckets
    taken: list[tuple[float, float, float]] = []
    for i in np.argsort(-b.alarm_score, kind="stable")[: int((b.alarms > 0).sum())].tolist():
        said = curve.reason(i, _LONGEST)
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


def _value_panel(ax: Axes, curve: RunSummary, i: int, x: Any, tops: Any) -> None:
    b = curve.buckets
    ax.plot(
        *_zigzag(x, b.expected_low[:, i], b.expected_high[:, i]),
        color=_EXPECTED, linewidth=3.2, alpha=0.55, label="expected before it came", zorder=2, solid_joinstyle="round",
    )  # fmt: skip
    ax.plot(*_zigzag(x, b.low[:, i], b.high[:, i]), color=_VALUE, linewidth=1.1, label="value", zorder=3)
    own = (b.alarms > 0) & ((b.feature == i) | (b.feature < 0))  # the bands show the alarms of the others
    ax.plot(
        tops[own], b.top[own, i], "o",
        color=_ALARM, markersize=6, markeredgecolor="white", markeredgewidth=0.8, label="alarm", zorder=5,
    )  # fmt: skip
    ax.set_ylabel(safe_name(curve.names[i], isolate=False))
    finite = np.concatenate([b.low[:, i], b.high[:, i]])
    finite = finite[np.isfinite(finite)]
    if len(finite):  # the values set the scale: a wild first expectation must not flatten them
        low, high = float(finite.min()), float(finite.max())
        margin = 0.08 * (high - low) or 0.5 * abs(high) or 1.0
        ax.set_ylim(low - margin, high + margin)


def _shade(axes: Sequence[Axes], x: Any, tops: Any, curve: RunSummary, warm_up: int) -> None:
    """Shade the warm-up in grey, each run of alarms in red, and what belongs to one in pale red, on all panels."""
    b = curve.buckets
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


def _head(figure: Figure, axes: Sequence[Axes], curve: RunSummary, title: str) -> None:
    series = "" if curve.key is None else f", series '{safe_name(curve.key, isolate=False)}'"
    series += " (the first of several)" if curve.other_keys else ""
    more = f"; {len(axes) - 1} of {len(curve.names)} features drawn" if len(curve.names) > len(axes) - 1 else ""
    plural = "alarm" if curve.alarms == 1 else "alarms"
    figure.suptitle(
        f"{safe_name(title, isolate=False)}{series}: {curve.alarms:,} {plural} in {curve.events:,} events{more}",
        x=0.012, ha="left", fontsize=13, fontweight="bold", color="#1f2933",
    )  # fmt: skip
    axes[0].legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=4, frameon=False, borderaxespad=0.2)


def _page(svg: str, curve: RunSummary, title: str) -> str:
    """Return a page that holds the picture and the strongest alarms, and needs nothing else."""
    svg = svg[svg.index("<svg") :]
    b = curve.buckets
    order = sorted(np.flatnonzero(b.alarms > 0).tolist(), key=lambda i: (-b.alarm_score[i], i))[:_MAX_ROWS]

    def cell(value: object) -> str:
        shown = f"{value:.6g}" if isinstance(value, float) else safe_name(value, _CELL)
        return f"<td>{html.escape('' if shown == 'nan' else shown)}</td>"

    reasons = any(b.why[order])
    heads = ["time" if b.time[0] is not None else "event", "score", *(["decided by"] if reasons else [])]
    heads += [f"{safe_name(name)}{suffix}" for name in curve.names[:_MAX_PANELS] for suffix in ("", " (expected)")]
    rows = []
    for i in sorted(order):
        cells = [b.top_time[i] if b.top_time[i] is not None else int(b.top_index[i]), float(b.alarm_score[i])]
        cells += [curve.reason(i, _CELL)] if reasons else []
        for k in range(min(len(curve.names), _MAX_PANELS)):
            cells += [float(b.top[i, k]), float(b.top_expected[i, k])]
        rows.append("<tr>" + "".join(cell(one) for one in cells) + "</tr>")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    caption = f"The {len(order)} strongest alarms" if len(order) < curve.alarms else "Alarms"
    table = f"<h2>{caption}</h2><table><tr>{head}</tr>{''.join(rows)}</table>" if rows else "<p>No alarm.</p>"
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(safe_name(title))}</title><style>'
        "body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:1200px;margin:1.5em auto;padding:0 1em}"
        "svg{width:100%;height:auto}table{border-collapse:collapse}td,th{padding:.2em .9em;border-bottom:1px solid "
        "#e3e8ed;text-align:right;font-variant-numeric:tabular-nums}h2{font-size:1.1em}"
        f"</style></head><body>\n{svg}\n{table}\n</body></html>\n"
    )
