"""The anomaly detector on NAB and MGAB, beside its controls; strictly causal, one configuration: the defaults.

``STREAMRNN_DATA=folder python benchmarks/anomaly/run.py`` prints the table and renews ``benchmarks/results/anomaly.md``;
``--seeds 1`` is quick, ``--no-write`` prints only. The folder holds ``nab/data``, ``nab/combined_windows.json`` (numenta/NAB) and
``mgab/*.csv`` (MarkusThill/MGAB).
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import alarms
import mgab
import nab
import numpy as np
from controls import CONTROLS
from numpy.typing import NDArray
from scipy.stats import poisson

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import cpu

from streamrnn import RNNAnomalyDetector, RNNSupervisedAnomalyDetector

Array = NDArray[np.float64]
RESULT = Path(__file__).resolve().parents[1] / "results" / "anomaly.md"
STANDARD = nab.PROFILES["standard"]


def detector(seed: int, *, persistence: bool = False, alarm_rate: float = 1e-3) -> RNNAnomalyDetector:
    """Return the detector as it comes; with ``persistence`` its forecasts are the last value, all else is the same."""
    model = RNNAnomalyDetector(seed=seed, alarm_rate=alarm_rate)
    model.use_persistence(persistence)
    return model


def answers(values: Array, seed: int, **options: Any) -> dict[str, NDArray[Any]]:
    """Return what a new detector says of a stream of one feature."""
    return detector(seed, **options).progressive_many(values[:, None], ("value",))


def raised(*, persistence: bool = False) -> alarms.Alarms:
    """Return the alarms of a detector on streams of any number of features."""

    def raises(X: Array, rate: float) -> NDArray[np.bool_]:
        model = detector(1, persistence=persistence, alarm_rate=rate)
        return model.progressive_many(X, tuple(map(str, range(X.shape[1]))))["alarm"]

    return raises


def profiles(corpus: Sequence[nab.Series], scores: Sequence[Array]) -> list[float]:
    """Return the benchmark's score in each profile."""
    return [nab.best(corpus, scores, profile)[0] for profile in nab.PROFILES.values()]


