"""What every cell must do: the checks that the library's own cells are held to, for cells of one's own."""

from __future__ import annotations

import itertools
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.contract import Cell
from streamrnn.kernels.cells.table import CELLS, register_cell
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS
from streamrnn.kernels.net.supervised import LEARN, PREDICT
from streamrnn.models._net import Net
from streamrnn.testing.checks import Check, name_of, run_checks
from streamrnn.testing.gradients import assert_gradient
from streamrnn.testing.nets import play, rate, small_net, step_of, targets, weights
from streamrnn.testing.twin import Reference, Twin

Array = NDArray[np.float64]
OUTPUT: Final[dict[str, Any]] = {
    "rtol": 1e-4,
    "atol": 5e-6,
}  # the rational tanh is off by 4e-7, over twenty steps of two layers

# Window, stride, layers: the usual, overlapping windows, a window that the stride does not divide, a single step.
SHAPES: Final = ((6, 6, 1), (6, 6, 2), (6, 2, 1), (5, 2, 2), (1, 1, 1), (1, 1, 2))


def _events(n: int, seed: int = 0, loss: str = "squared", **shape: int) -> tuple[Array, Array]:
    rng = np.random.default_rng([seed, 11])
    X = rng.normal(size=(n, shape.get("inputs", 3)))
    return X, targets(loss, rng, n, shape.get("outputs", 2))


def _same(a: Net, b: Net) -> None:
    """Both nets have the same state, to the bit."""
    np.testing.assert_array_equal(np.frombuffer(a.state(), np.uint8), np.frombuffer(b.state(), np.uint8))


def row_is_consistent(name: str) -> None:
    """The row's numbers fit each other: blocks lie inside the record, what has traces has a cell state."""
    cell = CELLS[name]
    blocks = range(cell.record)
    wrong = [
        text
        for text, ok in (
            ("gates must be >= 1", cell.gates >= 1),
            ("h must be a block of the record", cell.h in blocks),
            ("c must be a block of the record, or -1", cell.c in (-1, *blocks)),
            ("record must hold the pre-activations", cell.record >= max(cell.gates, cell.split + cell.gates)),
            ("split must be 0 or lie behind the gates", cell.split == 0 or cell.split >= cell.gates),
            ("traces and traced go together", (cell.traces is not None) == (cell.traced > 0)),
            ("traces need a cell state c", cell.traced == 0 or cell.c >= 0),
            ("traced must be <= gates", cell.traced <= cell.gates),
            ("split cells cannot have traces", not (cell.split and cell.traced)),
            ("cells with weights of their own cannot have traces", not (cell.own and cell.traced)),
            ("states must be >= 1", cell.states >= 1),
            ("states must lie in the record, behind c", cell.c < 0 or cell.c + cell.states <= cell.record),
            (
                "past must be a block, and none behind h or c",
                0 <= cell.past <= min((b for b in (cell.h, cell.c) if b >= 0), default=0),
            ),
            ("several states need a c, and have no traces", cell.states == 1 or (cell.c >= 0 and not cell.traced)),
            *(
                (f"{gate} must be a gate, or -1", -1 <= getattr(cell, gate) < cell.gates)
                for gate in ("input_gate", "forget_gate", "carry_gate")
            ),
        )
        if not ok
    ]
    if wrong:
        raise AssertionError(f"Cell {name!r}: {'; '.join(wrong)}.")


def outputs_are_the_twins(name: str, layers: int, reference: Reference | None) -> None:
    """Twenty events, over several windows, give the outputs of the float64 twin."""
    net = small_net(name, layers=layers)
    rate(net, 0.0)
    X, Y = _events(20)

    np.testing.assert_allclose(play(net, X, Y), Twin(net, reference).outputs(X), **OUTPUT)


