"""The page of a run: its picture, and a table of its strongest alarms."""

from __future__ import annotations

import html

import numpy as np

from streamrnn.display.figure import MOST_PANELS
from streamrnn.display.run_summary import RunSummary
from streamrnn.safe_text import safe_name

__all__ = ["page_of"]

_CELL = 64  # places of a cell: a name and a reason
_MAX_ROWS = 50  # alarms listed

_STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;color:#1f2933;max-width:1200px;margin:1.5em auto;padding:0 1em}"
    "svg{width:100%;height:auto}table{border-collapse:collapse}td,th{padding:.2em .9em;border-bottom:1px solid "
    "#e3e8ed;text-align:right;font-variant-numeric:tabular-nums}h2{font-size:1.1em}"
)


def page_of(svg: str, run: RunSummary, title: str) -> str:
    """Return a page that holds the picture and the strongest alarms, and needs nothing else.

    Parameters
    ----------
    svg
        The picture.
    run
        What the run left.
    title
        Name of the stream.
    """
    svg = svg[svg.index("<svg") :]
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(safe_name(title))}</title><style>'
        f"{_STYLE}</style></head><body>\n{svg}\n{_table(run)}\n</body></html>\n"
    )


def _cell(value: object) -> str:
    shown = f"{value:.6g}" if isinstance(value, float) else safe_name(value, _CELL)
    return f"<td>{html.escape('' if shown == 'nan' else shown)}</td>"


def _table(run: RunSummary) -> str:
    b = run.buckets
    order = sorted(np.flatnonzero(b.alarms > 0).tolist(), key=lambda i: (-b.alarm_score[i], i))[:_MAX_ROWS]
    if not order:
        return "<p>No alarm.</p>"
    reasons = any(b.why[order])
    heads = ["time" if b.time[0] is not None else "event", "score", *(["decided by"] if reasons else [])]
    heads += [f"{safe_name(name)}{suffix}" for name in run.names[:MOST_PANELS] for suffix in ("", " (expected)")]
    rows = []
    for i in sorted(order):
        cells = [b.top_time[i] if b.top_time[i] is not None else int(b.top_index[i]), float(b.alarm_score[i])]
        cells += [run.reason(i, _CELL)] if reasons else []
        for k in range(min(len(run.names), MOST_PANELS)):
            cells += [float(b.top[i, k]), float(b.top_expected[i, k])]
        rows.append("<tr>" + "".join(_cell(one) for one in cells) + "</tr>")
    head = "".join(f"<th>{html.escape(name)}</th>" for name in heads)
    caption = f"The {len(order)} strongest alarms" if len(order) < run.alarms else "Alarms"
    return f"<h2>{caption}</h2><table><tr>{head}</tr>{''.join(rows)}</table>"
