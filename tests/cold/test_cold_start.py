"""A fresh process in unfriendly places: nothing to write to, a damaged cache, four starting at once."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import streamrnn

# An entry like the nets', but compiled in a moment: it takes the same way through the cache.
SMALL = """
from streamrnn.kernels.compile import entry

def make(stamp):
    def run(rows):
        stamp
        total = 0.0
        for value in rows:
            total += value * value
        return total
    return entry(run)
"""
SUM = """
import numpy as np
from streamrnn.kernels.small import make
run = make("stamp")
totals = [run(np.arange(n) / 7.0) for n in range(60)]
print(run.compilations, run.cache_hits, sum(totals).hex())
"""
# Two entries that differ in a constant of what they call; a net's parts are called so, and too large to be inlined.
PARTS = """
from streamrnn.kernels.compile import chosen_by_cell, entry, kernel

@chosen_by_cell
def part(cell, hidden):
    @kernel
    def body(rows):
        total = 0.0
        for value in rows:
            total += hidden * value
        return total
    return body

def make(cell, hidden):
    def run(rows):
        return part(cell, hidden, rows)
    return entry(run)
"""
NAMES = """
import numpy as np
from streamrnn.kernels.parts import make
run = make("", 4)
run(np.ones(3))
[made] = run._compiled.overloads.values()
names = [function.name for library in made.library._linking_libraries for function in library.get_defined_functions()]
print(*(name for name in names if not name.lower().startswith("nrt_")))
"""
SCORES = """
from streamrnn import RNNAnomalyDetector
model = RNNAnomalyDetector(cell="dense", hidden_size=4, seed=1)
scores = []
for t in range(60):
    x = {"a": t % 7, **({"late": t % 3} if t > 30 else {})}
    scores.append(model.score_one(x))
    model.learn_one(x)
print(model._net.entry.compilations, model._net.entry.cache_hits, sum(scores).hex())
"""
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE = 24, 1


def obey_permissions():
    """Root may write everywhere; without this capability it may not."""
    if os.getuid() == 0 and ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, 0, 0, 0) != 0:
        raise OSError("The capability to write everywhere could not be dropped.")


def start(sources, script=SUM, **environment):
    """Begin a fresh process on a copy of the library."""
    keep = {key: value for key, value in os.environ.items() if not key.startswith(("NUMBA_", "XDG_", "PYTHON"))}
    return subprocess.Popen(
        [sys.executable, "-B", "-c", script],
        cwd="/",
        env={**keep, "PYTHONPATH": str(sources), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=obey_permissions,  # noqa: PLW1509  one thread
    )


def scored(process):
    """Wait; return how often the cache was hit, and the sum of the scores to the last bit."""
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    compilations, hits, total = out.split()
    assert compilations == "1"  # the first event's; the feature that came later brought none
    return int(hits), total


@pytest.fixture
def sources(tmp_path):
    """A copy of the library that cannot be written."""
    package = tmp_path / "library" / "streamrnn"
    shutil.copytree(Path(streamrnn.__file__).parent, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "kernels" / "small.py").write_text(SMALL)
    (package / "kernels" / "parts.py").write_text(PARTS)
    folders = [package, *(path for path in package.rglob("*") if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    yield package.parent
    for folder in folders:
        folder.chmod(0o755)


def test_cache_in_every_state(sources, tmp_path):
    """Four at once on an empty cache, then a warm one, then each file of it cut short: always the same result."""
    cache = tmp_path / "cache"
    cold = [scored(process) for process in [start(sources, NUMBA_CACHE_DIR=str(cache)) for _ in range(4)]]
    warm = scored(start(sources, NUMBA_CACHE_DIR=str(cache)))
    files = sorted(path for path in cache.rglob("*.nb*"))
    damaged = []
    for path in files:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
        damaged.append(scored(start(sources, NUMBA_CACHE_DIR=str(cache))))
        path.write_bytes(whole)
    there = {path: path.read_bytes() for path in files}
    other = scored(start(sources, SUM.replace("stamp", "other"), NUMBA_CACHE_DIR=str(cache)))

    assert warm[0] == 1
    assert {path.suffix for path in files} == {".nbi", ".nbc"}
    assert other == (0, warm[1])
    assert {path: path.read_bytes() for path in files} == there  # other constants, other files: nothing to race for
    assert len([*cache.rglob("*.nb*")]) == 2 * len(files)
    assert {total for _, total in [*cold, *damaged]} == {warm[1]}


def test_no_two_processes_give_the_same_name(sources, tmp_path):
    """What two processes compile for two nets has no name in common: a third that loads both would take one for the other."""
    places = {"NUMBA_CACHE_DIR": str(tmp_path / "cache"), "PYTHONHASHSEED": "0"}  # the order of a set is part of a name
    scripts = [NAMES, NAMES.replace('make("", 4)', 'make("", 8)')]

    found = [set(start(sources, script, **places).communicate(timeout=300)[0].split()) for script in scripts]

    assert [len(names) for names in found] == [2, 2]
    assert not found[0] & found[1]


def test_nowhere_to_write(sources, tmp_path):
    """Neither sources nor home can be written: a temporary folder holds the cache, and if that fails, memory."""
    home, temporary = tmp_path / "home", tmp_path / "temporary"
    temporary.mkdir()
    home.mkdir(0o555)
    places = {"HOME": str(home), "TMPDIR": str(temporary)}
    first, second = scored(start(sources, **places)), scored(start(sources, **places))
    shutil.rmtree(temporary)
    temporary.mkdir(0o555)

    nothing = scored(start(sources, **places))
    real = scored(start(sources, SCORES, **places))

    assert real[0] == 0
    assert list(home.iterdir()) == list(temporary.iterdir()) == []
    assert (first[0], second[0], nothing[0]) == (0, 1, 0)
    assert first[1] == second[1] == nothing[1]
