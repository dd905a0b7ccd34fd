"""What an expert is: one row of the table in :mod:`streamrnn.kernels.forecast.experts.table`, and a place for its forecasts."""

from __future__ import annotations

from dataclasses import dataclass

from streamrnn.kernels.compile import kernel
from streamrnn.kernels.forecast import words as at


@dataclass(frozen=True, slots=True)
class Expert:
    """One row of the table.

    Parameters
    ----------
    name
        What users write in ``experts=``.
    code
        What the kernel branches on; rows of one kind share it.
    prior
        Its weight before the first error, in proportion: chosen once, on all streams of the benchmark together.
    lags
        Values back that a regression on lagged values sees; 0 for the others.
    forget
        Discount an event of a recursive least squares.
    floor, short_floor
        How much one value moves its bin of a profile's shapes, at least: of the main season, and of the short one; 0: that one is left out.
    rate
        Learning rate of a net, over that of the optimiser's own.
    stride
        Events between two updates of a net; 0: the estimator's parameter.
    init
        How a net's biases begin.

    Examples
    --------
    >>> from streamrnn.kernels.forecast.experts.table import EXPERTS
    >>> EXPERTS["rls"].lags, EXPERTS["last"].lags
    (48, 0)
    """

    name: str
    code: int
    prior: float = 1.0
    lags: int = 0
    forget: float = 1.0
    rate: float = 0.0
    stride: int = 0
    init: str = ""
    floor: float = 0.0
    short_floor: float = 0.0


@kernel
def place(hd, c, e):
    """Return where in the lanes expert e writes its forecasts of channel c: one number for each of H steps."""
    return hd[at.SCRATCH_LANES] + (e * hd[at.CHANNELS] + c) * hd[at.HORIZON]