def elsewhere(corpus: Sequence[nab.Series], scores: Sequence[Array], splits: int = 20) -> float:
    """Return the standard score when the threshold is chosen on a random half of the files and used on the other."""
    rng, found = np.random.default_rng(0), []
    for _ in range(splits):
        order = rng.permutation(len(corpus))
        here, there = order[: len(corpus) // 2], order[len(corpus) // 2 :]
        _, threshold = nab.best([corpus[i] for i in here], [scores[i] for i in here], STANDARD)
        found.append(nab.at_threshold([corpus[i] for i in there], [scores[i] for i in there], threshold, STANDARD))
    return float(np.mean(found))


def gained(corpus: Sequence[nab.Series], net: Sequence[Array], none: Sequence[Array]) -> Array:
    """Return what one pipeline earns more than the other in each file, each at its own best threshold."""
    each = []
    for scores in (net, none):
        _, threshold = nab.best(corpus, scores, STANDARD)
        each.append([nab.earned(one, s, threshold, STANDARD) for one, s in zip(corpus, scores, strict=True)])
    return np.array(each[0]) - np.array(each[1])


def credit(corpus: Sequence[nab.Series], more: Array) -> tuple[float, float, float]:
    """Return the difference of two pipelines, and a paired bootstrap interval (95 %) over files."""
    windows = np.array([2.0 * nab.n_windows(one) for one in corpus])
    drawn = np.random.default_rng(0).integers(0, len(corpus), (10_000, len(corpus)))
    low, high = np.percentile(100.0 * more[drawn].sum(1) / windows[drawn].sum(1), [2.5, 97.5])
    return 100.0 * float(more.sum() / windows.sum()), float(low), float(high)


def free(one: nab.Series) -> NDArray[np.bool_]:
    """Return which events lie behind the warm-up and in no label's window."""
    found = np.arange(len(one.values)) >= max(one.probation, RNNAnomalyDetector().warm_up)
    for first, last in one.windows:
        found[first : last + 1] = False
    return found


def rates(corpus: Sequence[nab.Series], said: Sequence[NDArray[np.bool_]], rate: float) -> tuple[float, ...]:
    """Return what became of a nominal rate on label-free stretches.

    The pooled rate over the nominal one, the share of files within a factor 1.5, the largest factor, and how many files lie
    above what a Poisson count exceeds once in 1000.
    """
    counts = np.array([a[free(one)].sum() for one, a in zip(corpus, said, strict=True)])
    expected = rate * np.array([free(one).sum() for one in corpus])
    factor = counts / expected
    within = np.mean((factor >= 1 / 1.5) & (factor <= 1.5))
    return (
        counts.sum() / expected.sum(), 100.0 * within, factor.max(), float((counts > poisson.ppf(0.999, expected)).sum()),
    )  # fmt: skip


def speed() -> tuple[float, float]:
    """Return records a second on one core: score_one and learn_one in turn, and in a block; the best of some rounds."""
    values = np.sin(np.arange(120_000) / 9.0) + 0.1 * np.random.default_rng(0).normal(size=120_000)
    events, model, best = [{"value": v} for v in values[:10_000].tolist()], detector(1), [0.0, 0.0]
    model.progressive_many(values[:20_000, None], ("value",))
    for start in range(20_000, 120_000, 20_000):
        began = time.process_time()
        model.progressive_many(values[start : start + 20_000, None], ("value",))
        best[1] = max(best[1], 20_000 / (time.process_time() - began))
        began = time.process_time()
        for x in events:
            model.score_one(x)
            model.learn_one(x)
        best[0] = max(best[0], len(events) / (time.process_time() - began))
    return best[0], best[1]


def supervised_speed() -> tuple[float, float]:
    """Return the same of the supervised detector: one feature, one target."""
    rng = np.random.default_rng(0)
    valve = (rng.random(40_000) < 0.5) * 1.0
    level = 1.0 + 4.0 * valve + 0.1 * rng.normal(size=40_000)
    events, model, best = (
        list(zip([{0: v} for v in valve.tolist()], level.tolist(), strict=True)),
        RNNSupervisedAnomalyDetector(),
        [0.0, 0.0],
    )
    model.progressive_many(valve[:10_000, None], level[:10_000])
    for start in range(10_000, 40_000, 10_000):
        began = time.process_time()
        model.progressive_many(valve[start : start + 10_000, None], level[start : start + 10_000])
        best[1] = max(best[1], 10_000 / (time.process_time() - began))
        began = time.process_time()
        for x, y in events[start : start + 5_000]:
            model.score_one(x, y)
            model.learn_one(x, y)
        best[0] = max(best[0], 5_000 / (time.process_time() - began))
    return best[0], best[1]


def spread(values: Sequence[float], digits: int = 1) -> str:
    """Return mean, and standard deviation over seeds."""
    return f"{np.mean(values):.{digits}f} ± {np.std(values):.{digits}f}"


def causal(corpus: Sequence[nab.Series], scores: Sequence[Array]) -> int:
    """Return in how many files the scores of a prefix are, bit for bit, the prefix of the scores."""
    found = 0
    for one, s in zip(corpus, scores, strict=True):
        half = answers(one.values[: len(one.values) // 2], 1)["score"]
        found += bool((half == s[: len(half)]).all())
    return found


def weeks(corpus: Sequence[nab.Series]) -> int:
    """Return in how many files scores stay, bit for bit, when all times move on by 5 weeks; with the time as a feature."""
    found = 0
    for one in corpus:
        both = []
        for shift in (0.0, 5 * 7 * 86400.0):
            model = RNNAnomalyDetector(seed=1, time="time")
            table = np.column_stack([one.times + shift, one.values])
            both.append(model.progressive_many(table, ("time", "value"))["score"])
        found += bool((both[0] == both[1]).all())
    return found


def rows(data: Path, seeds: int) -> list[str]:
    """Measure; return the lines of the table."""
    corpus, series = nab.load(data / "nab"), mgab.load(data / "mgab")
    lines = [
        "## NAB and MGAB", "",
        "| detector | standard | low FP | low FN | MGAB, AUC-PR | anomalies found at 10 alarms a file |", "| --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, control in CONTROLS.items():
        points = profiles(corpus, [control(one.values, one.probation) for one in corpus])
        found = [control(one.values, 750) for one in series]
        areas = [mgab.area(one, s) for one, s in zip(series, found, strict=True)]
        recalls = [mgab.recall_at(one, s) for one, s in zip(series, found, strict=True)]
        lines.append(
            f"| {name} | {' | '.join(f'{p:.1f}' for p in points)} | {np.mean(areas):.4f} | {np.mean(recalls):.2f} |"
        )
    kept: dict[str, list[Any]] = {}
    for name, persistence in (("persistence in the net's place", True), ("RNNAnomalyDetector", False)):
        runs = [[answers(one.values, seed, persistence=persistence) for one in corpus] for seed in range(1, seeds + 1)]
        kept[name] = runs
        points = np.array([profiles(corpus, [r["score"] for r in run]) for run in runs])
        found = [
            [answers(one.values, s, persistence=persistence)["score"] for one in series] for s in range(1, seeds + 1)
        ]
        areas = [float(np.mean([mgab.area(one, s) for one, s in zip(series, f, strict=True)])) for f in found]
        recalls = [float(np.mean([mgab.recall_at(one, s) for one, s in zip(series, f, strict=True)])) for f in found]
        lines.append(
            f"| {name} | {' | '.join(spread(p) for p in points.T.tolist())} | {spread(areas, 4)} | {spread(recalls, 2)} |"
        )
    nets, none = kept["RNNAnomalyDetector"], kept["persistence in the net's place"]
    scores = [[r["score"] for r in run] for run in nets]
    more = [gained(corpus, s, [r["score"] for r in n]) for s, n in zip(scores, none, strict=True)]
    gains, (_, low, high) = [credit(corpus, one) for one in more], credit(corpus, np.mean(more, axis=0))
    loose = [[answers(one.values, s, alarm_rate=1e-2) for one in corpus] for s in range(1, seeds + 1)]
    strict = [rates(corpus, [r["alarm"] for r in run], 1e-3) for run in nets]
    easy = [rates(corpus, [r["alarm"] for r in run], 1e-2) for run in loose]
    moved = [
        profiles(corpus, [answers(a * one.values + b, 1)["score"] for one in corpus])[0] for a, b in ((0.01, 50.0), (1000.0, -3.0))
    ]  # fmt: skip
    (one_by_one, block), told = speed(), supervised_speed()
    n = len(corpus)
    ours = {"persistence in the net's place": raised(persistence=True), "RNNAnomalyDetector": raised()}
    return [
        *lines, "", *alarms.rows(ours, corpus, range(11, 14)), "", "## Promises", "", "| what | figure |", "| --- | --- |",
        f"| NAB standard, threshold chosen on the other half of the files (20 splits) | {spread([elsewhere(corpus, s) for s in scores])} |",
        f"| net's credit on NAB standard over persistence | {spread([g[0] for g in gains])} |",
        f"| paired bootstrap over files, 95 %: of each file's mean over the seeds | {low:.1f} to {high:.1f} |",
        "| the same, seed by seed | " + ", ".join(f"{low:.1f} to {high:.1f}" for _, low, high in gains) + " |",
        f"| alarms at 1e-2: pooled over nominal | {spread([r[0] for r in easy], 2)} |",
        f"| alarms at 1e-2: share of the files within a factor 1.5 | {spread([r[1] for r in easy])} % |",
        f"| alarms at 1e-2: largest factor of a file | {spread([r[2] for r in easy], 2)} |",
        f"| alarms at 1e-3: pooled over nominal | {spread([r[0] for r in strict], 2)} |",
        f"| alarms at 1e-3: files above Poisson's 99.9 % | {spread([r[3] for r in strict])} |",
        f"| prefix causality, bit for bit | {causal(corpus, scores[0])} of {n} files |",
        f"| times moved by five weeks, bit for bit | {weeks(corpus)} of {n} files |",
        f"| NAB standard of seed 1, of 0.01 x + 50, of 1000 x - 3 | {profiles(corpus, scores[0])[0]:.1f}, {moved[0]:.1f}, {moved[1]:.1f} |",
        f"| records/s, score_one and learn_one | {one_by_one:,.0f} |",
        f"| records/s, in a block | {block:,.0f} |",
        f"| RNNSupervisedAnomalyDetector, records/s, one by one and in a block | {told[0]:,.0f}, {told[1]:,.0f} |",
        f"| memory of a stream | {memory():.1f} KiB |",
    ]  # fmt: skip


def memory() -> float:
    """Return the KiB that a detector of one feature takes."""
    model = detector(1)
    for v in range(10):
        model.learn_one({"value": float(v)})
    return model.memory_usage() / 1024


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=5)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    data = os.environ.get("STREAMRNN_DATA")
    if not data:
        raise SystemExit("STREAMRNN_DATA is unset: set it to the folder that holds nab/ and mgab/.")
    command = f"`STREAMRNN_DATA=... python benchmarks/anomaly/run.py --seeds {given.seeds}` on {cpu()}"
    versions = f"Python {platform.python_version()}, numba {version('numba')}"
    said = f"{command}, {versions}. Mean and standard deviation over seeds. The cores were shared."
    text = "\n".join(["# Anomalies", "", said, "", *rows(Path(data), given.seeds), ""])
    print(text)
    if not given.no_write:
        RESULT.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
