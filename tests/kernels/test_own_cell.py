"""A cell of one's own: a file outside the package and one row are enough."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from streamrnn import RNNRegressor, dumps, loads
from streamrnn.kernels.cells.table import CELLS, register_cell
from streamrnn.testing import check_cell
from streamrnn.testing.nets import HIDDEN
from tests.kernels.minimal_gated import MINIMAL_GATED, reference


@pytest.fixture
def registered():
    """The cell's row, for the length of a test."""
    yield register_cell(MINIMAL_GATED)
    del CELLS["minimal_gated"]


def test_it_passes_the_suite(registered):
    """All checks that the library's own cells pass, the equations of its paper among them."""
    check_cell(MINIMAL_GATED, reference)


def test_users_name_it_like_any_other(registered):
    """``cell="minimal_gated"`` trains an estimator, which is saved and loaded like any other."""
    model = RNNRegressor(cell="minimal_gated", hidden_size=HIDDEN, seed=1)
    rng, errors, last = np.random.default_rng(0), [], 0.0
    for _ in range(3000):
        x = rng.normal()
        errors.append(abs(model.predict_one({"x": x}) - last))  # the answer is the event before
        model.learn_one({"x": x}, last)
        last = x

    assert np.mean(errors[-300:]) < 0.4 * np.mean(errors[:300])
    assert loads(dumps(model)).predict_one({"x": 1.0}) == model.predict_one({"x": 1.0})


def test_a_name_is_taken_once(registered):
    """Another cell of the same name is refused; the same row again is not."""
    assert register_cell(MINIMAL_GATED) is MINIMAL_GATED
    with pytest.raises(ValueError, match="'minimal_gated' is taken by another cell"):
        register_cell(replace(MINIMAL_GATED, carry_gate=0))


def test_without_its_row_it_is_unknown():
    """Not registered, the name is refused with the list of those that are there."""
    with pytest.raises(ValueError, match=r"'cell'.*must be one of .*lstm"):
        RNNRegressor(cell="minimal_gated")
