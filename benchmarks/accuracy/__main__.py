"""The table of regressors and classifiers: river's models, the last value or label, and ours, all with their defaults.

``make accuracy`` (with ``STREAMRNN_DATA`` for ETTh2 and the taxis) prints all rows; ``python -m accuracy WaterFlow SEA`` from the folder
``benchmarks`` those whose names begin so, ``--deep-river PYTHON`` one column more: PYTHON is that of an environment with deep-river and pytest (its utilities import it) in it. Each event is predicted, then learned; three seeds, mean. ``results/accuracy.md`` keeps them.
"""

from __future__ import annotations

import argparse
import os
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

from accuracy.measure import REGRESSORS, cell, deep_river_cell
from accuracy.streams import STREAMS


def main(names: list[str], deep_river: str | None = None) -> None:
    """Print the rows as they come."""
    asked = [name for name in STREAMS if not names or any(name.startswith(one) for one in names)]
    head = ("stream", "order matters", "error", *REGRESSORS, *(["deep-river"] if deep_river else []))
    print("\n".join(["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]), flush=True)
    with ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool:
        rows = [(name, [pool.submit(cell, name, model) for model in REGRESSORS]) for name in asked]
        for name, cells in rows if deep_river else ():
            cells.append(pool.submit(deep_river_cell, name, str(deep_river)))
        for name, cells in rows:
            stream = STREAMS[name]
            kind = "share wrong" if stream.label else "MAE"
            said = [name, "yes" if stream.order else "no", kind, *(one.result() for one in cells)]
            print("| " + " | ".join(said) + " |", flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="beginnings of names of streams")
    parser.add_argument("--deep-river", metavar="PYTHON", help="the Python of an environment with deep-river")
    asked = parser.parse_args()
    main(asked.names, asked.deep_river)
