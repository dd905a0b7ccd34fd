"""Files of hostile rows, read by ``streamrnn replay``: how it ends, how long it takes, and the most memory it holds.

``python benchmarks/hostile_files.py [rows [kind ...]]`` writes each file, replays it in a process of its own, and prints a table. Nothing may crash or hang: the
process ends by itself, with 0 where enough rows are events, 65 where the file is unreadable, and says why. Memory is the most that the process held,
beside that of the same replay of a plain file of as many rows.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROWS = 1_000_000
LIMIT_S = 3600.0
"""After so many seconds a replay counts as hanging."""

HEADER, GOOD = b"time,flow,level\n", 200
"""What stands before hostile rows where a file begins as a plain table, and how many good rows."""

_QUOTED = (b'"', b",", b'"a', b"1", b"\r", b'""', b";", b"x\ty", b"2024-03-04", b"\x00")


def _plain(i: int) -> bytes:
    return b"2024-03-%02dT%02d:%02d:%02d,%d.5,%d\n" % (
        1 + i // 86400 % 28,
        i // 3600 % 24,
        i // 60 % 60,
        i % 60,
        i % 7,
        i % 11,
    )


def _random(drawn: random.Random) -> bytes:
    return drawn.randbytes(drawn.randint(0, 60)).replace(b"\n", b"") + b"\n"


def _of(row: Callable[[random.Random], bytes], *, good: bool) -> Callable[[random.Random, int], Iterator[bytes]]:
    def rows(drawn: random.Random, count: int) -> Iterator[bytes]:
        if good:
            yield HEADER + b"".join(map(_plain, range(GOOD)))
        yield from (row(drawn) for _ in range(count))

    return rows


def _json(drawn: random.Random) -> bytes:
    record = bytearray(
        json.dumps({"time": drawn.random(), "flow": drawn.random(), "s": "x" * drawn.randint(0, 9)}).encode()
    )
    for _ in range(drawn.randint(0, 3)):
        record[drawn.randrange(len(record))] = drawn.randrange(256)
    return bytes(record).replace(b"\n", b" ") + b"\n"


FILES: dict[str, tuple[str, Callable[[random.Random, int], Iterator[bytes]]]] = {
    "plain rows": ("a.csv", lambda _, count: map(_plain, range(count))),
    "random bytes": ("a.bin", _of(_random, good=False)),
    "random bytes, .csv": ("a.csv", _of(_random, good=False)),
    "random bytes, .jsonl": ("a.jsonl", _of(_random, good=False)),
    "random bytes behind a table": ("a.csv", _of(_random, good=True)),
    "quotes and separators behind a table": ("a.csv", _of(lambda drawn: b",".join(drawn.choices(_QUOTED, k=4)) + b"\n", good=True)),
    "JSON with broken bytes": ("a.jsonl", _of(_json, good=False)),
    "random bytes without line ends": ("a.dat", lambda drawn, count: (drawn.randbytes(30).replace(b"\n", b"") for _ in range(count))),
}  # fmt: skip
"""By what is in them: the name of the file, and its rows."""


def replay(path: Path) -> tuple[int, float, float, float, str]:
    """Return exit code, seconds, CPU seconds, most memory in MB, and the last line that was said."""
    began = time.perf_counter()
    with (
        (path.parent / "said").open("wb") as said,
        subprocess.Popen(
            [sys.executable, "-m", "streamrnn", "replay", str(path)], stdout=subprocess.DEVNULL, stderr=said
        ) as process,
    ):
        while True:
            pid, status, used = os.wait4(process.pid, os.WNOHANG)
            if pid:
                process.returncode = os.waitstatus_to_exitcode(status)
                break
            if time.perf_counter() - began > LIMIT_S:
                process.kill()
            time.sleep(0.05)
    lines = (path.parent / "said").read_text(errors="replace").strip().splitlines()
    cpu = used.ru_utime + used.ru_stime
    return process.returncode, time.perf_counter() - began, cpu, used.ru_maxrss / 1024, lines[-1] if lines else ""


def main(count: int, kinds: list[str]) -> None:
    """Print the table."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    print(f"# Files of {count:,} hostile rows\n")
    print(f"{(__doc__ or '').split('prints a table. ')[1].strip()}\n")
    print("| rows | MB | exit | seconds | CPU s | most memory, MB | it says, at last |\n|---|---|---|---|---|---|---|")
    for name in kinds or FILES:
        file, rows = FILES[name]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, file)
            with path.open("wb") as out:
                out.writelines(rows(random.Random(1), count))  # noqa: S311  (noise)
            code, seconds, cpu, most, last = replay(path)
            said = last.replace(folder, "").replace("|", "/")[:120]
            size = path.stat().st_size / 1e6
            print(f"| {name} | {size:.0f} | {code} | {seconds:.0f} | {cpu:.0f} | {most:.0f} | {said} |", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else ROWS, sys.argv[2:])
