"""Play a real stream through ``streamrnn run``: two months of hourly flow in a water main, with anomalous stretches.

``python examples/demo.py`` runs ``examples/water_flow.toml`` on ``examples/water_flow.csv`` (``river.datasets.WaterFlow``, as a
file) from a fresh state, and draws the picture. All that it writes goes to ``demo-out/``, or to the folder that the environment
names as ``DEMO_OUT``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent


def main() -> int:
    """Run the demo; return the exit code of ``streamrnn run``."""
    out = Path(os.environ.get("DEMO_OUT") or HERE.parent / "demo-out").resolve()
    out.mkdir(parents=True, exist_ok=True)
    result, picture = out / "water_flow.jsonl", out / "water_flow.png"
    command = ["-m", "streamrnn", "run", str(HERE / "water_flow.toml"), "--fresh", "--plot", str(picture)]
    code = subprocess.run([sys.executable, *command], env={**os.environ, "DEMO_OUT": str(out)}, check=False).returncode
    if code:
        return code
    with result.open(encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    alarms = [row for row in rows if row["alarm"]]
    print(f"{len(rows)} events, {len(alarms)} alarms; the strongest:")
    for row in sorted(sorted(alarms, key=lambda row: -row["score"])[:5], key=lambda row: row["time"]):
        print(
            f"  {row['time']}  flow {row['value']:7.2f} l/s  expected {row['prediction']:7.2f}  score {row['score']:.3f}"
        )
    for what, path in (("data", HERE / "water_flow.csv"), ("results", result), ("picture", picture)):
        shown = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
        print(f"{what:>8}: {shown}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
