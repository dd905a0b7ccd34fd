"""Every cell, loss and rule against finite differences of an independent implementation, and the special cases."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import INTERPRETED
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.table import LOSSES
from streamrnn.testing.gradients import GRADIENT, assert_gradient
from streamrnn.testing.nets import HIDDEN, play, rate, small_net, step_of, targets, weights
from streamrnn.testing.twin import Twin
from tests.kernels import reference

RNG = np.random.default_rng(11)
RULES = [(cell, traces) for cell in CELLS for traces in ([False, True] if CELLS[cell].traced else [False])]


@pytest.fixture(autouse=True)
def the_same_numbers():
    """Whatever ran before: by chance a loss with a bend has no gradient to compare."""
    RNG.bit_generator.state = np.random.default_rng(11).bit_generator.state


def loss_of_newest(name, Y, settings, out):
    """Mean loss of outputs (B, w, K) per known target of the newest events Y (stride, K)."""
    return reference.loss(name, out[:, -len(Y) :], Y, *settings)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize(("cell", "traces"), RULES)
def test_gradient_is_the_difference_quotient(cell, traces, loss):
    """Two layers, overlapping windows, some targets not known, a history behind: each loss with each cell and rule."""
    net = small_net(cell, layers=2, window=5, stride=3, traces=traces, loss=loss)
    X, Y = RNG.normal(size=(21, 3)), targets(loss, RNG, 21, 2)
    settings = net.array("settings")[[at.LOSS_A, at.LOSS_B]]
    twin = Twin(net, reference.CELL[cell])
    directions, expected = twin.gradient(X, partial(loss_of_newest, loss, Y[-3:], settings))
    rate(net, 0.0)
    play(net, X[:-3], Y[:-3])

    assert_gradient(twin, directions, step_of(net, X[-3:], Y[-3:]), expected)
    assert np.abs(expected).max() > 0.01


@pytest.mark.parametrize("cell", CELLS)
def test_window_longer_than_the_stream_is_full_bptt(cell):
    """With the window beyond the stream the gradient is that of the whole stream's loss, from the state of rest on."""
    X, Y = RNG.normal(size=(24, 3)), RNG.normal(size=(24, 2))
    net = small_net(cell, layers=2, window=40, stride=24, traces=True)
    twin = Twin(net, reference.CELL[cell])
    directions, expected = twin.gradient(X, partial(loss_of_newest, "huber", Y, (3.0, 0.0)))

    assert_gradient(twin, directions, step_of(net, X, Y), expected)


@pytest.mark.parametrize(("window", "stride"), [(1, 1), (4, 4), (4, 1), (5, 2)])
def test_carried_traces_of_input_gated_cells_are_the_whole_history(window, stride):
    """trace_lstm: at fixed weights the gradient of the newest events reaches back to the first one, exactly."""
    net = small_net("trace_lstm", window=window, stride=stride, traces=True)
    whole = small_net("trace_lstm", window=40, stride=stride)  # plain, through the whole stream
    X, Y = RNG.normal(size=(40, 3)), np.full((40, 2), np.nan)
    Y[-stride:] = RNG.normal(size=(stride, 2))
    loss = partial(loss_of_newest, "huber", Y[-stride:], (3.0, 0.0))
    twin = Twin(whole, reference.CELL["trace_lstm"])
    directions, expected = twin.gradient(X, loss)
    rate(net, 0.0)
    play(net, X[:-stride], Y[:-stride])

    assert_gradient(twin, directions, step_of(net, X[-stride:], Y[-stride:]), expected)


def test_window_of_one_is_the_truncated_gradient_of_1997():
    """lstm, window 1, traces: errors leave a unit through its own cell state only (Hochreiter & Schmidhuber, A.1)."""
    net = small_net("lstm", window=1, stride=1, traces=True, outputs=1)
    X, y = RNG.normal(size=(15, 3)), 0.7
    (U, b, V, head), H = weights(net), HIDDEN
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
    seen = np.concatenate([h, [1.0], X[-1]])
    e = np.clip(head[0] @ seen - y, -3, 3)
    dh = e * head[0, :H]
    dc = dh * o * (1 - np.tanh(c) ** 2)
    grad = np.concatenate([*(dc * traces), np.outer(a, dh * np.tanh(c) * o * (1 - o))], 1)
    expected = np.concatenate([grad.ravel(), e * seen])  # rows U, b, V
    rate(net, 0.0)
    play(net, X[:-1], np.full((14, 1), np.nan))

    actual = step_of(net, X[-1:], np.array([[y]]))

    np.testing.assert_allclose(actual, expected, **GRADIENT)