def gradient_is_the_difference_quotient(
    name: str, window: int, stride: int, layers: int, traces: bool, reference: Reference | None
) -> None:
    """What an update subtracts is the derivative of the newest targets' loss, with what the rule holds fixed held fixed.

    After a history of several windows at fixed weights; some targets are not known.
    """
    net = small_net(name, layers=layers, window=window, stride=stride, traces=traces, loss="squared")
    X, Y = _events(4 * window + 3 * stride - 4 * window % stride)
    twin = Twin(net, reference)
    wanted = Y[-stride:]

    def loss(out: Array) -> Array:
        d = out[:, -stride:] - wanted
        total: Array = np.nansum(d * d, axis=(1, 2)) / np.isfinite(wanted).sum()
        return total

    directions, expected = twin.gradient(X, loss)
    rate(net, 0.0)
    play(net, X[:-stride], Y[:-stride])

    assert_gradient(twin, directions, step_of(net, X[-stride:], wanted), expected)


def traces_add_nothing_within_the_window(name: str) -> None:
    """With a window beyond the stream both rules are full backpropagation through time, bit for bit the same."""
    X, Y = _events(24)
    first, second = (small_net(name, window=24, stride=24, traces=traces) for traces in (False, True))

    np.testing.assert_array_equal(step_of(first, X, Y), step_of(second, X, Y))


def blocks_are_single_events(name: str, optimizer: str, traces: bool) -> None:
    """Blocks of 1, 7 and 60 events leave the same outputs and the same state, to the bit."""
    X, Y = _events(60)
    nets = [small_net(name, layers=2, stride=3, traces=traces, optimizer=optimizer) for _ in range(3)]
    outs = [
        np.concatenate([play(net, X[start : start + size], Y[start : start + size]) for start in range(0, 60, size)])
        for net, size in zip(nets, (60, 7, 1), strict=True)
    ]

    for net, out in zip(nets[1:], outs[1:], strict=True):
        np.testing.assert_array_equal(out, outs[0])
        _same(net, nets[0])


def resumed_is_uninterrupted(name: str, optimizer: str, traces: bool) -> None:
    """A net restored from its bytes, in the middle of a window, goes on as if it had never stopped, to the bit."""
    options: dict[str, Any] = {"stride": 3, "traces": traces, "optimizer": optimizer, "normalize_inputs": True}
    X, Y = _events(50)
    whole, before, after = (small_net(name, **options, seed=seed) for seed in (3, 3, 4))
    expected = play(whole, X, Y)
    play(before, X[:29], Y[:29])

    after.restore(before.inputs, 2, before.state())

    np.testing.assert_array_equal(play(after, X[29:], Y[29:]), expected[29:])
    _same(after, whole)
    if int(whole.header[at.UPDATES]) < 10 or np.array_equal(weights(whole)[1], weights(small_net(name))[1]):
        raise AssertionError("Nothing was learned: the comparison says nothing.")


def predicting_changes_nothing(name: str, traces: bool) -> None:
    """Predictions between the events, of the same event or of others, change no bit of what follows."""
    X, Y = _events(30)
    asked, silent = (small_net(name, layers=2, stride=3, traces=traces, optimizer="adam") for _ in range(2))
    for t in range(30):
        before = asked.state()
        play(asked, X[::-1], None, PREDICT)
        first = play(asked, X[t : t + 1], None, PREDICT)
        np.testing.assert_array_equal(play(asked, X[t : t + 1], None, PREDICT), first)
        np.testing.assert_array_equal(np.frombuffer(asked.state(), np.uint8), np.frombuffer(before, np.uint8))
        play(asked, X[t : t + 1], Y[t : t + 1], LEARN)
        np.testing.assert_array_equal(play(silent, X[t : t + 1], Y[t : t + 1]), first)
    _same(asked, silent)


def later_events_change_nothing_before(name: str, traces: bool) -> None:
    """The outputs for a prefix of the stream are the same whatever comes after it."""
    X, Y = _events(40)
    other, others = _events(40, seed=1)
    other[:25], others[:25] = X[:25], Y[:25]
    first, second = (small_net(name, stride=3, traces=traces, optimizer="adam") for _ in range(2))
    one, two = play(first, X, Y), play(second, other, others)

    np.testing.assert_array_equal(one[:25], two[:25])
    if np.array_equal(one[25:], two[25:]):
        raise AssertionError("The outputs do not depend on the inputs at all.")


