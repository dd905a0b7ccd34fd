"""tanh and the logistic function as vectorisable rational functions.

libm's tanh is scalar; LLVM vectorises a clamp and a quotient of polynomials. Degree 13 over 6, the minimax
coefficients of Eigen (``generic_fast_tanh_float``, MPL-2.0 mathematics, constants only).

Bound, tested over every magnitude: ``|tanh - exact| <= 4e-7`` and ``|sigmoid - exact| <= 3e-7``;
``|tanh| <= 1`` and ``0 <= sigmoid <= 1`` hold exactly; NaN goes through.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from streamrnn.kernels.compile import kernel

F32 = np.float32
ZERO: Final = F32(0.0)
HALF: Final = F32(0.5)
ONE: Final = F32(1.0)

CLAMP: Final = F32(7.90531110763549805)  # tanh rounds to 1 beyond
A1: Final = F32(4.89352455891786e-03)
A3: Final = F32(6.37261928875436e-04)
A5: Final = F32(1.48572235717979e-05)
A7: Final = F32(5.12229709037114e-08)
A9: Final = F32(-8.60467152213735e-11)
A11: Final = F32(2.00018790482477e-13)
A13: Final = F32(-2.76076847742355e-16)
B0: Final = F32(4.89352518554385e-03)
B2: Final = F32(2.26843463243900e-03)
B4: Final = F32(1.18534705686654e-04)
B6: Final = F32(1.19825839466702e-06)


@kernel
def tanh(x):
    """Return tanh(x) for a float32."""
    x = min(max(x, -CLAMP), CLAMP)
    s = x * x
    t = s * s
    # pairs and fours of terms (G. Estrin, 1960): half as many steps wait for each other, and a net waits for each activation twice an event
    p = x * ((A1 + s * A3) + t * ((A5 + s * A7) + t * ((A9 + s * A11) + t * A13)))
    q = (B0 + s * B2) + t * (B4 + s * B6)
    return min(max(p / q, -ONE), ONE)


@kernel
def sigmoid(x):
    """Return 1 / (1 + exp(-x)) for a float32."""
    return HALF + HALF * tanh(HALF * x)
