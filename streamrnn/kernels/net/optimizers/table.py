"""The table of optimisers, and what kernels do with it. A new optimiser is one row.

The rules and their defaults are river's (``river.optim``), so that a river object can be given as a setting.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from streamrnn.kernels.cells.activations import F32, ZERO
from streamrnn.kernels.compile import apart, chosen_by_code, code_of, is_closed, kernel
from streamrnn.kernels.net import words as at
from streamrnn.kernels.net.optimizers import adam, adaptive, descent, ftrl
from streamrnn.kernels.net.optimizers.contract import Rule
from streamrnn.kernels.net.optimizers.schedules import learning_rate
from streamrnn.kernels.plugins import register_installed

# The word of the slab's settings that holds a setting. The other settings of a schedule share one word.
WORDS: Final[dict[str, int]] = {
    "lr": at.LR, "beta_1": at.BETA_1, "rho": at.BETA_1, "kappa": at.BETA_1, "beta": at.BETA_1, "beta_2": at.BETA_2,
    "eps": at.EPS, "gamma": at.OPT_A, "l1": at.OPT_A, "correct_bias": at.OPT_A, "final_lr": at.OPT_B, "l2": at.OPT_B,
    "power": at.POWER, "t0": at.POWER,
}  # fmt: skip

_RULE_ORDER: Final = (
    "adam", "sgd", "momentum", "nesterov", "adagrad", "adadelta", "rmsprop", "amsgrad", "nadam", "adamax", "adabound", "ftrl",
    "obgd",
)  # fmt: skip
_ALL_RULES: Final = {
    row.name: row for row in (*adam.ADAM_RULES, *descent.DESCENT_RULES, *adaptive.ADAPTIVE_RULES, *ftrl.FTRL_RULES)
}
OPTIMIZERS: Final[dict[str, Rule]] = {name: _ALL_RULES[name] for name in _RULE_ORDER}

_step = chosen_by_code(OPTIMIZERS, "step")
_prepare = chosen_by_code(OPTIMIZERS, "prepare")
bound = chosen_by_code(OPTIMIZERS, "bound", "return scale")


def register_optimizer(row: Rule) -> Rule:
    """Add a row to the table, for an optimiser of one's own: before the first net of the process runs.

    Parameters
    ----------
    row
        The optimiser. Its code is made from its name.

    Returns
    -------
    Rule
        The row with its code.

    Raises
    ------
    ValueError
        When the name is taken, a setting has no place, or compiled code without the row is already there.

    Examples
    --------
    >>> from streamrnn.kernels.net.optimizers.table import OPTIMIZERS, register_optimizer
    >>> register_optimizer(OPTIMIZERS["adam"]) is OPTIMIZERS["adam"]
    True
    """
    if OPTIMIZERS.get(row.name) == row:
        return row
    row = replace(row, code=code_of(row.name))
    others = [one.code for one in OPTIMIZERS.values() if one.name != row.name]
    if OPTIMIZERS.get(row.name, row) != row or row.code in others:
        raise ValueError(f"The name {row.name!r} is taken by another optimiser. Choose another name.")
    unknown = sorted(set(row.defaults) - set(WORDS))
    if unknown or len({WORDS[name] for name in row.defaults}) < len(row.defaults):
        raise ValueError(
            f"The settings of the optimiser {row.name!r} must be among {', '.join(WORDS)}, with a place of its own each. "
            f"Got {', '.join(row.defaults)} instead."
        )
    if row.name not in OPTIMIZERS and is_closed(OPTIMIZERS):
        raise ValueError(
            f"The optimiser {row.name!r} comes too late: nets have run. Register it when your package is imported."
        )
    return OPTIMIZERS.setdefault(row.name, row)


@kernel
def prepare(hd, hyper, c):
    """Write what a step needs beside the moments: c (16 float32), once an update. ``c[8]`` scales the gradient."""
    lr = learning_rate(hd, hyper, float(hd[at.UPDATES]))
    # the decays as the steps use them, in float32, so that the corrections are exactly theirs
    c[0], c[1], c[2], c[3] = lr, float(F32(hyper[at.BETA_1])), float(F32(hyper[at.BETA_2])), hyper[at.EPS]
    c[4], c[5], c[6], c[7], c[8] = 1.0, 1.0, 0.0, 0.0, 1.0
    _prepare(hd[at.OPTIMIZER], c, hyper, lr, learning_rate(hd, hyper, 0.0), float(hd[at.UPDATES]) + 1.0)


@apart
def _pull(w, w_0, p, n):
    for i in range(n):
        w[i] += p * (w_0[i] - w[i])


@kernel
def step(code, c, w, w_0, s, size, g, n, pull):
    """Take one step on n weights.

    ``s`` starts at this run's place in the first array of moments; the next arrays lie ``size`` further each.
    ``pull`` moves the weights towards their initial values by that share.
    """
    c[11] = pull
    _step(code, c, w, w_0, s, size, g, n)
    if c[11] > ZERO:
        _pull(w, w_0, pull, n)


register_installed("streamrnn.optimizers", register_optimizer)