def growth_changes_no_weight(name: str, traces: bool) -> None:
    """New inputs and outputs in the middle of a window leave every weight, moment and trace as it is, to the bit.

    New inputs start with the weights that a net has that knew their names from the start.
    """
    X, Y = _events(29)
    options: dict[str, Any] = {"layers": 2, "stride": 3, "traces": traces, "drawn": False}
    net, early = (small_net(name, optimizer="adam", inputs=n, **options) for n in (3, 5))
    initial = [part.copy() for part in weights(early)]
    play(net, X, Y)
    before, known = weights(net), net.array("layer0.moments").copy()
    net.grow(["x3", "x4"], 1)
    parts = weights(net)
    rows = known.shape[1]

    np.testing.assert_array_equal(parts[0], before[0])
    np.testing.assert_array_equal(parts[1], before[1])
    np.testing.assert_array_equal(parts[2][:3], before[2])
    np.testing.assert_array_equal(parts[2][3:], initial[2][3:])
    for new, old in zip(parts[3:-1], before[3:-1], strict=True):
        np.testing.assert_array_equal(new, old)
    np.testing.assert_array_equal(parts[-1][:2, : before[-1].shape[1]], before[-1])
    np.testing.assert_array_equal(net.array("layer0.moments")[:, :rows], known)
    wide = np.hstack([X, X[:, :2]])
    if not np.isfinite(play(net, wide, np.hstack([Y, Y[:, :1]]))).all():
        raise AssertionError("The grown net's outputs are not finite.")


def refused_updates_leave_no_trace(name: str, optimizer: str, traces: bool) -> None:
    """An update whose errors are not finite changes no weight and no moment, is counted, and learning goes on.

    The damaged target is no float32; a missing or infinite input or target is not an error but not known.
    """
    X, Y = _events(36)
    net = small_net(name, stride=6, traces=traces, optimizer=optimizer, loss="squared")
    names = ["head", "head_moments", "layer0.weights", "layer0.moments"]
    play(net, X[:12], Y[:12])
    before = {key: net.array(key).copy() for key in names}
    bad = Y[12:18].copy()
    bad[3, 1] = 1e60
    play(net, X[12:18], bad)
    for key in names:
        np.testing.assert_array_equal(net.array(key), before[key])
    counted = int(net.header[at.REFUSED]), int(net.header[at.UPDATES])
    if counted != (1, 2):
        raise AssertionError(f"One update of three should have been refused. Counted: {counted}.")
    hostile, missing = X[18:24].copy(), Y[18:24].copy()
    hostile[0, 0], hostile[1, 1], hostile[2, 2], missing[4, 0] = np.nan, np.inf, 1e300, -np.inf
    out = np.vstack([play(net, hostile, missing), play(net, X[24:], Y[24:])])

    counted = int(net.header[at.REFUSED]), int(net.header[at.UPDATES])
    if counted != (1, 5) or not np.isfinite(out).all():
        raise AssertionError(f"Learning should go on after a refusal. Counted: {counted}.")
    if np.array_equal(net.array("layer0.weights"), before["layer0.weights"]):
        raise AssertionError("Nothing was learned after the refusal.")


def frozen_weights_stay(name: str, traces: bool) -> None:
    """A frozen net's state moves on, its weights do not; thawed it learns again."""
    X, Y = _events(36)
    net = small_net(name, stride=3, traces=traces, optimizer="adam")
    play(net, X[:12], Y[:12])
    before = weights(net)
    net.header[at.FROZEN] = 1
    frozen = play(net, X[12:24], Y[12:24])
    for now, then in zip(weights(net), before, strict=True):
        np.testing.assert_array_equal(now, then)
    fixed = small_net(name, stride=3, traces=traces, optimizer="adam")
    play(fixed, X[:12], Y[:12])
    rate(fixed, 0.0)

    np.testing.assert_array_equal(frozen, play(fixed, X[12:24], Y[12:24]))
    net.header[at.FROZEN] = 0
    play(net, X[24:], Y[24:])
    if np.array_equal(weights(net)[1], before[1]):
        raise AssertionError("The net does not learn after it was frozen.")


