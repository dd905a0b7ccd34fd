"""The table of regressors and classifiers: river's models, the last value or label, and ours, all with their defaults.

``make accuracy`` (with ``STREAMRNN_DATA`` for ETTh2 and the taxis) prints all rows; ``python -m accuracy WaterFlow SEA`` from the folder
``benchmarks`` those whose names begin so. Each event is predicted, then learned; three seeds, mean. ``results/accuracy.md`` keeps them.
"""

from __future__ import annotations

import os
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from accuracy.measure import REGRESSORS, cell
from accuracy.streams import STREAMS


def main(names: list[str]) -> None:
    """Print the rows as they come."""
    asked = [name for name in STREAMS if not names or any(name.startswith(one) for one in names)]
    head = ("stream", "order matters", "error", *REGRESSORS)
    print("\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]), flush=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        rows = [(name, [pool.submit(cell, name, model) for model in REGRESSORS]) for name in asked]
        for name, cells in rows:
            stream = STREAMS[name]
            kind = "share wrong" if stream.label else "MAE"
            said = [name, "yes" if stream.order else "no", kind, *(one.result() for one in cells)]
            print("| " + " | ".join(said) + " |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
