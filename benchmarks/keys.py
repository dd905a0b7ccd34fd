"""Many keys in one net, beside a net each: scales, new keys, recurring faults, one key of garbage, one that is busy.

``python benchmarks/keys.py`` prints the tables and renews ``benchmarks/results/keys.md``; ``--quick`` takes a tenth of the keys, ``--no-write`` prints
only. A net each is the same class without ``key``, on the events of that key alone.
"""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent / "anomaly"))
import faults
from machine import cpu

from streamrnn import RNNAnomalyDetector, RNNRegressor

Array = NDArray[np.float64]
RESULT: Final = Path(__file__).resolve().parent / "results" / "keys.md"
KINDS: Final = tuple(kind for kind in faults.KINDS if not kind.startswith("other"))  # of one feature
GRACE, AFTERMATH, DEADLINE, WARM = 4, 48, 100, 300


def series(key: int, n: int) -> tuple[Array, Array]:
    """Return a feature, two seasons and noise with a memory, and a target that follows from its last two values; each key has phases of its own."""
    rng, t = np.random.default_rng([key, 9]), np.arange(n)
    noise, fresh = np.zeros(n), rng.normal(size=n)
    for i in range(1, n):
        noise[i] = 0.7 * noise[i - 1] + 0.3 * fresh[i]
    u = np.sin(2 * np.pi * (t + 7 * key) / 48) + 0.5 * np.sin(2 * np.pi * (t + key) / 24) + noise
    return u, np.tanh(2.0 * np.roll(u, 1)) + 0.5 * np.roll(u, 2) + 0.1 * rng.normal(size=n)


class Together:
    """Events of many keys, shuffled, and where each key's are.

    Parameters
    ----------
    columns
        For each key its features and, last, its target, each (n,).
    """

    def __init__(self, columns: Sequence[Sequence[Array]]) -> None:
        counts = [len(one[0]) for one in columns]
        self.keys = np.repeat(np.arange(len(columns)), counts)
        np.random.default_rng(1).shuffle(self.keys)
        self.of = [np.flatnonzero(self.keys == key) for key in range(len(columns))]
        self.values = np.empty((len(self.keys), len(columns[0])))
        for places, one in zip(self.of, columns, strict=True):
            self.values[places] = np.column_stack(one)

    def regressed(self, **options: Any) -> list[Array]:
        """Return what one net predicts of each key."""
        frame = pd.DataFrame({"key": self.keys, "u": self.values[:, 0]})
        most = len(self.of)
        said = RNNRegressor(**{"seed": 1, **options}, key="key", max_keys=most).progressive_many(
            frame, self.values[:, 1]
        )
        return [said.to_numpy()[places] for places in self.of]

    def detected(self, name: str, **options: Any) -> list[Array]:
        """Return what one detector says of each key."""
        frame = pd.DataFrame({"key": self.keys, "u": self.values[:, 0]})
        model = RNNAnomalyDetector(**{"seed": 1, **options}, key="key", max_keys=len(self.of))
        said = model.progressive_many(frame)[name].reshape(len(frame), -1)[:, -1]
        return [said[places] for places in self.of]


def regressed_alone(columns: Sequence[Array], **options: Any) -> Array:
    """Return what a net of its own predicts."""
    frame = pd.DataFrame({"u": columns[0]})
    return np.asarray(RNNRegressor(seed=1, **options).progressive_many(frame, columns[1]).to_numpy())


def detected_alone(columns: Sequence[Array], name: str, **options: Any) -> Array:
    """Return what a detector of its own says."""
    said = RNNAnomalyDetector(seed=1, **options).progressive_many(columns[0][:, None], ("u",))[name]
    return said.reshape(len(said), -1)[:, -1]


Pair = tuple[list[Array], list[Array]]


def errors(columns: Sequence[Sequence[Array]], target: int, found: Pair, part: slice) -> Array:
    """Return for each key the mean error in one net, over that of a net of its own."""
    return np.array([
        np.nanmean(np.abs(one - c[target])[part]) / np.nanmean(np.abs(own - c[target])[part])
        for c, one, own in zip(columns, *found, strict=True)
    ])  # fmt: skip


LIGHT: Final = {"expectation": "light"}
MODELS: Final[dict[str, tuple[int, Callable[..., Pair]]]] = {
    "RNNRegressor": (1, lambda many, columns: (many.regressed(), [regressed_alone(one) for one in columns])),
    "RNNRegressor, net alone": (
        1,
        lambda many, columns: (
            many.regressed(experts=("net",)), [regressed_alone(one, experts=("net",)) for one in columns],
        ),
    ),
    "RNNRegressor, window 16": (
        1, lambda many, columns: (many.regressed(window=16), [regressed_alone(one) for one in columns])
    ),
    "RNNAnomalyDetector, light": (
        0,
        lambda many, columns: (
            many.detected("prediction"), [detected_alone(one, "prediction", **LIGHT) for one in columns],
        ),
    ),
}  # fmt: skip


def of_errors(title: str, columns: Sequence[Sequence[Array]], parts: dict[str, slice]) -> list[str]:
    """Return a table: errors in one net over those of a net each, mean and worst over the keys."""
    lines = [f"## {title}", "", f"| model | {' | '.join(parts)} |", "| --- |" + " --- |" * len(parts)]
    many = Together(columns)
    for name, (target, run) in MODELS.items():
        found = run(many, columns)
        ratios = [errors(columns, target, found, part) for part in parts.values()]
        lines.append(f"| {name} | {' | '.join(f'{r.mean():.3f}, worst {r.max():.3f}' for r in ratios)} |")
    return [*lines, ""]


