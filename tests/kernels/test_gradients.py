"""Every cell, loss and rule against an independent implementation and finite differences."""

from __future__ import annotations

import numpy as np
import pytest

from streamrnn.kernels import layout as at
from streamrnn.kernels.cells import CELLS
from streamrnn.kernels.losses import LOSSES
from tests.kernels import reference, rig

RNG = np.random.default_rng(11)
CLOSE = {"rtol": 2e-3, "atol": 2e-5}  # float32 kernels against float64 differences


def lead_in(net, n, loss="huber"):
    """Run some windows without learning, so that the state is not zero."""
    rig.rates(net, 0.0)
    X = RNG.normal(size=(n, net.sizes.inputs))
    rig.play(net, X, rig.targets(loss, RNG, n, net.sizes.outputs))


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("cell", CELLS)
def test_window_gradient_is_the_difference_quotient(cell, loss):
    """Plain truncated BPTT: the gradient of the window's mean loss from the stored state on, two layers deep."""
    net = rig.build(cell, layers=2, loss=loss)
    lead_in(net, 12, loss)
    X, Y = RNG.normal(size=(6, 3)), rig.targets(loss, RNG, 6, 2)
    a, b = net.array("settings")[[at.LOSS_A, at.LOSS_B]]
    start = rig.states(net)
    expected = reference.numeric_gradient(
        lambda p: reference.objective(cell, p, X, Y, start, 6, loss, a, b), rig.params(net)
    )

    actual = rig.learned_gradient(net, X, Y)

    np.testing.assert_allclose(actual, expected, **CLOSE)


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_are_those_of_the_reference(cell):
    """The forward pass over several windows, two layers, is the textbook's."""
    net = rig.build(cell, layers=2)
    rig.rates(net, 0.0)
    X = RNG.normal(size=(20, 3))
    zeros = [(np.zeros(rig.HIDDEN), np.zeros(rig.HIDDEN))] * 2
    expected, _ = reference.forward(cell, rig.params(net), X, zeros)

    actual = rig.play(net, X, np.zeros((20, 2)))

    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=3e-6)


@pytest.mark.parametrize("stride", [1, 2, 3])
def test_short_strides_learn_each_target_once(stride):
    """BPTT(h; h'): the errors of the newest ``stride`` events flow back through the whole window, others bring none."""
    net = rig.build("lstm", window=6, stride=stride)
    lead_in(net, 12)
    X, Y = RNG.normal(size=(stride, 3)), RNG.normal(size=(stride, 2))
    # what is still in the window: its inputs, and the state at its start
    fill = int(net.header[at.FILL])
    old = net.array("layer0.inputs")[:fill, 1:4].astype(np.float64)
    start = rig.states(net)
    both, known = np.vstack([old, X]), np.vstack([np.full((fill, 2), np.nan), Y])
    expected = reference.numeric_gradient(
        lambda p: reference.objective("lstm", p, both, known, start, stride, "huber", 3.0, 0.0), rig.params(net)
    )

    actual = rig.learned_gradient(net, X, Y)

    assert fill == 6 - stride
    np.testing.assert_allclose(actual, expected, **CLOSE)


def test_window_longer_than_the_stream_is_full_bptt():
    """With the window beyond the stream, traces add nothing: the full gradient, bit for bit."""
    X, Y = RNG.normal(size=(24, 3)), RNG.normal(size=(24, 2))
    zeros = [(np.zeros(rig.HIDDEN), np.zeros(rig.HIDDEN))]
    plain, carried = (rig.build("lstm", window=24, stride=24, traces=traces) for traces in (False, True))
    expected = reference.numeric_gradient(
        lambda p: reference.objective("lstm", p, X, Y, zeros, 24, "huber", 3.0, 0.0), rig.params(plain)
    )

    first, second = rig.learned_gradient(plain, X, Y), rig.learned_gradient(carried, X, Y)

    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(first, expected, **CLOSE)


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (4, 4), (4, 1), (5, 2)])
def test_carried_traces_of_input_gated_cells_are_the_whole_history(window, stride):
    """trace_lstm: at fixed weights the gradient of the newest events reaches back to the first one, exactly."""
    net = rig.build("trace_lstm", window=window, stride=stride, traces=True)
    X, Y = RNG.normal(size=(40, 3)), np.full((40, 2), np.nan)
    Y[-stride:] = RNG.normal(size=(stride, 2))
    zeros = [(np.zeros(rig.HIDDEN), np.zeros(rig.HIDDEN))]
    expected = reference.numeric_gradient(
        lambda p: reference.objective("trace_lstm", p, X, Y, zeros, stride, "huber", 3.0, 0.0), rig.params(net)
    )
    rig.rates(net, 0.0)
    rig.play(net, X[:-stride], Y[:-stride])

    actual = rig.learned_gradient(net, X[-stride:], Y[-stride:])

    np.testing.assert_allclose(actual, expected, **CLOSE)


