"""What the light form of the detector's expectation loses, and what it spares: both forms, on the same streams, in one table.

``STREAMRNN_DATA=folder python benchmarks/anomaly/forms.py`` prints the table and renews ``benchmarks/results/anomaly_forms.md``; ``--seeds 1`` is
quick, ``--no-write`` prints only. The folder is that of ``run.py``.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import alarms
import faults
import mgab
import nab
import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from machine import cpu

from streamrnn import RNNAnomalyDetector

Array = NDArray[np.float64]
RESULT: Final = Path(__file__).resolve().parents[1] / "results" / "anomaly_forms.md"
JUMPS: Final = ("outage", "level", "stuck", "spike", "noise", "double rate", "shifted day", "other channel")
"""Kinds of faults that begin with a jump, or with a change of what comes next at once."""
Make = Callable[..., RNNAnomalyDetector]


def form(**given: Any) -> Make:
    """Return what makes a detector of one form."""
    return lambda **more: RNNAnomalyDetector(**{"seed": 1, **given, **more})


FORMS: Final[dict[str, Make]] = {
    "full": form(expectation="full"),
    "light": form(expectation="light"),
    "light, as a key has it": form(expectation="light", memory=64, learning="tbptt"),
    "light, the smallest": form(expectation="light", memory=16, learning="tbptt", hidden_size=4, window=2, stride=2),
}


def raised(make: Make) -> alarms.Alarms:
    """Return the alarms of detectors of one form on streams of any number of features."""
    return lambda X, rate: make(alarm_rate=rate).progressive_many(X, tuple(map(str, range(X.shape[1]))))["alarm"]


def speed(make: Make) -> tuple[float, float]:
    """Return records a second on one core: score_one and learn_one in turn, and in a block; the best of some rounds."""
    values = np.sin(np.arange(60_000) / 9.0) + 0.1 * np.random.default_rng(0).normal(size=60_000)
    events, model, best = [{"value": v} for v in values[:10_000].tolist()], make(), [0.0, 0.0]
    model.progressive_many(values[:20_000, None], ("value",))
    for start in range(20_000, 60_000, 10_000):
        began = time.process_time()
        model.progressive_many(values[start : start + 10_000, None], ("value",))
        best[1] = max(best[1], 10_000 / (time.process_time() - began))
        began = time.process_time()
        for x in events:
            model.score_one(x)
            model.learn_one(x)
        best[0] = max(best[0], len(events) / (time.process_time() - began))
    return best[0], best[1]


def memory(make: Make) -> tuple[float, float]:
    """Return the KiB of a detector of its own, and of each of many keys beside a shared net, Python's table of keys included."""
    alone, keyed = make(), make(key="key", max_keys=256)
    alone.learn_one({"value": 1.0})
    before = 0
    for key in range(256):
        keyed.learn_one({"value": 1.0, "key": f"sensor-{key:05d}"})
        before = before or keyed.memory_usage()
    return alone.memory_usage() / 1024, (keyed.memory_usage() - before) / 255 / 1024


def rows(data: Path, seeds: int) -> list[str]:
    """Measure; return the lines of the table."""
    corpus, series = nab.load(data / "nab"), mgab.load(data / "mgab")
    some = range(11, 11 + seeds)
    lines = [
        "| form | KiB alone | KiB a key | calls/s | in a block | faults with a jump: 1st, 2nd, later | all kinds | false per 1000 | clean streams, worst over the rate | drops behind garbage | NAB at 1e-3, 2e-3 | NAB of the scores | MGAB |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]  # fmt: skip
    for name, make in FORMS.items():
        raises, (alone, key), (one, block) = raised(make), memory(make), speed(make)
        jumps, every = alarms.of_faults(raises, some, kinds=JUMPS), alarms.of_faults(raises, some)
        worst, kind = alarms.of_clean(raises, some[:1])
        at = [alarms.of_nab(raises, corpus, rate) for rate in (1e-3, 2e-3)]
        scores = [make().progressive_many(one.values[:, None], ("value",))["score"] for one in corpus]
        best, _ = nab.best(corpus, scores, nab.PROFILES["standard"])
        areas = [mgab.area(one, make().progressive_many(one.values[:, None], ("value",))["score"]) for one in series]
        lines.append(
            f"| {name} | {alone:.1f} | {key:.1f} | {one:,.0f} | {block:,.0f} | {jumps[0]:.2f}, {jumps[1]:.2f}, {jumps[2]:.2f} "
            f"| {every[0]:.2f}, {every[1]:.2f}, {every[2]:.2f} | {every[3]:.2f} | {worst:.2f} ({kind}) "
            f"| {100 * alarms.of_garbage(raises, some[:1]):.0f} % | {at[0]:.1f}, {at[1]:.1f} | {best:.1f} | {np.mean(areas):.4f} |"
        )
    return lines


def main() -> None:
    """Measure, print, write."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument("--no-write", action="store_true")
    given = options.parse_args()
    data = os.environ.get("STREAMRNN_DATA")
    if not data:
        raise SystemExit("STREAMRNN_DATA is unset: set it to the folder that holds nab/ and mgab/.")
    lines = [
        "# The forms of the detector's expectation", "",
        f"`STREAMRNN_DATA=... python benchmarks/anomaly/forms.py --seeds {given.seeds}` on {cpu()}, Python {platform.python_version()}, numba {version('numba')}. The cores were shared.", "",
        f"At 1e-3, {len(faults.KINDS)} kinds of recurring faults, {len(JUMPS)} of them with a jump; alone with one feature; a key: one feature, beside a shared net.", "",
        *rows(Path(data), given.seeds), "",
    ]  # fmt: skip
    print("\n".join(lines))
    if not given.no_write:
        RESULT.write_text("\n".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main()