@pytest.mark.parametrize(("cell", "traces"), RULES)
def test_unknown_targets_teach_nothing(cell, traces):
    """A window without a known target moves the state and touches no weight, no moment, no count of updates."""
    net = small_net(cell, optimizer="adam", pull=1e-3, traces=traces)
    play(net, RNG.normal(size=(12, 3)), RNG.normal(size=(12, 2)))
    before = {name: net.array(name).copy() for name in ("layer0.weights", "layer0.moments", "head", "head_moments")}
    updates, state = (
        int(net.header[at.UPDATES]),
        net.array("layer0.records")[: net.layout.record - net.layout.past].copy(),
    )

    play(net, RNG.normal(size=(6, 3)), np.full((6, 2), np.nan))

    for name, array in before.items():
        np.testing.assert_array_equal(net.array(name), array)
    assert int(net.header[at.UPDATES]) == updates
    assert not np.array_equal(net.array("layer0.records")[: net.layout.record - net.layout.past], state)


FILLED = [rule for rule in RULES if CELLS[rule[0]].recurrent]


@pytest.mark.parametrize(("cell", "traces"), FILLED)
def test_rows_that_only_fill_up_stay_empty(cell, traces):
    """With a hidden size that is no multiple of four the rows between it and the next one hold nothing, however long a net learns."""
    net = small_net(cell, layers=2, window=5, stride=3, traces=traces, optimizer="adam")
    play(net, RNG.normal(size=(30, 3)), RNG.normal(size=(30, 2)))

    filler = slice(HIDDEN, CELLS[cell].recurrent_rows(HIDDEN))
    assert filler.stop > filler.start
    for layer in range(2):
        assert not net.array(f"layer{layer}.weights")[filler].any()
        assert not net.array(f"layer{layer}.moments")[:, filler].any()
        assert np.abs(net.array(f"layer{layer}.moments")[:, :HIDDEN]).min() > 0.0


@pytest.mark.parametrize(("cell", "traces"), FILLED)
def test_a_gradient_is_clipped_by_the_norm_of_what_it_moves(cell, traces):
    """Clipped, a step of rate 1 is as long as the limit: nothing else counts, no row that only fills up."""
    net = small_net(cell, layers=2, window=5, stride=3, traces=traces, clip=1e-3)
    rate(net, 0.0)
    play(net, RNG.normal(size=(18, 3)), RNG.normal(size=(18, 2)))

    step = step_of(net, RNG.normal(size=(3, 3)), RNG.normal(size=(3, 2)))

    np.testing.assert_allclose(np.linalg.norm(step), 1e-3, rtol=1e-3)


def test_a_wrong_gradient_is_named():
    """A failure says layer, matrix, row, gate, unit and window of the worst weight, not its place among all weights."""
    net = small_net("lstm", layers=2, window=5, stride=3, loss="squared")
    X, Y = RNG.normal(size=(21, 3)), RNG.normal(size=(21, 2))
    twin = Twin(net, reference.CELL["lstm"])
    directions, expected = twin.gradient(X, partial(loss_of_newest, "squared", Y[-3:], (0.0, 0.0)))
    rate(net, 0.0)
    play(net, X[:-3], Y[:-3])
    actual = step_of(net, X[-3:], Y[-3:])
    (U, b, V, *_), H = weights(net), HIDDEN
    actual[U.size + b.size + 2 * V.shape[1] + 3 * H + 4] += 50.0  # the third input's weight to gate 3 of unit 4

    with pytest.raises(AssertionError, match=r"(?s)cell lstm, window 5, stride 3, tbptt.*layer 0") as caught:
        assert_gradient(twin, directions, actual, expected)

    assert INTERPRETED or "layer 0, input row 2, gate 3, unit 4: " in str(caught.value)
