"""``make exhaustive``: a million records and ten million doubles by compiled code and one by one; every bit compared.

``python -m tests.exhaustive`` writes ``benchmarks/results/exhaustive.md``; ``--records N``, ``--doubles N`` and ``--seed N`` choose others.
"""

from __future__ import annotations

import argparse
import platform
import sys
import time
from pathlib import Path

import numpy as np

from tests.exhaustive.doubles import compare
from tests.exhaustive.records import of_files, of_kafka

RESULTS = Path(__file__).parents[2] / "benchmarks" / "results" / "exhaustive.md"


def main() -> int:
    """Compare, print and write the table; the exit code is 1 where anything differs."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--doubles", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    began = time.process_time()
    lines, files = of_files(asked.records, asked.seed)
    print(f"files: {lines:,} records, {len(files)} differences", flush=True)
    records, kafka = of_kafka(asked.records, asked.seed)
    print(f"Kafka: {records:,} records, {len(kafka)} differences", flush=True)
    with np.errstate(all="ignore"):
        doubles = compare(asked.doubles, asked.seed)
    spent = time.process_time() - began
    rows = (
        (
            "lines of files in fifteen kinds, JSON and CSV: events, dead letters, positions, what is said",
            lines,
            len(files),
        ),
        ("records of Kafka in seven kinds, compressed, aborted, compacted: the same", records, len(kafka)),
        (
            "doubles written as `repr` writes them, and read as `float` reads them",
            doubles.compared,
            len(doubles.differences),
        ),
    )
    report = "\n".join(
        [
            "# What compiled code reads and writes, against the way one by one",
            "",
            f"`python -m tests.exhaustive --records {asked.records} --doubles {asked.doubles} --seed {asked.seed}`, Python {platform.python_version()}; {spent:,.0f} CPU seconds.",
            f"Of the texts of numbers, {doubles.left:,} were left to the decoder: more than 19 digits, subnormal, or too near to a tie to be told.",
            "",
            "| what | compared | different |",
            "|---|---|---|",
            *(f"| {what} | {compared:,} | {different:,} |" for what, compared, different in rows),
        ]
    )
    print(report)
    print(*(files + kafka + doubles.differences)[:20], sep="\n")
    RESULTS.write_text(report + "\n", encoding="utf-8")
    return int(any(different for _, _, different in rows))


if __name__ == "__main__":
    sys.exit(main())
