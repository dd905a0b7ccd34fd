"""Alarms themselves, as an operator counts them: recurring faults, harmless streams, garbage; and what rivals raise by a plain rule.

A rival gives scores only; it alarms where the rank of a score among the last thousand is within the rate, by the same adaptive level as ours.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import faults
import nab
import numba
import numpy as np
from controls import value_novelty
from numpy.typing import NDArray
from river.anomaly import HalfSpaceTrees

Array = NDArray[np.float64]
Alarms = Callable[[Array, float], NDArray[np.bool_]]  # of a stream (n, F), at a rate

GRACE, AFTERMATH, DEADLINE = 4, 48, 100  # events: behind a fault's end that still find it; not judged; to find it in
WARM_UP: Final = 300
STANDARD: Final = nab.PROFILES["standard"]


@numba.njit(cache=True)
def by_rank(scores: Array, rate: float, quiet: int = 10) -> NDArray[np.bool_]:
    """Return where the rank of a score among about the last 1000 is within an adaptive level; one alarm in ``quiet`` events."""
    n, level, debt, left = len(scores), 1.2 * rate, 0.0, 0
    found, bins = np.zeros(n, np.bool_), np.zeros(640)
    weight, total = 1.0, 0.0
    for t in range(n):
        place = min(max((np.log2(max(scores[t], 1e-12)) + 40.0) * 8.0, 0.0), 639.0)
        b = int(place)
        if t >= WARM_UP:
            above = bins[b] * (b + 1 - place) + bins[b + 1 :].sum()
            hit = (0.2 + above / weight) / (1.0 + total) <= level * np.exp(min(max(debt, -4.0), 4.0)) and scores[
                t
            ] > 1e-9
            debt = min(max(debt + level - hit, -50.0), 50.0)
            found[t] = hit and left <= 0
            left = quiet if found[t] else left - 1
        if 2 * t >= WARM_UP:
            weight, total = weight / 0.999, total * 0.999 + 1.0
            bins[b] += weight
            if weight > 1e9:
                bins /= weight
                weight = 1.0
    return found


@numba.njit(cache=True)
def over_median(errors: Array) -> Array:
    """Return absolute errors over their running median."""
    median, found = 0.0, np.zeros(len(errors))
    for t in range(len(errors)):
        if t >= 20:
            found[t] = errors[t] / (1.4826 * median + 1e-9)
            median += 0.01 * max(median, 1e-12) * (1.0 if errors[t] > median else -1.0)
        else:
            median += (errors[t] - median) / (t + 1)
    return found


def changes(values: Array) -> Array:
    """Return abs(change) over its running median: one line."""
    return over_median(np.abs(np.diff(values, prepend=values[0])))


def seasonal_naive(values: Array) -> Array:
    """Return the difference to a season ago over its running median; the season is the best autocorrelation of the first 1000 events."""
    known = min(1000, len(values) // 3)
    first = values[:known] - values[:known].mean()
    lags = range(8, min(400, known // 3))
    season = max(lags, key=lambda m: float((first[m:] * first[:-m]).mean()))
    return over_median(np.abs(np.concatenate([np.zeros(season), values[season:] - values[:-season]])))


def half_space_trees(values: Array) -> Array:
    """Return the scores of river's HalfSpaceTrees, scaled by the range so far."""
    model, found = HalfSpaceTrees(n_trees=25, height=8, window_size=250, seed=1), np.zeros(len(values))
    low, high = np.minimum.accumulate(values), np.maximum.accumulate(values)
    scaled = (values - low) / np.where(high > low, high - low, 1.0)
    for t, x in enumerate(scaled.tolist()):
        found[t] = model.score_one({"value": x})
        model.learn_one({"value": x})
    return found


def ruled(scores: Callable[[Array], Array]) -> Alarms:
    """Return alarms by rank of the highest score of all features."""
    return lambda X, rate: by_rank(np.max([scores(np.ascontiguousarray(column)) for column in X.T], axis=0), rate)


RIVALS: Final[dict[str, Alarms]] = {
    "one-liner: abs(change) over its median": ruled(changes),
    "value novelty": ruled(lambda values: value_novelty(values, 1000)),
    "seasonal naive": ruled(seasonal_naive),
    "HalfSpaceTrees": ruled(half_space_trees),
}


def of_faults(
    raises: Alarms, seeds: Sequence[int], rate: float = 1e-3, kinds: Sequence[str] = faults.KINDS
) -> list[float]:
    """Return recall of the first, second, and later faults of these kinds, and false alarms per 1000 events."""
    hits: list[list[bool]] = []
    false = judged = 0
    for kind in kinds:
        for seed in seeds:
            X, spans = faults.recurring(kind, seed)
            alarms, free, row = raises(X, rate), np.arange(len(X)) >= faults.CLEAN_EVENTS, []
            for start, stop in spans:
                row.append(bool(alarms[start : min(stop + GRACE, start + DEADLINE)].any()))
                free[start : stop + AFTERMATH] = False
            hits.append(row)
            false, judged = false + int((alarms & free).sum()), judged + int(free.sum())
    found = np.array(hits)
    return [float(found[:, 0].mean()), float(found[:, 1].mean()), float(found[:, 2:].mean()), 1000.0 * false / judged]


def of_clean(raises: Alarms, seeds: Sequence[int], rate: float = 1e-3) -> tuple[float, str]:
    """Return the largest share of alarms over the rate on streams without any event, and of which kind."""
    each = {
        kind: float(np.mean([raises(faults.clean(kind, s)[:, None], rate)[WARM_UP:].mean() for s in seeds])) / rate
        for kind in faults.CLEAN
    }
    worst = max(each, key=lambda kind: each[kind])
    return each[worst], worst


def of_garbage(raises: Alarms, seeds: Sequence[int], rate: float = 1e-2) -> float:
    """Return the share of drops found behind one reading of garbage."""
    found = []
    for garbage in (0.0, -32768.0, 65535.0, 2147483647.0):
        for seed in seeds:
            values, places = faults.drops(garbage, seed)
            alarms = raises(values[:, None], rate)
            found += [bool(alarms[place : place + 3].any()) for place in places.tolist()]
    return float(np.mean(found))


def of_nab(raises: Alarms, corpus: Sequence[nab.Series], rate: float) -> float:
    """Return the benchmark's standard score of the alarms themselves, 0 or 1."""
    said = [raises(one.values[:, None], rate).astype(float) for one in corpus]
    return nab.at_threshold(corpus, said, 0.5, STANDARD)


def rows(ours: dict[str, Any], corpus: Sequence[nab.Series], seeds: Sequence[int]) -> list[str]:
    """Measure ours and the rivals; return the lines of one table."""
    lines = [
        "## Alarms", "",
        f"At 1e-3, {len(faults.KINDS)} kinds of recurring faults, {len(seeds)} seeds; NAB of the alarms as 0 or 1; clean streams: the worst kind, over the rate; garbage at 1e-2.", "",
        "| detector | 1st, 2nd, later faults found | false per 1000 | NAB at 1e-3 | at 2e-3 | clean | drops found behind garbage |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, raises in {**RIVALS, **ours}.items():
        first, second, later, false = of_faults(raises, seeds)
        worst, kind = of_clean(raises, seeds[:1])
        scores = " | ".join(f"{of_nab(raises, corpus, rate):.1f}" for rate in (1e-3, 2e-3))
        lines.append(
            f"| {name} | {first:.2f}, {second:.2f}, {later:.2f} | {false:.2f} | {scores} | {worst:.2f} ({kind}) | {100 * of_garbage(raises, seeds[:1]):.0f} % |"
        )
    return lines