def judged(alarms: Sequence[Array], spans: Sequence[faults.Spans]) -> tuple[float, float]:
    """Return the share of all faults found, and false alarms per 1000 events."""
    found, false, clean = [], 0, 0
    for one, faulty in zip(alarms, spans, strict=True):
        free = np.arange(len(one)) >= WARM
        for start, stop in faulty:
            found.append(bool(one[start : min(stop + GRACE, start + DEADLINE)].any()))
            free[start : stop + AFTERMATH] = False
        false, clean = false + int((one.astype(bool) & free).sum()), clean + int(free.sum())
    return float(np.mean(found)), 1000.0 * false / clean


def recurring(n: int, *, alike: bool) -> tuple[list[list[Array]], list[faults.Spans]]:
    """Return series with recurring faults of all kinds; ``alike``: all with a day of 24 events and about the same size, else 1e-3 to 1e6 of it."""
    columns, spans, seed = [], [], 100
    while len(columns) < n:
        kind, seed = KINDS[len(columns) % len(KINDS)], seed + 1
        if alike and int(np.random.default_rng([seed, faults.KINDS.index(kind)]).choice([24, 48, 96])) != 24:
            continue
        X, faulty = faults.recurring(kind, seed)
        columns.append([X[:, 0] * (1.0 if alike else 10.0 ** (len(columns) % 10 - 3))])
        spans.append(faulty)
    return columns, spans


def of_faults(n: int) -> list[str]:
    """Return a table: faults found and false alarms, one net and a net each."""
    lines = [
        f"## Recurring faults of {n} keys, at 1e-3", "", "| keys | one net: found, false per 1000 | a net each | alone with `memory=64` |", "| --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, alike in (("alike", True), ("unlike", False)):
        columns, spans = recurring(n, alike=alike)
        found = [
            Together(columns).detected("alarm"),
            [detected_alone(one, "alarm", **LIGHT) for one in columns],
            [detected_alone(one, "alarm", memory=64, **LIGHT) for one in columns],
        ]
        said = [judged(alarms, spans) for alarms in found]
        lines.append(f"| {name} | {' | '.join(f'{share:.3f}, {false:.2f}' for share, false in said)} |")
    return [*lines, ""]


def of_neighbours(n: int, seeds: range = range(1, 4)) -> list[str]:
    """Return a table: the errors of 20 keys beside one of garbage, of noise, or a busy one, over those beside one more like them; mean over nets."""
    columns, rng = [list(series(key, n)) for key in range(20)], np.random.default_rng(2)
    garbage = [10.0 ** rng.uniform(-9, 30, n) * rng.choice([-1.0, 1.0], n) for _ in range(2)]
    garbage[0][rng.random(n) < 0.1] = np.inf
    others = {
        "garbage: 1e-9 to 1e30 of either sign, and infinity": garbage,
        "noise": list(rng.normal(size=(2, n))),
        "50 times as busy": list(series(99, 50 * n)),
    }
    lines = ["## Neighbours: errors of 20 keys beside one more", "", f"| model | {' | '.join(others)} |", "| --- |" + " --- |" * len(others)]  # fmt: skip

    def run(name: str, more: Sequence[Array]) -> Array:
        target, many, found = MODELS[name][0], Together([*columns, more]), []
        for seed in seeds:
            said = many.regressed(seed=seed) if target else many.detected("prediction", seed=seed)
            found.append([np.nanmean(np.abs(s - c[target])) for s, c in zip(said, columns, strict=False)])
        return np.mean(found, axis=0)

    for name in ("RNNRegressor", "RNNAnomalyDetector, light"):
        like = run(name, series(77, n))
        ratios = [run(name, more) / like for more in others.values()]
        lines.append(f"| {name} | {' | '.join(f'{r.mean():.3f}, worst {r.max():.3f}' for r in ratios)} |")
    return [*lines, ""]


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--quick", action="store_true")
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    share = 10 if given.quick else 1
    scales = [[part * 10.0**k for part in series(k + 100, 6000)] for k in range(-3, 7)]
    lines = [
        "# Many keys in one net", "",
        f"`python benchmarks/keys.py{' --quick' if given.quick else ''}` on {cpu()}, Python {platform.python_version()}, numba {version('numba')}.", "",
        "Errors in one net over those of a net each: mean over the keys, and the worst.", "",
        *of_errors("Ten keys on scales from 1e-3 to 1e6", scales, {"first 200 events": slice(0, 200), "after 5000": slice(5000, None)}),
        *of_errors(f"{1000 // share} similar series", [series(k, 400) for k in range(1000 // share)], {"first 200 events": slice(0, 200), "next 200": slice(200, None)}),
        *of_errors(f"{100 // share} similar series", [series(k, 6000) for k in range(100 // share)], {"first 200 events": slice(0, 200), "after 5000": slice(5000, None)}),
        *of_faults(100 // share),
        *of_neighbours(3000 // share),
    ]  # fmt: skip
    print("\n".join(lines))
    if not given.no_write:
        RESULT.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
