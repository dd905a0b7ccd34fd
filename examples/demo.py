"""Play a real stream through ``streamrnn run``: two months of hourly flow in a water main, with anomalous stretches.

``python examples/demo.py`` writes the data that river bundles (``river.datasets.WaterFlow``) as a CSV, runs
``examples/water_flow.toml`` on it from a fresh state, and draws the picture. All of it goes to ``demo-out/``.
"""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

from river.datasets import WaterFlow

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "demo-out"


def write_csv(path: Path) -> int:
    """Write the stream as a CSV; return the number of events."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["time", "flow [l/s]"])
        events = 0
        for x, flow in WaterFlow():  # type: ignore[no-untyped-call]
            writer.writerow([x["Time"].isoformat(), flow])
            events += 1
    return events


def main() -> int:
    """Run the demo; return the exit code of ``streamrnn run``."""
    OUT.mkdir(exist_ok=True)
    data, result, picture = OUT / "water_flow.csv", OUT / "water_flow.jsonl", OUT / "water_flow.png"
    events = write_csv(data)
    command = ["-m", "streamrnn", "run", str(ROOT / "examples" / "water_flow.toml"), "--fresh", "--plot", str(picture)]
    code = subprocess.run([sys.executable, *command], check=False).returncode
    if code:
        return code
    with result.open(encoding="utf-8") as lines:
        alarms = [row for row in map(json.loads, lines) if row["alarm"]]
    print(f"{events} events, {len(alarms)} alarms; the strongest:")
    for row in sorted(sorted(alarms, key=lambda row: -row["score"])[:5], key=lambda row: row["time"]):
        print(
            f"  {row['time']}  flow {row['value']:7.2f} l/s  expected {row['prediction']:7.2f}  score {row['score']:.3f}"
        )
    for what, path in (("data", data), ("results", result), ("picture", picture)):
        print(f"{what:>8}: {path.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
