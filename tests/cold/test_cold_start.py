"""A fresh process in unfriendly places: nothing to write to, a damaged cache, four starting at once."""

from __future__ import annotations

import ctypes
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path

import numba
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
import re
import numpy as np
from streamrnn.kernels.parts import make
run = make("", 4)
run(np.ones(3))
[made] = run._compiled.overloads.values()
texts = [text for library in made.library._below()[0][1:] for text in library.texts]
print(*(name for text in texts for name in re.findall('define [^@]*@"([^"]*)"', text)))
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


class Planted:
    """What somebody else would leave in a cache: reading it runs their code."""

    def __init__(self, marker):
        self.marker = str(marker)

    def __reduce__(self):
        return Path.touch, (Path(self.marker),)


def plant(cache, marker):
    """Put it in the place of every index of numba's; return the folder that holds them."""
    indexes = list(cache.rglob("*.nbi"))
    for index in indexes:
        index.write_bytes(pickle.dumps(numba.__version__) + pickle.dumps(Planted(marker)))
    return indexes[0].parent


def of_another_user(path):
    """Give it away."""
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    os.chown(path, 54321, 54321)


OPENED = {
    "all may write to the folder": lambda cache, folder: folder.chmod(0o777),
    "a group may write to the folder": lambda cache, folder: (os.chown(folder, -1, 54321), folder.chmod(0o775)),
    "all may write above the folder": lambda cache, folder: cache.chmod(0o777),
    "the folder belongs to another user": lambda cache, folder: of_another_user(folder),
    "the folder above belongs to another user": lambda cache, folder: of_another_user(cache),
    "the files belong to another user": lambda cache, folder: [of_another_user(path) for path in folder.iterdir()],
    "a link of another user leads to it": lambda cache, folder: (
        cache.rename(cache.with_name("moved")),
        cache.symlink_to("moved"),
        os.geteuid() or os.lchown(cache, 54321, 54321),
    ),
}


@pytest.mark.parametrize("opened", OPENED)
@pytest.mark.parametrize("place", ["NUMBA_CACHE_DIR", "TMPDIR"])
def test_code_that_others_can_have_put_there_is_not_run(sources, tmp_path, place, opened):
    """A cache that is not ours alone is neither read nor written, in the temporary directory and where the user says."""
    if "group" in opened and os.geteuid() != 0:
        pytest.skip("a user's own group may write")
    if "link" in opened and os.geteuid() != 0:
        pytest.skip("only root can give a link away")
    home, temporary, marker = tmp_path / "home", tmp_path / "temporary", tmp_path / "marker"
    temporary.mkdir(0o700)
    home.mkdir(0o555)
    cache = temporary / (f"streamrnn-numba-{os.geteuid()}" if place == "TMPDIR" else "own")
    places = {"HOME": str(home), "TMPDIR": str(temporary)} | ({} if place == "TMPDIR" else {place: str(cache)})
    cold = scored(start(sources, **places))
    modes = {path.stat().st_mode & 0o777 for path in (cache, *cache.iterdir())}
    folder = plant(cache, marker)
    OPENED[opened](cache, folder)

    process = start(sources, **places)
    out, err = process.communicate(timeout=300)

    assert modes == {0o700}
    assert not marker.exists(), err
    assert out.split() == ["1", "0", cold[1]], err
    assert ("NUMBA_CACHE_DIR" in err and "chmod go-w" in err) == (place == "NUMBA_CACHE_DIR"), err


def test_what_is_planted_would_run(sources, tmp_path):
    """The proof that the test above plants the right thing: in a folder of ours it is read."""
    cache, marker = tmp_path / "cache", tmp_path / "marker"
    scored(start(sources, NUMBA_CACHE_DIR=str(cache)))
    plant(cache, marker)

    start(sources, NUMBA_CACHE_DIR=str(cache)).communicate(timeout=300)

    assert marker.exists()
