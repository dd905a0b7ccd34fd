"""The table of experts. A new expert is one file and one row here."""

from __future__ import annotations

from typing import Final

from streamrnn.kernels.forecast.experts.arx import AR_CODE, AR_ROW, ARX_CODE, ARX_ROW
from streamrnn.kernels.forecast.experts.contract import Expert
from streamrnn.kernels.forecast.experts.last import LAST_CODE, LAST_ROW, STEADY_CODE, STEADY_ROW
from streamrnn.kernels.forecast.experts.long import LONG_CODE, LONG_ROW
from streamrnn.kernels.forecast.experts.lstm import LSTM_FAST_ROW, LSTM_ROW, NET_CODE
from streamrnn.kernels.forecast.experts.profile import PROFILE_CODE, PROFILE_MAIN_ROW, PROFILE_ROW
from streamrnn.kernels.forecast.experts.rls import RLS_CODE, RLS_ROW, RLS_SHORT_ROW
from streamrnn.kernels.forecast.experts.seasonal import DRIFT_CODE, DRIFT_ROW, SEASONAL_CODE, SEASONAL_ROW

__all__ = [
    "ARX_CODE", "AR_CODE", "DRIFT_CODE", "EXPERTS", "LAST_CODE", "LONG_CODE", "NET_CODE", "PROFILE_CODE", "RLS_CODE", "SEASONAL_CODE", "STEADY_CODE",
]  # fmt: skip

EXPERTS: Final[dict[str, Expert]] = {
    row.name: row
    for row in (
        LAST_ROW, STEADY_ROW, SEASONAL_ROW, DRIFT_ROW, RLS_ROW, RLS_SHORT_ROW, AR_ROW, LSTM_ROW, LSTM_FAST_ROW,
        PROFILE_ROW, PROFILE_MAIN_ROW, LONG_ROW, ARX_ROW,
    )
}  # fmt: skip
