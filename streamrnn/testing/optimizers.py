"""What every optimiser must do: the checks that the library's own optimisers are held to, for rules of one's own."""

from __future__ import annotations

import functools
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers import table
from streamrnn.kernels.net.optimizers.contract import Rule
from streamrnn.kernels.net.optimizers.table import OPTIMIZERS, WORDS, register_optimizer
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.testing.checks import Check, name_of, run_checks

__all__ = ["check_optimizer", "optimizer_checks", "steps"]

Array = NDArray[Any]
STEPS: Final = 60
N: Final = 8


@functools.cache
def _stepper() -> Any:
    stamp = stamp_of(CELLS["dense"])

    def run(hd, hyper, c, w, w_0, s, size, g, scale):  # type: ignore[no-untyped-def]
        stamp  # noqa: B018  part of the cache's key
        table.prepare(hd, hyper, c)
        c[8] = scale
        table.step(hd[at.OPTIMIZER], c, w, w_0, s, size, g, w.size, np.float32(0.0))
        hd[at.UPDATES] += 1

    return entry(run)


def steps(
    name: str, w_0: Array, G: Array, *, initial: Array | None = None, scale: float = 1.0, lag: int = 0,
    moments: Array | None = None, pieces: int = 1,
) -> Array:  # fmt: skip
    """Return the weights after each of some updates with the rule's default settings.

    Parameters
    ----------
    name
        The row of the optimiser.
    w_0
        Weights before the first of them, shape (n,).
    G
        Gradients, shape (updates, n).
    initial
        Initial weights, shape (n,). None: ``w_0``.
    scale
        By how much the gradients count.
    lag
        Updates that have been before.
    moments
        The arrays of moments, shape (S, n) with S at least the rule's slots, float32, used in place.
    pieces
        Into how many runs of equal length the weights are cut.

    Returns
    -------
    numpy.ndarray
        Shape (updates, n), float32.
    """
    rule, n = OPTIMIZERS[name], len(w_0)
    hd, hyper, c = np.zeros(at.HEADER_WORDS, np.int64), np.zeros(at.N_HYPER), np.zeros(16, np.float32)
    hd[at.OPTIMIZER] = rule.code
    for setting, value in rule.defaults.items():
        hyper[WORDS[setting]] = value
    w, start = w_0.astype(np.float32), (w_0 if initial is None else initial).astype(np.float32)
    s = (np.zeros((max(rule.slots, 1), n), np.float32) if moments is None else moments).reshape(-1)
    found, part = [], n // pieces
    for t, g in enumerate(G.astype(np.float32)):
        for first in range(0, n, part):
            hd[at.UPDATES] = lag + t
            own = slice(first, first + part)
            with np.errstate(all="ignore"):  # interpreted, NumPy warns of what compiled code computes in silence
                _stepper()(hd, hyper, c, w[own], start[own], s[first:], n, g[own], np.float32(scale))
        found.append(w.copy())
    return np.array(found)


def _gradients(size: float = 1.0) -> tuple[Array, Array]:
    """Initial weights, and gradients of sizes from 1e-3 to 1e3 times ``size``."""
    rng = np.random.default_rng(0)
    G = rng.normal(size=(STEPS, N)) * 10.0 ** rng.uniform(-1.5, 1.5, (STEPS, 1)) * 10.0 ** np.linspace(-1.5, 1.5, N)
    return rng.normal(size=N), G * size


def _no_gradient_no_step(name: str) -> None:
    """A weight whose gradient has always been zero never moves, and the others do: nothing is divided by 0."""
    w_0, G = _gradients()
    G[:, ::2] = 0.0
    trail = steps(name, w_0, G)
    np.testing.assert_array_equal(trail[:, ::2], np.tile(w_0.astype(np.float32)[::2], (STEPS, 1)))
    if not (trail[-1, 1::2] != w_0.astype(np.float32)[1::2]).all():
        raise AssertionError("Weights with a gradient did not move.")


def _runs_are_their_pieces(name: str) -> None:
    """Weights in one run or in several move alike, to the bit: each by its own gradient and moments alone."""
    w_0, G = _gradients()
    np.testing.assert_array_equal(steps(name, w_0, G, pieces=2), steps(name, w_0, G))


def _the_scale_is_the_gradients(name: str) -> None:
    """Gradients twice as large that count half are the same gradients, to the bit: so they are clipped."""
    w_0, G = _gradients()
    np.testing.assert_array_equal(steps(name, w_0, 2.0 * G, scale=0.5), steps(name, w_0, G))


def _moments_lie_in_their_slots(name: str) -> None:
    """What lies behind the row's slots of moments stays as it is."""
    w_0, G = _gradients()
    moments = np.zeros((OPTIMIZERS[name].slots + 1, N), np.float32)
    moments[-1] = 7.0
    trail = steps(name, w_0, G, moments=moments)
    np.testing.assert_array_equal(trail, steps(name, w_0, G))
    np.testing.assert_array_equal(moments[-1], np.full(N, 7.0, np.float32))


def _long_lives_are_finite(name: str) -> None:
    """After 1e9 updates the next steps are finite, with gradients of any size that a net lets through."""
    for size in (1e-30, 1e-12, 1.0, 1e12):
        w_0, G = _gradients(size)
        if not np.isfinite(steps(name, w_0, G, lag=10**9)).all():
            raise AssertionError(f"With gradients of size {size} the weights are not finite.")


def _it_goes_downhill(name: str) -> None:
    """On a bowl, |w - 1|^2 / 2 with every weight at 0, two hundred steps lower the loss."""
    w, moments = np.zeros(N), np.zeros((max(OPTIMIZERS[name].slots, 1), N), np.float32)
    for t in range(200):
        w = steps(name, w, (w - 1.0)[None], initial=np.zeros(N), lag=t, moments=moments)[0].astype(np.float64)
    if not (np.abs(w - 1.0) < 1.0).all():
        raise AssertionError(f"From 0 the weights went to {w.tolist()}, not towards 1.")


def optimizer_checks(rule: Rule | str) -> list[Check]:
    """Return the checks of one optimiser, each with a name: for ``pytest.mark.parametrize``, or a loop.

    Parameters
    ----------
    rule
        A row, which is registered if need be, or the name of a registered one.

    Returns
    -------
    list of (str, callable)
        A check raises AssertionError when the optimiser fails it.

    Examples
    --------
    >>> from streamrnn.testing import optimizer_checks
    >>> [text for text, _ in optimizer_checks("adam")]
    ['no gradient', 'pieces', 'scale', 'slots', 'long lives', 'downhill']
    """
    name = name_of(rule, register_optimizer)
    return [
        ("no gradient", partial(_no_gradient_no_step, name)),
        ("pieces", partial(_runs_are_their_pieces, name)),
        ("scale", partial(_the_scale_is_the_gradients, name)),
        ("slots", partial(_moments_lie_in_their_slots, name)),
        ("long lives", partial(_long_lives_are_finite, name)),
        ("downhill", partial(_it_goes_downhill, name)),
    ]


def check_optimizer(rule: Rule | str) -> None:
    """Run all of :func:`optimizer_checks`, in order.

    Parameters
    ----------
    rule
        A row, or the name of a registered one.

    Raises
    ------
    AssertionError
        At the first check that fails; a note on it says which.

    Examples
    --------
    >>> from streamrnn.testing import check_optimizer
    >>> check_optimizer("sgd")
    """
    run_checks(optimizer_checks(rule))
