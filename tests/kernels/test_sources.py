"""The key of the disk cache: numba does not notice an edited function in another file."""

from __future__ import annotations

import importlib.util
from dataclasses import replace

import pytest

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net.stamp import stamp_of


@pytest.mark.parametrize("part", ["forward", "backward", "traces"])
def test_a_cell_split_over_files_is_seen_whole(tmp_path, part):
    """Whichever of a cell's functions lies in a file of its own: an edit there is another key."""
    path = tmp_path / "elsewhere.py"
    digests = []
    for text in ("def factory(H):\n    return 1\n", "def factory(H):\n    return 2\n"):
        path.write_text(text)
        spec = importlib.util.spec_from_file_location("elsewhere", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        digests.append(stamp_of(replace(CELLS["lstm"], **{part: module.factory})))

    assert digests[0] != digests[1]
    assert stamp_of(CELLS["lstm"]) not in digests
