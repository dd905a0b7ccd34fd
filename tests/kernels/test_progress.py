"""What a terminal shows while a first start compiles: how far it is, and nothing behind it."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from streamrnn.kernels.compile import INTERPRETED
from streamrnn.kernels.progress import FUNCTIONS, Line

SCRIPT = """
from streamrnn import RNNAnomalyDetector
model = RNNAnomalyDetector(cell="dense", hidden_size=4)
model.learn_one({"a": 1.0})
print("learned")
"""


def texts(written):
    """Return what was on the line, one after the other."""
    return [text.strip() for text in written.replace("\x1b[2K", "").split("\r") if text.strip()]


def test_the_share_grows_to_half_with_the_functions():
    """Each tenth of a second the line says how many functions are done; more than were expected are counted on without a share."""
    out, now = io.StringIO(), iter(range(10_000))
    line = Line("detector.<locals>.run", out, lambda: float(next(now)))
    for _ in range(FUNCTIONS["detector"] + 1):
        line.count()
    line.optimise()
    line.end()

    shown = texts(out.getvalue())
    assert shown[0] == "streamrnn compiles, once: 1 of about 259 functions, 0 %"
    assert shown[258:260] == [
        "streamrnn compiles, once: 259 of about 259 functions, 50 %",
        "streamrnn compiles, once: 260 functions",
    ]
    assert shown[260] == "streamrnn compiles, once: 260 functions in machine code, from 50 %"
    assert out.getvalue().endswith("\r\x1b[2K")


def test_a_line_is_not_drawn_more_than_ten_times_a_second():
    """A hundred functions in a moment are one line."""
    out = io.StringIO()
    line = Line("of_ours.<locals>.run", out, lambda: 5.0)
    for _ in range(100):
        line.count()

    assert texts(out.getvalue()) == ["streamrnn compiles, once: 1 functions"]


def test_a_line_that_was_never_drawn_is_not_cleared():
    """What comes out of the cache says nothing."""
    out = io.StringIO()
    Line("detector.<locals>.run", out).end()

    assert out.getvalue() == ""


@pytest.mark.skipif(INTERPRETED, reason="what compiling shows")
def test_a_terminal_sees_it_once_and_a_pipe_never(tmp_path):
    """A first start at a terminal shows functions and their share, about as many as were expected; the second, and one without a terminal, nothing."""
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "cache")}
    (tmp_path / "cache").mkdir(mode=0o700)
    seen = []
    for _ in range(2):
        ours, theirs = os.openpty()
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT], env=environment, stderr=theirs, stdout=subprocess.PIPE, text=True
        )
        os.close(theirs)
        written = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the other side is closed
                break
            if not part:
                break
            written += part
        os.close(ours)
        assert process.communicate()[0] == "learned\n"
        seen.append(texts(written.decode()))
    environment["NUMBA_CACHE_DIR"] = str(tmp_path / "other")
    (tmp_path / "other").mkdir(mode=0o700)
    piped = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, text=True, check=True)

    assert "of about 259 functions" in seen[0][0]
    assert seen[0][-1].endswith("functions in machine code, from 50 %")
    assert abs(int(seen[0][-1].split()[3]) - FUNCTIONS["detector"]) < 0.1 * FUNCTIONS["detector"]
    assert seen[1] == []
    assert (piped.stdout, piped.stderr) == ("learned\n", "")
