"""Many streams in one call: each stream is computed as if it were alone; one stream learns as the single entry does."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.batch import LEARN, PREDICT, batch
from streamrnn.kernels.net.batch_memory import batch_memory
from streamrnn.testing.gradients import GRADIENT
from streamrnn.testing.nets import play as play_alone
from streamrnn.testing.nets import rate, small_net, weights
from streamrnn.testing.twin import Twin
from tests.kernels import reference

RNG = np.random.default_rng(5)
KINDS = ("lstm", "gru", "dense")  # recurrent, with two sides, without recurrence: every branch of the batch's driver
CLOSE = {"rtol": 2e-4, "atol": 2e-6}  # the two entries sum in another order


def play(net, memory, X, Y, mode):
    """Run (n, B, I) inputs and (n, B, K) targets through the batch entry; returns the outputs (n, B, K)."""
    n, B, I = X.shape
    K = net.sizes.outputs
    rows = np.full((n, B, I + 2 * K), np.nan)
    rows[:, :, :I] = X
    rows[:, :, I : I + K] = Y
    batch(net.sizes.cell, net.sizes.hidden)(net.slab, memory, rows.reshape(-1), B, n, mode)
    return rows[:, :, I + K :]


def flat(net):
    """All weights in one array."""
    return np.concatenate([part.ravel() for part in weights(net)])


@pytest.mark.parametrize("cell", KINDS)
def test_each_stream_and_one_stream_are_those_of_the_single_entry(cell):
    """Outputs of each of five streams, over windows of different length; then weights after learning with B = 1."""
    shared, alone = small_net(cell), small_net(cell)
    X, Y = RNG.normal(size=(10, 5, 3)), RNG.normal(size=(10, 5, 2))
    memory = batch_memory(shared.sizes, 5)
    actual = np.concatenate([play(shared, memory, X[a:b], Y[a:b], PREDICT) for a, b in ((0, 6), (6, 7), (7, 10))])
    for stream in range(5):
        single = small_net(cell)
        rate(single, 0.0)
        np.testing.assert_allclose(actual[:, stream], play_alone(single, X[:, stream], Y[:, stream]), **CLOSE)

    memory = batch_memory(shared.sizes, 1)
    for window in range(3):
        X, Y = RNG.normal(size=(6, 1, 3)), RNG.normal(size=(6, 1, 2))
        Y[window, 0, 0] = np.nan
        rate(shared, 0.3)
        rate(alone, 0.3)
        np.testing.assert_allclose(
            play(shared, memory, X, Y, PREDICT | LEARN)[:, 0], play_alone(alone, X[:, 0], Y[:, 0]), **CLOSE
        )

    assert not np.array_equal(flat(alone), flat(small_net(cell)))
    np.testing.assert_allclose(flat(shared), flat(alone), **CLOSE)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_the_gradient_is_the_mean_over_all_known_targets(cell):
    """Five streams, some targets unknown: the step of SGD is the difference quotient of the mean loss."""
    net = small_net(cell)
    X, Y = RNG.normal(size=(6, 5, 3)), RNG.normal(size=(6, 5, 2))
    Y[RNG.random(Y.shape) < 0.3] = np.nan
    known = np.isfinite(Y).sum(axis=(0, 2))
    twin = Twin(net, reference.CELL[cell])
    each = [
        twin.gradient(
            X[:, s], lambda out, s=s: reference.loss("huber", out, Y[:, s], 3.0, 0.0) * known[s] / known.sum()
        )
        for s in range(5)
    ]
    before = flat(net)
    rate(net, 1.0)

    play(net, batch_memory(net.sizes, 5), X, Y, LEARN)

    actual = each[0][0] @ (before - flat(net))
    np.testing.assert_allclose(actual, sum(slope for _, slope in each), **GRADIENT)
    assert int(net.header[at.UPDATES]) == 1


def test_what_is_not_finite_touches_no_weight():
    """A weight that is infinite makes outputs that are not finite: the update is refused and counted."""
    net = small_net("lstm")
    net.array("head")[0, 0] = np.inf
    before = net.array("layer0.weights").copy()

    play(net, batch_memory(net.sizes, 4), RNG.normal(size=(6, 4, 3)), RNG.normal(size=(6, 4, 2)), LEARN)

    np.testing.assert_array_equal(net.array("layer0.weights"), before)
    assert (int(net.header[at.UPDATES]), int(net.header[at.REFUSED])) == (0, 1)


@pytest.mark.parametrize("options", [{"layers": 2}, {"clip": 1.0}])
def test_what_a_batch_cannot_do_is_refused(options):
    """Layers and norms are named in the error."""
    with pytest.raises(ValueError, match="one layer and an optimiser without a norm"):
        batch_memory(small_net("lstm", **options).sizes, 4)
    with pytest.raises(ValueError, match="Got 0 streams"):
        batch_memory(small_net("lstm").sizes, 0)
