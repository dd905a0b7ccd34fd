"""Labels that come late: river's ``progressive_val_score(delay=...)`` and a net whose predictions are events.

The target is what a sensor said three events ago, and each label comes 20 events after its question. With
``advance="learn"`` the net answers from a state that is 20 events old; with ``advance="predict"`` every question moves a state
that runs ahead, and the one that learns follows when the label comes. ``python examples/late_labels.py`` prints both.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Iterator
from typing import Any

from river import evaluate, metrics

from streamrnn import RNNRegressor

LAG, DELAY, EVENTS = 3, 20, 10_000


def stream() -> Iterator[tuple[dict[Hashable, Any], float]]:
    """Yield events whose target is the feature of three events ago."""
    rng, past = random.Random(1), [0.0] * LAG  # noqa: S311
    for _ in range(EVENTS):
        level = rng.uniform(-1.0, 1.0)
        yield {"level": level}, past[-LAG]
        past.append(level)


def main() -> None:
    """Let river ask now and answer later."""
    print(f"mean absolute error, labels {DELAY} events late (0.5: nothing known of the past)")
    for advance in ("learn", "predict"):
        model = RNNRegressor(advance=advance, seed=1)
        error = evaluate.progressive_val_score(stream(), model, metrics.MAE(), delay=DELAY)  # type: ignore[no-untyped-call]
        print(f'  advance="{advance}":'.ljust(22), f"{error.get():.3f}")


if __name__ == "__main__":
    main()
