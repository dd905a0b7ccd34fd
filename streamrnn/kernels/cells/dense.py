"""A feed-forward layer, h = tanh(W x + b): no state, the amnesiac that the recurrent cells are held against.

One record a step, blocks of H float32: ``0 h``.
"""

from __future__ import annotations

from dataclasses import replace

from streamrnn.kernels.cells.elman import ELMAN

DENSE = replace(ELMAN, name="dense", recurrent=False)