def test_window_of_one_is_the_truncated_gradient_of_1997():
    """lstm, window 1, traces: errors leave a unit through its own cell state only (Hochreiter & Schmidhuber, A.1)."""
    net = rig.build("lstm", window=1, stride=1, traces=True, outputs=1)
    X, y = RNG.normal(size=(15, 3)), 0.7
    p, H = rig.params(net), rig.HIDDEN
    ((U, b, V),) = p.layers
    h, c = np.zeros(H), np.zeros(H)
    traces = np.zeros((3, H + 1 + 3, H))  # dc/dW for gates i, f, g, by input
    for x in X:
        a = np.concatenate([h, [1.0], x])
        zi, zf, zg, zo = np.split(h @ U + b + x @ V, 4)
        i, f, g, o = reference.sigma(zi), reference.sigma(zf), np.tanh(zg), reference.sigma(zo)
        local = np.stack([g * i * (1 - i), c * f * (1 - f), i * (1 - g * g)])
        traces = f * traces + a[None, :, None] * local[:, None, :]
        c = f * c + i * g
        h = o * np.tanh(c)
    out = p.head @ np.concatenate([h, [1.0], X[-1]])
    e = np.clip(out[0] - y, -3, 3)
    dh = e * p.head[0, :H]
    dc = dh * o * (1 - np.tanh(c) ** 2)
    grad = np.concatenate(
        [dc * traces[0], dc * traces[1], dc * traces[2], np.outer(a, dh * np.tanh(c) * o * (1 - o))], 1
    )
    expected = np.concatenate([grad[:H].ravel(), grad[H], grad[H + 1 :].ravel(), e * np.concatenate([h, [1.0], X[-1]])])
    rig.rates(net, 0.0)
    rig.play(net, X[:-1], np.full((14, 1), np.nan))

    actual = rig.learned_gradient(net, X[-1:], np.array([[y]]))

    np.testing.assert_allclose(actual, expected, **CLOSE)


def test_unknown_targets_teach_nothing():
    """A window without a known target moves the state and touches no weight, no moment, no count of updates."""
    net = rig.build("lstm", optimizer="adam", pull=1e-3, traces=True)
    lead_in(net, 12)
    rig.rates(net, 0.1)
    before = {name: net.array(name).copy() for name in ("layer0.weights", "layer0.moments", "head", "head_moments")}
    updates, state = int(net.header[at.UPDATES]), net.array("layer0.records")[0].copy()

    rig.play(net, RNG.normal(size=(6, 3)), np.full((6, 2), np.nan))

    for name, array in before.items():
        np.testing.assert_array_equal(net.array(name), array)
    assert int(net.header[at.UPDATES]) == updates
    assert not np.array_equal(net.array("layer0.records")[0], state)


PLANTED = {
    "lstm": lambda z: z + np.array([0.0, 0.02, 0.0, 0.0]),
    "gru": lambda z: z * [1.02, 1.0, 1.0],
    "elman": lambda z: z * [1.02],
}


@pytest.mark.parametrize("cell", PLANTED)
def test_a_planted_error_is_seen(cell):
    """The comparison itself: a gradient that is off by a few per cent in one gate does not pass."""
    net = rig.build(cell)
    X, Y = RNG.normal(size=(6, 3)), RNG.normal(size=(6, 2))
    start = rig.states(net)
    p = rig.params(net)
    expected = p.like(
        reference.numeric_gradient(lambda q: reference.objective(cell, q, X, Y, start, 6, "huber", 3.0, 0.0), p)
    )
    (U, b, V) = expected.layers[0]
    gates = np.array(PLANTED[cell](b.reshape(-1, rig.HIDDEN).T)).T.ravel()
    wrong = reference.Params([(U, gates, V)], expected.head).flat()

    actual = rig.learned_gradient(net, X, Y)

    with pytest.raises(AssertionError):
        np.testing.assert_allclose(actual, wrong, **CLOSE)
