"""What an optimiser is: one row of the table in :mod:`streamrnn.kernels.net.optimizers.table`.

A step works on runs of weights, four rows at a time. What all weights share is prepared once an update, in c (16 float32):

    0 rate | 1 first decay | 2 second decay | 3 eps | 4, 5 corrections of the moments | 6, 7 two more rates | 8 scale of the
    gradient | 9 a corrected rate | 11 the share of the pull | 10, 12 on: free

The places 0, 6, 7 and 9 are rates: an update of many learned events takes them up to twice as high. After a step the weights are pulled towards their
initial values by the share in place 11. A step that has done so itself, in its own pass over the weights, leaves 0 there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the table of optimisers.

    Functions are decorated with :func:`streamrnn.kernels.compile.kernel`.

    Parameters
    ----------
    name
        What users write as ``optimizer=``.
    slots
        Arrays of moments kept for each weight.
    defaults
        Settings by name, those of :data:`~streamrnn.kernels.net.optimizers.table.WORDS`; ``lr`` first, where there is a rate.
    step
        ``step(c, w, w_0, s, size, g, n)``: moves n weights w, whose initial values are w_0, by the gradient g (float32). The first
        moment of weight i is ``s[i]``, the second ``s[size + i]``, and so on. The gradient counts ``c[8]`` times.
    prepare
        ``prepare(c, hyper, lr, lr_0, t)``: changes c, which holds rate, decays and eps as set; hyper: the settings (float64);
        lr and lr_0: the learning rate now and at the first update; t: updates, with this one. None: c is right as it is.
    bound
        ``bound(hyper, lr, error, sum_1, scale) -> scale`` of the whole gradient, by the mean absolute error and the sum of |g|: for
        rows with ``two_pass``.
    river
        Name of river's class, or "" where river has none.
    two_pass
        True where the step needs a norm of the whole gradient.
    code
        What compiled code knows the rule by; -1 for rows from outside, which get one from their name.
    """

    name: str
    slots: int
    defaults: dict[str, float]
    step: Callable[..., Any]
    prepare: Callable[..., Any] | None = None
    bound: Callable[..., Any] | None = None
    river: str = ""
    two_pass: bool = False
    code: int = -1
