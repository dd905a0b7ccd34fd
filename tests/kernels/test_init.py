"""Initial weights belong to names, and give a net the time constants it is promised."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.net.init import INITIALIZERS, TAU_MAX, timescales
from streamrnn.kernels.net.layout import Sizes
from streamrnn.models._net import Net


def inputs_by_name(net):
    """The weights of each input, by name."""
    cell, hidden = CELLS[net.sizes.cell], net.sizes.hidden
    first = cell.first_row(hidden) + 1
    weights = net.array("layer0.weights")
    return {name: weights[first + place].tobytes() for place, name in enumerate(net.inputs)}


@pytest.mark.parametrize("cell", CELLS)
def test_order_of_arrival_changes_no_weight(cell):
    """The same names in another order, at once or one by one, have the same weights; so has the rest of the net."""
    one, other = (Net(Sizes(cell, 0, 6, 0, layers=2), seed=5) for _ in range(2))

    one.grow(["a", "b", "c"], outputs=1)
    for name in ("c", "a", "b"):
        other.grow([name])
    other.grow(outputs=1)

    assert inputs_by_name(one) == inputs_by_name(other)
    assert one.array("layer1.weights").tobytes() == other.array("layer1.weights").tobytes()
    assert len(set(inputs_by_name(one).values())) == 3


@pytest.mark.parametrize("cell", CELLS)
def test_later_growth_changes_no_weight(cell):
    """What was there before a new input or output came is there after it, bit for bit."""
    net = Net(Sizes(cell, 0, 6, 0, layers=2), seed=5)
    net.grow(["a", "b"], outputs=1)
    rows = len(net.array("layer0.weights"))
    before = inputs_by_name(net), net.array("layer0.weights").copy(), net.array("layer1.weights").copy()

    net.grow([f"late {i}" for i in range(9)], outputs=2)

    after = inputs_by_name(net)
    assert {name: after[name] for name in "ab"} == before[0]
    used = rows - 4 + 3  # the last four rows of the first net hold the bias, a, b and padding
    assert net.array("layer0.weights")[:used].tobytes() == before[1][:used].tobytes()
    assert net.array("layer1.weights").tobytes() == before[2].tobytes()


@pytest.mark.parametrize("cell", ["lstm", "trace_lstm"])
def test_time_constants_are_spread_evenly_over_the_decades(cell):
    """1 / (1 - sigma(forget bias)) is the time constant: one unit in each of H equal steps of log tau."""
    hidden = 32
    bias = timescales(CELLS[cell], hidden, 1, 0).reshape(-1, hidden)
    forget = 1.0 / (1.0 + np.exp(-bias[CELLS[cell].forget_gate]))

    place = np.log(1.0 / (1.0 - forget)) / np.log(TAU_MAX) * hidden

    np.testing.assert_array_equal(np.floor(place[1:]), np.arange(1, hidden))  # the first may stand at the floor of 1.1
    np.testing.assert_array_equal(bias[CELLS[cell].input_gate], -bias[CELLS[cell].forget_gate])


@pytest.mark.parametrize("init", INITIALIZERS)
def test_seeds_differ(init):
    """Another seed is another net; the same seed the same one."""
    first, again, other = (Net(Sizes("lstm", 0, 6, 0), seed, init=init) for seed in (1, 1, 2))

    weights = [net.array("layer0.weights").tobytes() for net in (first, again, other)]

    assert weights[0] == weights[1]
    assert weights[0] != weights[2]
