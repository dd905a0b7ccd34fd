"""A run over a short CSV, in this process."""

from __future__ import annotations

from pathlib import Path

BASE = """
[source]
path = "in.csv"
[alarm]
rate = 0.05
window = 50
warm_up = 20
[sink]
path = "out.jsonl"
"""


def lay(folder: Path, csv: str, more: str, source: str = "") -> Path:
    """Lay out an input and its configuration, ``BASE`` with more of ``[source]``, and what ``more`` says behind it."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.csv").write_text(csv)
    (folder / "watch.toml").write_text(BASE.replace("[alarm]", f"{source}[alarm]") + more)
    return folder / "watch.toml"
