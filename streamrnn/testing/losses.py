"""What every loss must do: the checks that the library's own losses are held to."""

from __future__ import annotations

import functools
from functools import partial
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from streamrnn.kernels.cells.table import CELLS
from streamrnn.kernels.compile import entry
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses.contract import LossRow
from streamrnn.kernels.net.losses.table import LOSSES, output_gradient, register_loss
from streamrnn.kernels.net.stamp import stamp_of
from streamrnn.testing.checks import Check, name_of, run_checks
from streamrnn.testing.nets import targets

Array = NDArray[np.float64]
OUTPUTS: Final = 4
# Losses whose value is not the integral of their gradient: river's "loss" of Cauchy is |d|, the gradient that of
# C^2/2 log(1 + (d/C)^2).
VALUE_IS_ANOTHER: Final = {"cauchy"}


@functools.cache
def _entry() -> Any:
    stamp = stamp_of(CELLS["dense"])  # the losses are in the kernels' own files

    def run(code, y, out, grad, hyper):  # type: ignore[no-untyped-def]
        stamp  # noqa: B018  part of the cache's key
        return output_gradient(code, y, out, grad, hyper)

    return entry(run)


def evaluate(
    name: str, y: Array, out: NDArray[Any], settings: dict[str, float] | None = None
) -> tuple[int, float, NDArray[Any]]:
    """Return known targets, loss and gradient (K) of one event, as the kernels compute them.

    Parameters
    ----------
    name
        The row of the loss.
    y
        Targets (K), NaN where not known.
    out
        Outputs (K). float64 is kept.
    settings
        Settings of the loss, over its defaults.
    """
    row = LOSSES[name]
    hyper, grad = np.zeros(at.N_HYPER), np.zeros_like(out)
    for word, value in zip((at.LOSS_A, at.LOSS_B), {**row.defaults, **(settings or {})}.values(), strict=False):
        hyper[word] = value
    with np.errstate(all="ignore"):  # interpreted, NumPy warns of what compiled code computes in silence
        known, loss = _entry()(row.code, np.asarray(y, np.float64), out, grad, hyper)
    return int(known), float(loss), grad


def gradient_is_the_difference_quotient(name: str) -> None:
    """Away from kinks, dL/do is the difference quotient of L, for outputs near and far from the target."""
    rng = np.random.default_rng(5)
    for size in (0.3, 3.0):
        for _ in range(30):
            y, out = targets(name, rng, 1, OUTPUTS)[0], rng.normal(size=OUTPUTS) * size
            known, value, grad = evaluate(name, y, out)
            expected = np.zeros(OUTPUTS)
            for k in range(OUTPUTS):
                e = 1e-6 * (np.arange(OUTPUTS) == k)
                expected[k] = (evaluate(name, y, out + e)[1] - evaluate(name, y, out - e)[1]) / 2e-6
            np.testing.assert_allclose(grad, expected, rtol=1e-5, atol=1e-8 * (10.0 + abs(value)))
            if known < 1:
                raise AssertionError("A known target was not counted.")


def gradient_has_the_sign_of_the_error(name: str) -> None:
    """In regression and for 0/1 the gradient points away from the target, or vanishes."""
    for y in (0.0, 1.0):
        for o in (-3.0, -0.2, 0.3, 4.0):
            grad = evaluate(name, np.array([y, np.nan]), np.array([o, 0.0]))[2][0]
            away = o - y if LOSSES[name].task == "regression" else (o if y == 0.0 else -o)
            link = LOSSES[name].task == "binary" or name == "poisson"  # o is a logit, or the rate's logarithm
            if not link and grad * away < 0.0:
                raise AssertionError(f"For the target {y} and the output {o} the gradient is {grad}.")
            if link and grad * (1.0 if y == 0.0 else -1.0) < 0.0 and not (name == "poisson" and o > 0.0):
                raise AssertionError(f"For the target {y} and the output {o} the gradient is {grad}.")


def unknown_targets_have_no_gradient(name: str) -> None:
    """A target that is NaN counts as not known: its outputs get a gradient of zero, others theirs."""
    rng = np.random.default_rng(6)
    out = rng.normal(size=OUTPUTS).astype(np.float32)
    known, loss, grad = evaluate(name, np.full(OUTPUTS, np.nan), out)
    if (known, loss) != (0, 0.0) or grad.any():
        raise AssertionError(f"Unknown targets: counted {known}, loss {loss}, gradient {grad}.")
    if LOSSES[name].task == "multiclass":
        return
    targets_known = OUTPUTS // LOSSES[name].outputs_per_target
    y = targets(name, rng, 1, OUTPUTS, missing=0.0)[0]
    _, _, full = evaluate(name, y, out)
    y[1] = np.nan
    known, _, grad = evaluate(name, y, out)
    mask = np.tile(np.arange(targets_known) != 1, LOSSES[name].outputs_per_target)
    np.testing.assert_array_equal(grad, np.where(mask, full, 0.0))
    if known != targets_known - 1:
        raise AssertionError(f"One of {targets_known} targets is not known. Counted: {known}.")


def extremes_stay_numbers(name: str) -> None:
    """Outputs of up to 1e30, either sign, give no NaN, and for bounded losses no infinity."""
    rng = np.random.default_rng(7)
    for size in (1e-30, 1e2, 1e4, 1e8, 1e30):
        for sign in (1.0, -1.0):
            y = targets(name, rng, 1, OUTPUTS, missing=0.0)[0]
            out = np.full(OUTPUTS, sign * size, np.float32)
            _, loss, grad = evaluate(name, y, out)
            if np.isnan(loss) or np.isnan(grad).any():
                raise AssertionError(f"Outputs of {sign * size}: loss {loss}, gradient {grad}.")


def loss_checks(loss: LossRow | str) -> list[Check]:
    """Return the checks of one loss, each with a name: for ``pytest.mark.parametrize``, or a loop.

    Parameters
    ----------
    loss
        A row, which is registered if need be, or the name of a registered one.

    Returns
    -------
    list of (str, callable)
        A check raises AssertionError when the loss fails it.

    Examples
    --------
    >>> from streamrnn.testing import loss_checks
    >>> [text for text, _ in loss_checks("huber")]
    ['gradient', 'sign', 'unknown targets', 'extremes']
    """
    name = name_of(loss, register_loss)
    found: list[Check] = []
    if name not in VALUE_IS_ANOTHER:
        found.append(("gradient", partial(gradient_is_the_difference_quotient, name)))
    if LOSSES[name].task != "multiclass" and LOSSES[name].outputs_per_target == 1:
        found.append(("sign", partial(gradient_has_the_sign_of_the_error, name)))
    found.append(("unknown targets", partial(unknown_targets_have_no_gradient, name)))
    return [*found, ("extremes", partial(extremes_stay_numbers, name))]


def check_loss(loss: LossRow | str) -> None:
    """Run all of :func:`loss_checks`, in order.

    Parameters
    ----------
    loss
        A row, or the name of a registered one.

    Raises
    ------
    AssertionError
        At the first check that fails; a note on it says which.

    Examples
    --------
    >>> from streamrnn.testing import check_loss
    >>> check_loss("quantile")
    """
    run_checks(loss_checks(loss))
