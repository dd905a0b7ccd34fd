"""What a loss is: one row of the table in :mod:`streamrnn.kernels.net.losses.table`."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class LossRow:
    """One row of the table of losses.

    Functions are decorated with :func:`streamrnn.kernels.compile.kernel`. A row has ``pointwise`` or ``joint``.

    Parameters
    ----------
    name
        What users write as ``loss=``.
    pointwise
        ``pointwise(y, o, a, b) -> (loss, dL/do)`` of one known target y and its output o, float64; a, b: the settings.
    joint
        ``joint(targets, out, grad, a, b) -> (known, loss)`` of all outputs of an event at once: targets (float64, NaN where
        not known) and out (K) in, grad (K) out; how many targets were known, and the sum of their losses.
    link
        ``link(hd, d, o)``: turns outputs o (K, float64) into the target's own terms, in place; None: they are already.
    task
        ``"regression"`` (standardised targets), ``"binary"`` (0 or 1, and a logit) or ``"multiclass"`` (an index, and logits).
    defaults
        Settings by name, at most two.
    river
        Name of river's class, or "".
    level
        Of the quantile that it aims at, which a setting ``alpha`` says more exactly; 0: the mean, or no number's loss.
    least
        The smallest number that it can have as a target.
    outputs_per_target
        1, or 2 where the net forecasts a spread as well.
    code
        What compiled code knows the loss by; -1 for rows from outside, which get one from their name.
    """

    name: str
    pointwise: Callable[..., Any] | None = None
    joint: Callable[..., Any] | None = None
    link: Callable[..., Any] | None = None
    task: str = "regression"
    defaults: dict[str, float] = field(default_factory=dict)
    river: str = ""
    level: float = 0.0
    least: float = -math.inf
    outputs_per_target: int = 1
    code: int = -1
