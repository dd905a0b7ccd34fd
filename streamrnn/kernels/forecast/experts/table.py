"""The table of experts. A new expert is one file and one row here."""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.forecast.experts.arx import AR, AR_ROW, ARX, ARX_ROW
from streamrnn.kernels.forecast.experts.contract import Expert
from streamrnn.kernels.forecast.experts.last import LAST, LAST_ROW, STEADY, STEADY_ROW
from streamrnn.kernels.forecast.experts.lstm import NET, NET_FAST_ROW, NET_ROW
from streamrnn.kernels.forecast.experts.rls import RLS, RLS_ROW, RLS_SHORT_ROW
from streamrnn.kernels.forecast.experts.seasonal import DRIFT, DRIFT_ROW, SEASONAL, SEASONAL_ROW

__all__ = ["AR", "ARX", "DRIFT", "EXPERTS", "LAST", "NET", "RLS", "SEASONAL", "STEADY"]

EXPERTS: Final[dict[str, Expert]] = {
    row.name: row
    for row in (
        LAST_ROW, STEADY_ROW, SEASONAL_ROW, DRIFT_ROW, RLS_ROW, RLS_SHORT_ROW, AR_ROW, NET_ROW, NET_FAST_ROW,
        ARX_ROW,
    )
}  # fmt: skip
