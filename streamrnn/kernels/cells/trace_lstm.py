"""An LSTM whose gates see the inputs only.

The step is that of :mod:`streamrnn.kernels.cells.lstm` with U = 0. Then dc/dW obeys e = f e' + l a *exactly*:
one trace a weight is the whole history's gradient, at every event, decayed by a factor in (0, 1), so that it
cannot blow up. The cheapest long memory there is, and the one to choose when a cause lies thousands of events back.

Exact real-time recurrent learning by independent units: M. Mozer, A focused backpropagation algorithm for temporal
pattern recognition, Complex Systems 3, 1989; K. Javed et al., arXiv:2302.05326, 2023; K. Irie et al., ICLR 2024.
"""

from __future__ import annotations

from dataclasses import replace

from streamrnn.kernels.cells.lstm import LSTM

TRACE_LSTM = replace(LSTM, name="trace_lstm", recurrent=False)
