"""The table of losses, and what kernels do with it. A new loss is one row.

A target that is NaN is not known: its gradient is zero.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from streamrnn.kernels.compile import chosen_by_code, code_of, is_closed, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.losses import binary, joint, regression
from streamrnn.kernels.net.losses.contract import LossRow
from streamrnn.kernels.plugins import register_installed

_LOSS_ORDER: Final = (
    "huber", "squared", "absolute", "quantile", "gaussian", "cauchy", "epsilon_insensitive", "poisson", "log", "hinge",
    "focal", "cross_entropy",
)  # fmt: skip
_ALL_LOSSES: Final = {
    row.name: row for row in (*regression.REGRESSION_LOSSES, *binary.BINARY_LOSSES, *joint.JOINT_LOSSES)
}
LOSSES: Final[dict[str, LossRow]] = {name: _ALL_LOSSES[name] for name in _LOSS_ORDER}

_pointwise = chosen_by_code(LOSSES, "pointwise", "return 0.0, 0.0")
_joint = chosen_by_code(LOSSES, "joint", "return -1, 0.0")
link = chosen_by_code(LOSSES, "link")


def register_loss(row: LossRow) -> LossRow:
    """Add a row to the table, for a loss of one's own: before the first net of the process runs.

    Parameters
    ----------
    row
        The loss. Its code is made from its name.

    Returns
    -------
    LossRow
        The row with its code.

    Raises
    ------
    ValueError
        When the name is taken, the row is incomplete, or compiled code without it is already there.

    Examples
    --------
    >>> from streamrnn.kernels.net.losses.table import LOSSES, register_loss
    >>> register_loss(LOSSES["huber"]) is LOSSES["huber"]
    True
    """
    if LOSSES.get(row.name) == row:
        return row
    row = replace(row, code=code_of(row.name))
    if LOSSES.get(row.name, row) != row or row.code in [one.code for one in LOSSES.values() if one.name != row.name]:
        raise ValueError(f"The name {row.name!r} is taken by another loss. Choose another name.")
    if (row.pointwise is None) == (row.joint is None) or len(row.defaults) > 2:
        raise ValueError(f"The loss {row.name!r} must have either 'pointwise' or 'joint', and at most two settings.")
    if row.name not in LOSSES and is_closed(LOSSES):
        raise ValueError(
            f"The loss {row.name!r} comes too late: nets have run. Register it when your package is imported."
        )
    return LOSSES.setdefault(row.name, row)


@kernel
def output_gradient(code, targets, out, grad, hyper):
    """Write dL/d(outputs) of one event: targets (float64), out, grad (K float32). Return (known, loss)."""
    a, b = hyper[at.LOSS_A], hyper[at.LOSS_B]
    known, loss = _joint(code, targets, out, grad, a, b)
    if known >= 0:
        return known, loss
    known = 0
    loss = 0.0
    for k in range(out.size):
        y = targets[k]
        grad[k] = 0.0
        if abs(y) >= 0.0:  # not NaN
            one, slope = _pointwise(code, y, float(out[k]), a, b)
            known += 1
            loss += one
            grad[k] = slope
    return known, loss


register_installed("streamrnn.losses", register_loss)
