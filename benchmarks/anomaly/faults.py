"""Streams with faults that come back, streams without any, and one reading of garbage: all drawn from a seed.

The load of a day with weekends, drift and correlated noise; one kind of fault a stream, twelve times, 700 to 1100 events apart, after 1500 clean ones.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Spans = list[tuple[int, int]]

CLEAN_EVENTS: Final = 1500
N_FAULTS: Final = 12
KINDS: Final = (
    "outage", "level", "stuck", "spike", "missing peak", "shifted day", "noise", "drift", "double rate", "shifted day, no jump",
    "other channel", "other channel, no jump",
)  # fmt: skip
CLEAN: Final = ("walk", "trend", "daily", "heavy tails", "counter", "counts", "plateaus")


def curve(rng: np.random.Generator, period: int) -> Array:
    """Return a day with two bumps, from 0 to 1."""
    hour = np.arange(period) / period
    day = 0.15 * np.sin(2 * np.pi * hour)
    for place, height in ((rng.uniform(0.25, 0.4), rng.uniform(0.5, 0.9)), (rng.uniform(0.65, 0.85), 1.0)):
        away = (hour - place + 0.5) % 1.0 - 0.5
        day += height * np.exp(-0.5 * (away / rng.uniform(0.05, 0.11)) ** 2)
    return (day - day.min()) / (day.max() - day.min())


def _noise(rng: np.random.Generator, n: int) -> Array:
    found, fresh = np.zeros(n), rng.normal(size=n)
    for i in range(1, n):
        found[i] = 0.5 * found[i - 1] + 0.87 * fresh[i]
    return found


def _shifted(day: Array, *, smooth: bool) -> Array:
    """Return the day a third later; ``smooth``: faded in and out, so that nothing jumps."""
    later, i = np.roll(day, len(day) // 3), np.arange(len(day))
    share = np.clip(np.minimum(i, len(day) - 1 - i) / (len(day) / 8), 0, 1) if smooth else np.ones(len(day))
    return (1 - share) * day + share * later


def recurring(kind: str, seed: int) -> tuple[Array, Spans]:
    """Return a stream (n, F), and first event and end of each fault."""
    rng = np.random.default_rng([seed, KINDS.index(kind)])
    period, amount = int(rng.choice([24, 48, 96])), rng.uniform(20, 80)
    starts = CLEAN_EVENTS + np.cumsum(rng.integers(700, 1100, N_FAULTS))
    n = int(starts[-1]) + 700
    day, phase = curve(rng, period), np.arange(n) % period
    days = np.arange(n) // period
    weekly = np.where(days % 7 >= 5, rng.uniform(0.6, 0.9), 1.0) * (1 + 0.05 * rng.normal(size=days[-1] + 1))[days]
    slow = 0.15 * amount * np.sin(2 * np.pi * np.arange(n) / rng.uniform(3000, 6000))
    load, other, wild = day[phase], day[phase], np.ones(n)
    added, spans = np.zeros(n), []
    for place in starts.tolist():
        start, stop = _fault(kind, rng, place, phase, day, (load, other, added, wild))
        spans.append((start, stop))
    scale = amount * rng.uniform(0.015, 0.04)
    x = rng.uniform(20, 60) + amount * (weekly * load + added) + slow + scale * wild * _noise(rng, n)
    for start, stop in spans:
        if kind == "outage":
            x[start:stop] = 0.0
        elif kind == "stuck":
            x[start:stop] = x[start - 1]
    if not kind.startswith("other"):
        return x[:, None], spans
    y = 15 + rng.uniform(0.5, 2) * (amount * weekly * other + slow) + scale * rng.normal(size=n)
    return np.column_stack([x, y]), spans


def _fault(
    kind: str, rng: np.random.Generator, start: int, phase: NDArray[np.int64], day: Array, parts: tuple[Array, ...]
) -> tuple[int, int]:
    """Write one fault into the parts of a stream; return its first event and its end."""
    load, other, added, wild = parts
    period, dawn, peak = len(day), start - int(phase[start]), int(np.argmax(day))
    stop = start + int(rng.integers(8, 20))
    if kind == "level":
        stop = start + int(rng.integers(30, 60))
        added[start:stop] = 0.6
    elif kind == "stuck":
        start = dawn + peak + period - period // 3
        stop = start + period // 2
    elif kind == "spike":
        stop = start + 2
        added[start:stop] = 0.8
    elif kind == "missing peak":
        width = max(period // 6, 3)
        start, stop = dawn + period + peak - width, dawn + period + peak + width + 1
        load[start:stop] = np.linspace(load[start], load[stop - 1], stop - start)
    elif kind == "noise":
        stop = start + int(rng.integers(20, 30))
        wild[start:stop] = 8.0
    elif kind == "drift":
        stop = start + 60
        added[start:stop] = np.linspace(0, 1, 60)
    elif kind != "outage":
        start, stop = dawn, dawn + period
        into = other if kind.startswith("other") else load
        into[start:stop] = (
            day[2 * np.arange(period) % period] if kind == "double rate" else _shifted(day, smooth="no jump" in kind)
        )
    return start, stop


def clean(kind: str, seed: int, n: int = 20_000) -> Array:
    """Return a stream of one feature without any event."""
    rng, t = np.random.default_rng([seed, 77]), np.arange(n)
    if kind == "walk":
        return rng.normal(size=n).cumsum()
    if kind == "trend":
        return 0.01 * t + rng.normal(size=n)
    if kind == "daily":
        return 50 + 40 * (curve(rng, 96)[t % 96] * np.where(t // 96 % 7 >= 5, 0.7, 1.0) + 0.02 * _noise(rng, n))
    if kind == "heavy tails":
        return rng.standard_t(2.2, size=n)
    if kind == "counter":
        return rng.poisson(20 * (1.2 + np.sin(2 * np.pi * t / 96))).cumsum().astype(float)
    if kind == "counts":
        return rng.poisson(0.3, size=n).astype(float)
    lasts = rng.integers(50, 400, n // 50)
    return np.repeat(10.0 * rng.integers(1, 6, len(lasts)), lasts)[:n] + 0.2 * rng.normal(size=n)


def drops(garbage: float, seed: int) -> tuple[Array, NDArray[np.int64]]:
    """Return a daily curve with 20 drops behind one reading of garbage, and where the drops are."""
    rng, t = np.random.default_rng([seed, 5]), np.arange(20_000)
    x = 50 + 10 * np.sin(2 * np.pi * t / 144) + rng.normal(size=len(t))
    places = np.arange(4000, len(t), 800)
    x[places], x[1000] = 2.0, garbage
    return x, places