def learning_lowers_the_loss(name: str) -> None:
    """Six hundred events with the default optimiser: the error on y = tanh(x) falls below half of what it was."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(1200, 1))
    net = small_net(name, inputs=1, outputs=1, stride=3, optimizer="adam", traces=True, drawn=False, loss="squared")
    net.array("settings")[at.LR] = 0.02
    error = (play(net, X, np.tanh(2.0 * X)) - np.tanh(2.0 * X)) ** 2
    first, last = float(error[:100].mean()), float(error[-100:].mean())
    if not last < 0.5 * first:
        raise AssertionError(f"The mean squared error went from {first:.3f} to {last:.3f} only.")


def cell_checks(cell: Cell | str, reference: Reference | None = None) -> list[Check]:
    """Return the checks of one cell, each with a name: for ``pytest.mark.parametrize``, or a loop.

    Parameters
    ----------
    cell
        A row, which is registered if need be, or the name of a registered one.
    reference
        One step of the cell in NumPy, written from the paper and not from the kernel:
        ``reference(wx, uh, h, c) -> (h, c)`` with wx = W x + b and uh = U h of shape (G, ..., H), and h, c of the
        event before, of shape (..., H). Without one, the way back is compared with the cell's own way forward, and whether
        that is the way forward of the paper remains open.

    Returns
    -------
    list of (str, callable)
        A check raises AssertionError when the cell fails it.

    Examples
    --------
    >>> from streamrnn.testing import cell_checks
    >>> name, check = cell_checks("gru")[0]
    >>> name, check()
    ('row', None)
    """
    name = name_of(cell, register_cell)
    rules = [False, True] if CELLS[name].traced else [False]
    says = {False: "tbptt", True: "traces"}
    found: list[Check] = [("row", partial(row_is_consistent, name))]
    steps: list[Reference | None] = [None, reference] if reference else [None]
    for layers, step in itertools.product((1, 2), steps):
        against = "reference" if step else "own step"
        found.append((f"outputs-{layers}-{against}", partial(outputs_are_the_twins, name, layers, step)))
    for (T, S, L), traces in itertools.product(SHAPES, rules):
        check = partial(gradient_is_the_difference_quotient, name, T, S, L, traces, reference)
        found.append((f"gradient-window {T}-stride {S}-layers {L}-{says[traces]}", check))
    found.append(("full bptt", partial(traces_add_nothing_within_the_window, name)))
    for traces, optimizer in itertools.product(rules, OPTIMIZERS):
        for text, one in (
            ("blocks", blocks_are_single_events),
            ("resume", resumed_is_uninterrupted),
            ("refusal", refused_updates_leave_no_trace),
        ):
            found.append((f"{text}-{optimizer}-{says[traces]}", partial(one, name, optimizer, traces)))
    for traces in rules:
        for text, each in (
            ("purity", predicting_changes_nothing),
            ("causality", later_events_change_nothing_before),
            ("growth", growth_changes_no_weight),
            ("frozen", frozen_weights_stay),
        ):
            found.append((f"{text}-{says[traces]}", partial(each, name, traces)))
    return [*found, ("learning", partial(learning_lowers_the_loss, name))]


def check_cell(cell: Cell | str, reference: Reference | None = None) -> None:
    """Run all of :func:`cell_checks`, in order.

    Parameters
    ----------
    cell
        A row, which is registered if need be, or the name of a registered one.
    reference
        One step of the cell in NumPy, as in :func:`cell_checks`.

    Raises
    ------
    AssertionError
        At the first check that fails; a note on it says which.

    Examples
    --------
    >>> from streamrnn.testing import check_cell
    >>> check_cell("elman")
    """
    run_checks(cell_checks(cell, reference))
